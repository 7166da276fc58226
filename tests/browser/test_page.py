"""The page in a real browser: it loads from this machine alone, and does what it says."""

import urllib.error
import urllib.request
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from playwright.sync_api import expect
from visiting import DESK, PHONE, SOON, Server, Visitor

from scenarios import load, simulate
from viz import show


def lever(visitor, at=0):
    """The slider of a lever of the group that is open."""
    return visitor.page.locator(".tp-groupbody:visible .tp-lever input[type=range]").nth(at)


def move_lever(visitor, at=0, key="ArrowRight", times=3):
    before = visitor.stamp()
    slider = lever(visitor, at)
    slider.focus()
    for _ in range(times):
        slider.press(key)
    visitor.changed(before)


# -- loading --------------------------------------------------------------------------------------------------


def test_it_loads_and_asks_nothing_of_anybody_else(visitor, server):
    visitor.open()
    assert visitor.page.title() == "Take or Pay"
    hosts = {urlsplit(url).netloc for url in visitor.requests if not url.startswith(("data:", "blob:"))}
    assert hosts == {urlsplit(server.address).netloc}
    assert len(visitor.requests) > 10  # so that the assertion above had something to look at


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_nothing_is_wider_than_the_window(visit, viewport):
    visitor = visit(viewport).open()
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    hidden = visitor.page.evaluate(
        "() => [...document.querySelectorAll('.tp-says, .tp-tile, .tp-banner, .tp-now')].filter("
        " each => each.offsetParent && each.scrollWidth > each.clientWidth + 1).map(each => each.textContent)"
    )
    assert not hidden


def test_on_a_desk_nothing_has_to_be_scrolled(visitor):
    visitor.open()
    assert visitor.page.evaluate("document.documentElement.scrollHeight") <= DESK["height"]
    for part in (".tp-at-levers", ".tp-at-status"):
        assert visitor.page.evaluate(
            "part => { const box = document.querySelector(part); return box.scrollHeight <= box.clientHeight + 1 }",
            part,
        ), part


def test_other_sites_are_refused(server):
    for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(server.address, headers=headers))
        assert refused.value.code == 403


def test_a_foreign_page_cannot_open_the_socket(visitor, server):
    """Chromium sends the page's Origin with a websocket; about:blank has none that is ours."""
    visitor.page.goto("data:text/html,<p>elsewhere</p>")
    address = server.address.replace("http", "ws") + "jupyter/api/kernels/x/channels?session_id=x"
    opened = visitor.page.evaluate(
        "address => new Promise(done => { const socket = new WebSocket(address);"
        " socket.onopen = () => done(true); socket.onerror = () => done(false) })",
        address,
    )
    assert opened is False
    visitor.failures.clear()  # the refusal is what the console complains of


def test_headers_and_the_mended_page(server):
    with urllib.request.urlopen(server.address) as answer:
        page = answer.read().decode()
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "user-scalable" not in page
    assert '<html lang="en">' in page


def test_a_folder_of_the_libraries_cannot_be_asked_for(server):
    """Solara itself removes a folder that is asked for by its name."""
    for path in ("_solara/cdn/echarts@5.4.0/dist", "_solara/cdn/nothing@1.0.0/x.js", "resourcez"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(server.address + path)
        assert refused.value.code == 404
    chart = server.address + "_solara/cdn/echarts@5.4.0/dist/echarts.esm.min.js"
    with urllib.request.urlopen(chart) as answer:
        assert answer.status == 200


# -- playing --------------------------------------------------------------------------------------------------


def test_play_steps_through_the_months_in_order_and_stops_at_the_end(visitor):
    visitor.open("month=80")
    visitor.page.evaluate(
        "() => { window.seen = [];"
        " window.addEventListener('takeorpay:month', (event) => window.seen.push(event.detail.month)) }"
    )
    visitor.page.click("button[aria-label=Play]")
    visitor.page.wait_for_selector(".tp-player[data-month='96']", timeout=SOON)
    assert visitor.page.evaluate("window.seen") == list(range(81, 97))
    visitor.page.wait_for_selector("button[aria-label=Play]")
    visitor.state("month=96")


def test_step_rewind_and_scrub(visitor):
    visitor.open("month=10")
    visitor.page.click("button[aria-label='One month on']")
    visitor.at_month(11)
    visitor.page.click("button[aria-label='One month back']")
    visitor.page.click("button[aria-label='One month back']")
    visitor.at_month(9)
    network = visitor.page.locator(".tp-network")
    expect(network).to_have_attribute("data-month", "9")
    visitor.page.locator(".tp-scrub").fill("48")
    visitor.at_month(48)
    visitor.state("month=48")
    visitor.page.click("button[aria-label='Back to the start']")
    visitor.at_month(0)


def test_the_network_changes_with_the_month(visitor):
    visitor.open()
    lines = visitor.page.locator(".tp-node .tp-detail").all_text_contents()
    links = visitor.page.locator(".tp-link").count()
    visitor.page.locator(".tp-scrub").fill("60")
    visitor.page.wait_for_function(
        "lines => [...document.querySelectorAll('.tp-node .tp-detail')].map(each => each.textContent).join()"
        " !== lines.join()",
        arg=lines,
    )
    assert links > 0


# -- levers and luck ------------------------------------------------------------------------------------------


def test_a_lever_moves_the_chart_and_undo_brings_it_back(visitor):
    visitor.open()
    digest = visitor.digest()
    move_lever(visitor)
    visitor.recomputed(digest)
    visitor.state("set=")
    visitor.page.click("button[aria-label=Undo]")
    visitor.page.wait_for_selector(f".tp-footer[data-digest='{digest}']", timeout=SOON)
    visitor.without("set=")
    visitor.page.click("button[aria-label=Redo]")
    visitor.state("set=")


def test_a_hand_that_rests_on_a_lever_has_its_answer_before_it_lets_go(visitor):
    visitor.open()
    page, digest, long = visitor.page, visitor.digest(), visitor.page.evaluate("history.length")
    box = lever(visitor, 0).bounding_box()
    left, middle = box["x"], box["y"] + box["height"] / 2
    page.mouse.move(left + 0.9 * box["width"], middle)
    page.mouse.down()
    for share in (0.8, 0.7, 0.6):
        page.mouse.move(left + share * box["width"], middle)
    visitor.recomputed(digest)
    answer = visitor.digest()
    page.evaluate(
        "() => { const footer = document.querySelector('.tp-footer'); window.busy = 0;"
        " new MutationObserver(() => { window.busy += Number(footer.dataset.busy) })"
        ".observe(footer, { attributes: true }) }"
    )
    page.mouse.up()
    page.locator(".tp-scrub").fill("30")
    visitor.state("month=30")  # so that the server has heard of both
    assert visitor.digest() == answer and page.evaluate("window.busy") == 0
    assert page.evaluate("history.length") == long + 1
    page.click("button[aria-label=Undo]")
    page.wait_for_selector(f".tp-footer[data-digest='{digest}']", timeout=SOON)


def test_back_and_forward_take_a_change_back_and_make_it_again(visitor):
    visitor.open()
    page, digest = visitor.page, visitor.digest()
    move_lever(visitor)
    visitor.recomputed(digest)
    moved, long = page.evaluate("location.search"), page.evaluate("history.length")
    page.locator(".tp-scrub").fill("30")
    visitor.state("month=30")
    assert page.evaluate("history.length") == long  # where one looks is no entry
    page.go_back(wait_until="commit")
    page.wait_for_selector(f".tp-footer[data-digest='{digest}']", timeout=SOON)
    assert "set=" not in page.evaluate("location.search")
    visitor.count(".tp-moved", 0)
    visitor.at_month(0)
    page.go_forward(wait_until="commit")
    visitor.recomputed(digest)
    visitor.state("month=30")
    visitor.at_month(30)
    assert page.evaluate("location.search").replace("&month=30", "") == moved
    page.click("button[aria-label=Undo]")
    page.wait_for_selector(f".tp-footer[data-digest='{digest}']", timeout=SOON)


def test_a_lever_that_is_typed_out_of_range_says_what_is_allowed(visitor):
    visitor.open()
    field = visitor.page.locator(".tp-groupbody:visible .tp-lever .tp-field input").first
    field.fill("99999999")
    field.press("Enter")
    visitor.says(".tp-refused", "Allowed:")
    field.fill("<b>seven</b>")
    field.press("Enter")
    visitor.says(".tp-refused", "not a number")
    visitor.settled()


def test_reset_takes_every_lever_back(visitor):
    visitor.open()
    digest = visitor.digest()
    move_lever(visitor)
    visitor.page.locator(".tp-levershead button").click()
    visitor.page.wait_for_selector(f".tp-footer[data-digest='{digest}']", timeout=SOON)


def test_new_luck_changes_the_seed_and_undo_restores_it(visitor):
    visitor.open()
    before = visitor.stamp()
    visitor.page.get_by_role("button", name="New luck").click()
    visitor.changed(before)
    expect(visitor.page.locator(".tp-seed input")).not_to_have_value("1")
    seed = visitor.page.input_value(".tp-seed input")
    visitor.state(f"seed={seed}")
    visitor.page.click("button[aria-label=Undo]")
    visitor.page.wait_for_function("document.querySelector('.tp-seed input').value === '1'", timeout=SOON)


def test_same_luck_plays_the_same_world_again(visitor):
    visitor.open("month=90&seed=7")
    visitor.page.get_by_role("button", name="Same luck").click()
    visitor.page.wait_for_selector("button[aria-label=Pause]")
    assert int(visitor.page.get_attribute(".tp-player", "data-month")) < 90
    assert visitor.page.input_value(".tp-seed input") == "7"
    visitor.page.click("button[aria-label=Pause]")


def test_another_world_becomes_the_story(visitor):
    visitor.open()
    before = visitor.stamp()
    pick = visitor.page.locator(".tp-strip .tp-chip:enabled[aria-pressed=false]").first
    pick.click()
    visitor.changed(before)
    visitor.state("story=")
    visitor.page.wait_for_function("document.querySelector('.tp-strip .tp-chip[aria-pressed=true]') !== null")


def test_another_scenario(visitor):
    visitor.open()
    before = visitor.stamp()
    visitor.page.click(".tp-select")
    visitor.page.click("[data-scenario=calm]")
    visitor.changed(before)
    visitor.state("scenario=calm")
    visitor.says(".tp-select", load("calm").title)


# -- what is shared -------------------------------------------------------------------------------------------


def test_a_link_brings_everything_back(visit):
    one = visit().open("seed=5&month=30")
    before = one.digest()
    move_lever(one, at=1)
    one.recomputed(before)
    one.page.click(".tp-switch [role=radio] >> nth=1")
    one.state("chart=")
    search = one.page.evaluate("location.search")
    assert len(search) <= 2000
    other = visit().open(search.removeprefix("?"))
    assert other.digest() == one.digest()
    other.at_month(30)
    assert other.page.evaluate("location.search") == search
    picked = ".tp-switch [aria-checked=true]"
    assert other.page.text_content(picked) == one.page.text_content(picked)


def test_a_bad_link_is_repaired_with_a_notice_and_shown_as_text(visitor):
    visitor.open(
        "seed=-3&nonsense=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E&set=openai.floor_share%3D7&month=999"
    )
    notices = " ".join(visitor.page.locator(".tp-notice").all_text_contents())
    assert "seed" in notices and "nonsense" in notices and "floor_share" in notices
    visitor.count(".tp-notice img", 0)
    count = visitor.page.locator(".tp-notice").count()
    visitor.page.locator(".tp-notice button").first.click()
    visitor.page.wait_for_function(
        "count => document.querySelectorAll('.tp-notice').length === count - 1", arg=count
    )


def test_two_visitors_do_not_see_each_other(visit):
    one, other = visit().open(), visit().open()
    digest = other.digest()
    move_lever(one)
    one.recomputed(digest)
    assert other.digest() == digest
    other.without("set=")
    other.count(".tp-moved", 0)


def test_the_page_computes_what_the_command_line_computes(visitor):
    visitor.open("scenario=growth_disappoints&seed=3&months=24")
    assert visitor.digest() == simulate(load("growth_disappoints"), worlds=256, seed=3, months=24).digest()


# -- without a mouse, without colours -------------------------------------------------------------------------


def test_everything_on_the_main_path_can_be_done_with_the_keyboard(visitor):
    visitor.open()
    page = visitor.page
    page.keyboard.press("ArrowRight")
    visitor.at_month(1)
    page.keyboard.press("Space")
    page.wait_for_selector("button[aria-label=Pause]")
    page.keyboard.press("Space")
    page.wait_for_selector("button[aria-label=Play]")
    page.keyboard.press("Home")
    visitor.at_month(0)

    def tab_to(selector):
        for _ in range(120):
            page.keyboard.press("Tab")
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"the tabulator never reaches {selector}")

    tab_to(".tp-select")
    page.keyboard.press("Enter")
    page.wait_for_selector(".tp-scenarios")
    page.keyboard.press("Escape")
    visitor.count(".tp-scenarios", 0)
    before = visitor.stamp()
    tab_to(".tp-lever input[type=range]")
    page.keyboard.press("ArrowRight")
    visitor.changed(before)
    tab_to(".tp-node")
    tab_to(".tp-switch [role=radio]")
    tab_to(".tp-tool")
    tab_to(".tp-pick")
    tab_to(".tp-play")
    tab_to(".tp-scrub")


def test_charts_have_a_text_and_a_table(visitor):
    visitor.open()
    canvas = visitor.page.locator(".tp-canvas[role=img]")
    assert len(canvas.first.get_attribute("aria-label")) > 20
    visitor.page.locator(".tp-figure:has(.tp-canvas) .tp-tool", has_text="Table").click()
    expect(visitor.page.locator(".tp-table tbody tr").nth(10)).to_be_visible()


@pytest.mark.parametrize(("name", "starts"), [("PNG", b"\x89PNG"), ("SVG", b"<svg "), ("CSV", b"")])
def test_a_chart_can_be_taken_away(visitor, name, starts):
    visitor.open()
    with visitor.page.expect_download() as taken:
        visitor.page.locator(".tp-figure:has(.tp-canvas) .tp-tool", has_text=name).click()
    content = taken.value.path().read_bytes()
    assert content.startswith(starts) and len(content) > 1000
    if name == "SVG":
        says = visitor.page.text_content(".tp-figure:has(.tp-canvas) .tp-says")
        written = "".join(ElementTree.fromstring(content).itertext())  # in as many lines as it needs
        assert says in " ".join(written.split())


def test_dark_theme_is_kept_in_the_address(visitor):
    visitor.open()
    light = visitor.page.evaluate("getComputedStyle(document.body).backgroundColor")
    visitor.page.get_by_role("button", name="More").click()
    visitor.page.get_by_role("menuitem", name="Dark theme").click()
    visitor.state("dark=1")
    visitor.page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    visitor.page.wait_for_function(
        "light => getComputedStyle(document.body).backgroundColor !== light", arg=light
    )


def test_on_a_phone_levers_are_in_a_drawer_and_the_network_is_a_list(visit):
    visitor = visit(PHONE, has_touch=True).open()
    page = visitor.page
    visitor.count(".tp-network svg", 0)
    expect(page.locator(".tp-network .tp-list li").nth(3)).to_be_visible()
    before = visitor.stamp()
    page.get_by_role("button", name="Levers").click()
    page.wait_for_selector(".tp-drawer .tp-lever")
    slider = page.locator(".tp-drawer .tp-lever input[type=range]").first
    slider.focus()
    slider.press("ArrowRight")
    page.keyboard.press("Escape")
    page.wait_for_selector(".tp-drawer", state="detached")
    visitor.changed(before)


def test_every_view_opens_without_an_error(visitor):
    visitor.open(settled=False)
    for view in show.views():
        visitor.page.goto(f"{visitor.address}?view={view}&month=40")
        visitor.page.wait_for_selector(".tp-at-centre .tp-figure", timeout=SOON)
        visitor.settled()
        visitor.count(".tp-broken", 0)
        says = visitor.page.locator(".tp-at-centre .tp-says").first.text_content()
        assert says.strip(), view


def test_a_party_can_be_looked_at_up_close(visitor):
    visitor.open("month=30")
    visitor.page.click("[data-node=CoreWeave]")
    visitor.state("party=CoreWeave")
    visitor.page.wait_for_selector(".tp-choice select")
    expect(visitor.page.locator(".tp-choice select")).to_have_value("CoreWeave")
    visitor.page.select_option(".tp-choice select", "Oracle")
    visitor.state("party=Oracle")
    visitor.page.wait_for_function(
        "document.querySelector('.tp-stack .tp-says').textContent.includes('Oracle')"
    )


def test_a_server_that_is_gone_is_told_and_what_was_set_comes_back(chromium):
    server = Server()
    page = chromium.new_page()
    visitor = Visitor(page, server.address).open("seed=4&months=24&month=12")
    server.stop()
    page.get_by_text("The server does not answer").first.wait_for(timeout=SOON)
    page.locator(".tp-scrub").evaluate("each => { each.value = 20; each.dispatchEvent(new Event('input')) }")
    visitor.at_month(20)  # what was computed can still be played
    server = Server(server.port)
    try:
        page.get_by_text("What you had set is in the address").wait_for(timeout=SOON)
        page.get_by_role("button", name="Refresh now").click()
        visitor.painted()
        expect(page.locator(".tp-seed input")).to_have_value("4")
    finally:
        page.close()
        server.stop()
