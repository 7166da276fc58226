"""`python -m benchmarks.page`: how fast the page answers in a Chromium, and what a visitor costs the server.

It measures a server of its own, from the outside: from the moment a slider is let go to the moment the charts are
painted, as the browser saw it. The table is also written into docs/validation.md.
"""

import argparse
import datetime
import json
import os
import statistics
import sys
from pathlib import Path

from tests.browser.visiting import CHROMIUM, DESK, FLAGS, Server, Visitor

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "validation.md"
BEGIN, END = "<!-- the page's speed: begin -->", "<!-- the page's speed: end -->"
HEADING = "## The page\n"
INTRODUCTION = """
Measured in Chromium by `make bench-page`, on a server of its own: from letting a slider go to painted charts. No answer
is in the cache unless it says so.
"""
PAINTED = ".tp-figure[data-painted]"
LEVER = ".tp-groupbody .tp-lever input[type=range]"

LET_GO = """
([lever, position, painted]) => new Promise((done) => {
    const slider = document.querySelector(lever), chart = document.querySelector(painted), times = [];
    const footer = document.querySelector('.tp-footer');
    slider.value = position;
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    const began = performance.now();
    let watcher;
    const look = () => {
        const settled = footer.dataset.busy === '0' && Number(footer.dataset.worlds) >= 256;
        if (times.length && settled && times[times.length - 1].stamp === chart.dataset.painted) {
            watcher.disconnect();
            requestAnimationFrame(() => done({ first: times[0].at, all: performance.now() - began }));
        }
    };
    watcher = new MutationObserver(() => {
        const stamp = chart.dataset.painted;
        if (stamp && stamp !== before && !times.some((each) => each.stamp === stamp)) {
            times.push({ stamp, at: performance.now() - began });
        }
        look();
    });
    const before = chart.dataset.painted;
    watcher.observe(chart, { attributes: true });
    watcher.observe(footer, { attributes: true });
    slider.dispatchEvent(new Event('change', { bubbles: true }));
})
"""

PLAY = """
() => new Promise((done) => {
    const months = [], frames = [];
    let last = performance.now(), going = true;
    const frame = (now) => { frames.push(now - last); last = now; if (going) requestAnimationFrame(frame); };
    window.takeorpay.player.rewind();
    window.addEventListener('takeorpay:month', (event) => {
        months.push([event.detail.month, performance.now()]);
        if (event.detail.month >= window.takeorpay.months) { going = false; done({ months, frames: frames.slice(1) }); }
    });
    requestAnimationFrame(frame);
    window.takeorpay.player.start();
})
"""


def measure(changes=20, loads=10, sessions=10, tell=lambda words: None):
    """Measure all; give rows of (what, median, worst of 20 or so, aim), the first two in the unit of ``what``."""
    import psutil
    from playwright.sync_api import sync_playwright

    server = Server()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            warm = _visitor(browser, server).open()
            tell(f"{changes} changes of a lever")
            usual = warm.page.eval_on_selector(LEVER, "slider => Number(slider.value)")  # whose run is known
            positions = [position for position in range(changes + 1) if position != usual][:changes]
            fresh = _changes(warm, positions)
            tell("the same again, from the cache")
            cached = _changes(warm, positions[:10])
            tell("playing 96 months")
            played = warm.page.evaluate(PLAY)
            tell(f"{loads} first loads")
            first = [_load(browser, server) for _ in range(loads)]
            tell(f"{sessions} more visitors")
            process = psutil.Process(server.process.pid)
            before = _memory(process)
            others = [_visitor(browser, server).open() for _ in range(sessions)]
            grown = (_memory(process) - before) / sessions / 1e6
            failures = [failure for each in (warm, *others) for failure in each.failures]
            browser.close()
    finally:
        server.stop()
    steps = [
        later[1] - sooner[1] for sooner, later in zip(played["months"], played["months"][1:], strict=False)
    ]
    shown = [month for month, _ in played["months"]]
    inorder = shown == list(range(1, max(shown) + 1))
    return {
        "machine": {
            "cores": os.cpu_count(),
            "load": round(os.getloadavg()[0], 1),
            "date": str(datetime.date.today()),
        },
        "failures": failures,
        "rows": [
            _row("slider let go to painted charts, 64 worlds, ms", [each["first"] for each in fresh], 700),
            _row("slider let go to the fan of 256 worlds, ms", [each["all"] for each in fresh], 2200),
            _row("the same from the cache, ms", [each["first"] for each in cached], None),
            _row("first load from a warm server, ms", first, 3000),
            _row("a month while playing at 10 months a second, ms", steps, 100),
            _row("a frame while playing, ms", played["frames"], 17),
            {
                "what": "plays with months left out or out of order",
                "count": 1,
                "median": 0 if inorder else 1,
                "most": 0,
                "aim": 0,
            },
            {
                "what": "server memory of each further visitor, MB",
                "count": sessions,
                "median": grown,
                "most": grown,
                "aim": 60,
            },
        ],
    }


def _memory(process):
    """What a process and its workers hold, in bytes."""
    return sum(each.memory_info().rss for each in (process, *process.children(recursive=True)))


def _visitor(browser, server):
    context = browser.new_context(viewport=DESK)
    return Visitor(context.new_page(), server.address)


def _changes(visitor, positions):
    return [visitor.page.evaluate(LET_GO, [LEVER, str(position), PAINTED]) for position in positions]


def _load(browser, server):
    visitor = _visitor(browser, server)
    visitor.open(settled=False)
    took = visitor.page.evaluate("performance.now()")
    visitor.page.context.close()
    return took


def _row(what, times, aim):
    ordered = sorted(times)
    most = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    return {"what": what, "count": len(times), "median": statistics.median(times), "most": most, "aim": aim}


def table(found):
    """Give the measurements as a Markdown table."""
    machine = found["machine"]
    lines = [
        f"{machine['date']}, {machine['cores']} cores, load {machine['load']} when done.",
        "",
        "| what | measured | median | 95% of them below | aim |",
        "|---|---:|---:|---:|---:|",
    ]
    for row in found["rows"]:
        aim = "" if row["aim"] is None else f"{row['aim']:,}"
        lines.append(
            f"| {row['what']} | {row['count']} | {row['median']:,.0f} | {row['most']:,.0f} | {aim} |"
        )
    return "\n".join(lines)


def write(found, document=DOCUMENT):
    """Put the table into docs/validation.md, in place of the last one."""
    text = document.read_text(encoding="utf-8") if document.exists() else "# Validation\n"
    block = f"{BEGIN}\n{table(found)}\n{END}"
    if BEGIN in text:
        head, _, rest = text.partition(BEGIN)
        text = head + block + rest.partition(END)[2]
    else:
        text = f"{text.rstrip()}\n\n{HEADING}{INTRODUCTION}\n{block}\n"
    document.write_text(text, encoding="utf-8")


def main(arguments=None):
    """Measure, print, and write the document."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__.split("\n\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON, and write no document")
    parser.add_argument("--changes", type=int, default=20, help="how many changes of a lever")
    parser.add_argument("--loads", type=int, default=10, help="how many first loads")
    parser.add_argument("--sessions", type=int, default=10, help="how many further visitors")
    chosen = parser.parse_args(arguments)
    if CHROMIUM is None:
        sys.exit("There is no Chromium on the path: install one (Debian's package is called chromium).")
    found = measure(
        chosen.changes,
        chosen.loads,
        chosen.sessions,
        tell=lambda words: print(f"… {words}", file=sys.stderr, flush=True),
    )
    print(json.dumps(found, indent=2) if chosen.json else table(found))
    if not chosen.json:
        write(found)
    if found["failures"]:
        sys.exit("The browser met failures:\n" + "\n".join(found["failures"]))


if __name__ == "__main__":
    main()
