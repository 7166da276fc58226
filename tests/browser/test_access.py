"""For everybody: enough contrast in both themes, names and room for every control, menus by keyboard, little motion."""

import pytest
from playwright.sync_api import TimeoutError as PatienceError
from playwright.sync_api import expect
from visiting import SOON

AUDIT = r"""
window.audit = () => {
  const parts = (text) => { const found = text.match(/rgba?\(([^)]+)\)/); const list = found ? found[1].split(",").map(Number) : [0, 0, 0, 0]; return list.length < 4 ? [...list, 1] : list; };
  const light = (colour) => { const [r, g, b] = colour.map((part) => { part /= 255; return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const over = (top, below) => [0, 1, 2].map((at) => top[at] * top[3] + below[at] * (1 - top[3]));
  const ground = (element) => {
    const layers = [];
    for (let node = element; node; node = node.parentElement) { const colour = parts(getComputedStyle(node).backgroundColor); if (colour[3] > 0) layers.push(colour); if (colour[3] === 1) break; }
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
  };
  const wrong = [];
  for (const element of document.querySelectorAll("body *")) {
    const look = getComputedStyle(element), box = element.getBoundingClientRect();
    if (look.visibility === "hidden" || look.display === "none" || !box.width || !box.height || element.closest(":disabled")) continue;
    const told = `${element.tagName}.${element.getAttribute("class") || ""} “${(element.textContent || "").trim().slice(0, 30)}”`;
    if ([...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())) {
      let opacity = 1;
      for (let node = element; node; node = node.parentElement) opacity *= Number(getComputedStyle(node).opacity);
      const colour = parts(element instanceof SVGElement ? look.fill : look.color), below = ground(element);
      const [one, other] = [light(over([...colour.slice(0, 3), colour[3] * opacity], below)), light(below)];
      const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
      if (contrast < (parseFloat(look.fontSize) >= 24 ? 3 : 4.5)) wrong.push(`contrast ${contrast.toFixed(2)}: ${told}`);
    }
    if (element.matches("button, a[href], select, input:not([type=hidden]), [tabindex='0']")) {
      const by = element.getAttribute("aria-labelledby"), labels = element.labels || [];
      const name = element.getAttribute("aria-label") || element.textContent.trim() || element.title || (labels.length && labels[0].textContent.trim()) || (by && document.getElementById(by) && document.getElementById(by).textContent);
      if (!name) wrong.push(`no name: ${told}`);
      if (element.tagName === "BUTTON" && (box.width < 23.5 || box.height < 23.5)) wrong.push(`small ${box.width}x${box.height}: ${told}`);
    }
  }
  return wrong;
};
"""  # noqa: E501


@pytest.mark.parametrize("theme", ["dark=0", "dark=1"])
@pytest.mark.parametrize(
    "query", ["view=owes&chart=idle", "view=events&story=2", "panel=avoid", "panel=compare"]
)
def test_text_can_be_read_and_controls_can_be_hit_and_named(visit, query, theme):
    visitor = visit()
    page = visitor.page
    page.goto(f"{visitor.address}?months=24&month=20&{query}&{theme}", timeout=SOON)
    visitor.settled()
    page.evaluate(AUDIT)
    try:
        page.wait_for_function("window.audit().length === 0", timeout=SOON)
    except PatienceError:
        pytest.fail("\n".join(page.evaluate("window.audit()")))


def test_menus_are_walked_with_arrows_and_left_with_escape(visit):
    visitor = visit().open("months=6")
    page = visitor.page
    opener = page.locator("[data-group=Risk]")
    opener.focus()
    page.keyboard.press("Enter")
    items = page.locator(".tp-views .tp-menu [role=menuitem]")
    expect(items.first).to_be_focused(timeout=SOON)
    page.keyboard.press("ArrowDown")
    expect(items.nth(1)).to_be_focused(timeout=SOON)
    page.keyboard.press("End")
    expect(items.last).to_be_focused(timeout=SOON)
    page.keyboard.press("Escape")
    expect(opener).to_be_focused(timeout=SOON)
    page.keyboard.press("Enter")
    expect(items.first).to_be_focused(timeout=SOON)
    page.keyboard.press("ArrowDown")
    chosen = items.nth(1).get_attribute("data-view")
    page.keyboard.press("Enter")
    visitor.state(f"view={chosen}")
    page.get_by_role("button", name="More", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".tp-panels [role=menuitem]").first).to_be_focused(timeout=SOON)


def test_who_asks_for_little_motion_gets_none(visit):
    page = visit(reduced_motion="reduce").open("months=6").page
    page.wait_for_function("window.takeorpay.calm()")
    page.wait_for_function("getComputedStyle(document.querySelector('.tp-play')).transitionDuration === '0s'")


def test_with_the_levers_in_a_drawer_no_two_landmarks_share_a_name(visitor):
    visitor.open("panel=levers")
    assert visitor.page.locator(".tp-levers").count() == 2
    names = visitor.page.evaluate(
        "() => [...document.querySelectorAll('section[aria-label], [role=region][aria-label]')].filter("
        " each => [null, 'region'].includes(each.getAttribute('role'))).map(each => each.getAttribute('aria-label'))"
    )
    assert "Levers" in names and len(names) == len(set(names))
