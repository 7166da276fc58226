"""Take pictures of the page for docs/screenshots/: `make screenshots`. Needs a Chromium.

Each picture is named by what it shows and by the width of the window. Arguments name the pictures to take, such as
`main view-walls 390`: a number is a width. With 256 colours they look the same and are a quarter of the size.
"""

import io
import sys
from pathlib import Path

from PIL import Image

from tests.browser.visiting import CHROMIUM, DESK, FLAGS, PHONE, Server, Visitor
from viz import show

FOLDER = Path(__file__).resolve().parent / "screenshots"
MONTH = 44  # of a world in which something has happened by then


def pictures():
    """Give {name: query} of every picture."""
    main = {
        "main-opening": "",
        "main": f"month={MONTH}",
        "main-dark": f"month={MONTH}&dark=1",
        "main-archetypes": f"month={MONTH}&names=archetype",
    }
    views = {f"view-{key}": f"view={key}&month={MONTH}" for key in show.views() if key != "owes"}
    panels = {f"panel-{each['key']}": f"panel={each['key']}" for each in show.header()["panels"]}
    return main | views | panels


def take(names=()):
    """Take the pictures of these names, or all, at both sizes; give the failures that the browser met."""
    from playwright.sync_api import sync_playwright

    FOLDER.mkdir(exist_ok=True)
    widths = [int(name) for name in names if name.isdigit()] or [DESK["width"], PHONE["width"]]
    names = [name for name in names if not name.isdigit()]
    chosen = {name: query for name, query in pictures().items() if not names or name in names}
    server, failures = Server(), []
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            for size in (size for size in (DESK, PHONE) if size["width"] in widths):
                page = browser.new_page(viewport=size, device_scale_factor=1)
                visitor = Visitor(page, server.address)
                for name, query in chosen.items():
                    _take(visitor, name, query, size)
                failures += visitor.failures
            browser.close()
    finally:
        server.stop()
    return failures


def _take(visitor, name, query, size):
    visitor.page.goto(visitor.address + "?" + query, timeout=120_000)
    visitor.page.wait_for_selector(".tp-at-centre .tp-figure", timeout=120_000)
    visitor.settled()
    if "panel=" in query:
        visitor.page.wait_for_selector(".tp-drawer")
    visitor.page.wait_for_timeout(500)  # the last transition
    file = FOLDER / f"{name}-{size['width']}.png"
    picture = Image.open(io.BytesIO(visitor.page.screenshot(full_page=size == PHONE))).convert("RGB")
    picture.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(file, optimize=True)
    print(file.relative_to(FOLDER.parents[1]), flush=True)


if __name__ == "__main__":
    if CHROMIUM is None:
        sys.exit("There is no Chromium on the path: install one (Debian's package is called chromium).")
    met = take(sys.argv[1:])
    if met:
        sys.exit("The browser met failures:\n" + "\n".join(met))
