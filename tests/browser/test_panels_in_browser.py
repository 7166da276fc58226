"""Panels and lessons in a browser: pinned runs, the map, files in and out, a lesson from prediction to debrief."""

import io
import json
import re
import zipfile

import pytest
from playwright.sync_api import expect
from visiting import SOON

GOOD = 'title = "Mine <b>own</b>"\nparagraph = "p"\nextends = "baseline"\n\n[openai]\nfloor_share = 0.5\n'
BAD = """title = "Bad"
paragraph = "p"
extends = "baseline"

[openai]
floor_share = 7

[[event]]
month = 3
kind = "demand_shock"
size = "<img src=x onerror=alert(1)>"
"""
SHORT = "months=6"  # few months: these tests are about the panels, not about the model


@pytest.fixture
def open_panel(visit):
    """Give a function that opens a panel of a short run and gives the visitor."""

    def make(panel, query=SHORT):
        visitor = visit().open(f"{query}&panel={panel}")
        visitor.page.wait_for_selector(".tp-drawer")
        return visitor

    return make


def shut(visitor):
    visitor.page.click(".tp-drawerhead button")
    visitor.page.wait_for_selector(".tp-drawer", state="detached")


# -- compare --------------------------------------------------------------------------------------------------


def test_pin_a_run_and_compare_another_with_it(open_panel):
    visitor = open_panel("compare", "months=36")
    page, before = visitor.page, visitor.digest()
    page.click("[data-do=pin]")
    visitor.state("pin=")
    page.wait_for_function("document.querySelector('[data-do=pin]').disabled")
    shut(visitor)
    page.click(".tp-select")
    page.click("[data-scenario=growth_disappoints]")
    visitor.state("scenario=growth_disappoints")
    visitor.recomputed(before)
    page.get_by_role("button", name="More", exact=True).click()
    page.click("[data-panel=compare]")
    rows = "document.querySelectorAll('.tp-panel-paired tbody tr').length"
    page.wait_for_function(f"{rows} > 3", timeout=SOON)  # until the new run is there it differs in nothing
    visitor.count(".tp-runcard", 2)
    titles = page.locator(".tp-panel-table thead tr > *").all_text_contents()
    assert len(titles) == 3 and "This run" in titles[1]
    visitor.count(".tp-panel-chart .tp-canvas", 1)
    page.get_by_role("button", name="Unpin").click()
    page.wait_for_selector(".tp-panel-paired", state="detached", timeout=SOON)
    visitor.without("pin=")


def test_the_last_change_can_be_flipped_before_and_after(visit):
    visitor = visit().open("months=36")
    page, before = visitor.page, visitor.digest()
    page.click(".tp-select")
    page.click("[data-scenario=calm]")
    visitor.recomputed(before)
    after = visitor.digest()
    page.get_by_role("button", name="More", exact=True).click()
    page.click("[data-panel=compare]")
    page.wait_for_selector(".tp-flip")
    visitor.says(".tp-flip", "became")
    page.click("[data-do=flip]")
    page.wait_for_selector(f".tp-footer[data-digest='{before}']", timeout=SOON)
    visitor.says("[data-do=flip]", "Show after")
    page.click("[data-do=flip]")
    page.wait_for_selector(f".tp-footer[data-digest='{after}']", timeout=SOON)


def test_before_and_after_flip_in_the_header_and_by_a_key(visit):
    visitor = visit().open("months=36")
    page, before = visitor.page, visitor.digest()
    expect(page.locator("[data-side=before]")).to_be_disabled()
    page.click(".tp-select")
    page.click("[data-scenario=calm]")
    visitor.recomputed(before)
    after = visitor.digest()
    expect(page.locator("[data-side=after]")).to_have_attribute("aria-pressed", "true", timeout=SOON)
    page.click("[data-side=before]")
    page.wait_for_selector(f".tp-footer[data-digest='{before}']", timeout=SOON)
    expect(page.locator("[data-side=before]")).to_have_attribute("aria-pressed", "true", timeout=SOON)
    page.keyboard.press("Control+b")
    page.wait_for_selector(f".tp-footer[data-digest='{after}']", timeout=SOON)
    expect(page.locator(".tp-flipper")).to_have_attribute("title", re.compile("became"), timeout=SOON)


# -- what would have avoided it --------------------------------------------------------------------------------


def test_single_changes_are_played_on_demand_and_one_can_be_opened(visit):
    query = "scenario=supercluster_24_months&months=60&story=1&view=party&party=Vantage+Texas+site+company&month=60"
    visitor = visit()
    page = visitor.page
    page.goto(visitor.address + "?" + query, timeout=SOON)
    page.click("[data-do=act]", timeout=SOON)
    visitor.says(".tp-drawer .tp-says", "single changes tried would have avoided it")
    row = page.locator(".tp-drawer tbody tr", has_text="avoided").filter(has_text="lent on a site's value")
    page.keyboard.press("Escape")
    visitor.says(".tp-slot-text", "Would have been avoided by")
    page.click("[data-do=act]")
    row.locator("button").click()
    visitor.state("credit.loan_to_value")
    visitor.settled()
    expect(page.locator("[data-do=act]")).to_have_count(0, timeout=SOON)  # in this world it pays to the end


def test_a_run_without_a_dated_event_can_be_opened_and_shared(visit):
    query = "scenario=supercluster_24_months&months=72&story=1"
    visitor = visit().open(f"{query}&panel=avoid")
    page, before = visitor.page, visitor.digest()
    page.click("[data-do=start]", timeout=SOON)
    row = page.locator(".tp-drawer tbody tr", has_text="Without the").first
    row.get_by_role("button").click(timeout=SOON)
    visitor.state("without=event.")
    visitor.count(".tp-drawer", 0)
    visitor.recomputed(before)
    shared, after = page.url, visitor.digest()
    page.goto(shared, timeout=SOON)
    visitor.settled()
    assert visitor.digest() == after != before


# -- the map and the drivers ----------------------------------------------------------------------------------


def test_the_map_is_drawn_and_a_click_on_it_goes_there(open_panel):
    visitor = open_panel("map")
    page = visitor.page
    page.click("[data-do=start]")
    page.wait_for_selector(".tp-panel-map canvas", timeout=2 * SOON)
    page.wait_for_selector("[data-do=start]", timeout=2 * SOON)
    visitor.says(".tp-panel-map .tp-sub", "81 of 81 points")
    box = page.locator(".tp-panel-map canvas").bounding_box()
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 0.45 * box["height"])
    visitor.state("set=")
    page.wait_for_function("document.body.innerText.includes('answers an earlier question')", timeout=SOON)


def test_work_in_the_background_can_be_stopped(open_panel):
    visitor = open_panel("drivers")
    page = visitor.page
    page.click("[data-do=start]")
    page.wait_for_selector("[data-do=stop]")
    page.wait_for_selector(".tp-progress")
    page.click("[data-do=stop]")
    page.wait_for_selector("[data-do=start]")
    visitor.count("[role=alert]", 0)


# -- files ----------------------------------------------------------------------------------------------------


def give(page, name, content):
    content = content if isinstance(content, bytes) else content.encode()
    page.set_input_files(
        ".tp-drawer input[type=file]", files=[{"name": name, "mimeType": "text/plain", "buffer": content}]
    )


def test_a_good_file_is_run(open_panel):
    visitor = open_panel("files")
    page, digest = visitor.page, visitor.digest()
    give(page, "mine.toml", GOOD)
    page.wait_for_selector("[data-do=open]")
    page.click("[data-do=open]")
    visitor.state("scenario=file")
    visitor.recomputed(digest)
    visitor.says(".tp-select", "Mine <b>own</b>")
    visitor.count(".tp-select b b", 0)


def test_mistakes_stand_beside_their_lines_and_nothing_of_the_file_is_html(open_panel):
    visitor = open_panel("files")
    page = visitor.page
    page.on("dialog", lambda dialog: visitor.failures.append(f"dialog: {dialog.message}"))
    give(page, "<img src=x onerror=alert(2)>.toml", BAD)
    visitor.count(".tp-wrong", 2)
    wrong = page.locator(".tp-wrong").all_text_contents()
    assert "floor_share = 7" in wrong[0] and "0 to 1" in wrong[0]
    assert "<img src=x onerror=alert(1)>" in wrong[1]
    visitor.count(".tp-drawer img", 0)
    visitor.count("[data-do=open]", 0)
    page.get_by_role("button", name="Forget it").click()
    page.wait_for_selector(".tp-wrong", state="detached")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a" * 1_000_001, "at most 1 MB"),
        (b"\xff\xfe\x00binary", "binary"),
        (b"a = " + b"[" * 4_000, "nested"),
    ],
)
def test_files_that_are_too_large_binary_or_too_deep_are_refused(open_panel, content, words):
    visitor = open_panel("files")
    give(visitor.page, "x.toml", content)
    visitor.page.wait_for_function(
        "words => document.querySelector('.tp-upload').innerText.includes(words)", arg=words, timeout=SOON
    )
    visitor.count("[data-do=open]", 0)


def test_scenario_and_run_can_be_taken_along(open_panel):
    visitor = open_panel("files", "months=6&set=openai.floor_share=0.5")
    with visitor.page.expect_download() as given:
        visitor.page.get_by_role("button", name="Scenario as TOML").click()
    text = given.value.path().read_text()
    assert "floor_share = 0.5" in text
    with visitor.page.expect_download() as given:
        visitor.page.get_by_role("button", name="Run files").click()
    archive = zipfile.ZipFile(io.BytesIO(given.value.path().read_bytes()))
    facts = json.loads(archive.read("run.json"))
    assert facts["scenario"]["overrides"] == {"openai.floor_share": 0.5}
    assert "worlds.parquet" in archive.namelist()


# -- about ----------------------------------------------------------------------------------------------------


def test_about_lists_terms_and_assumptions_and_switches_the_names(open_panel):
    visitor = open_panel("about")
    page = visitor.page
    page.get_by_role("button", name="Assumptions").click()
    page.fill(".tp-tabs input", "floor_share")
    page.wait_for_function("document.querySelectorAll('.tp-list-of tbody tr').length === 1")
    visitor.says(".tp-list-of tbody", "openai.floor_share")
    page.fill(".tp-tabs input", "<b>")
    page.wait_for_selector(".tp-list-of .tp-empty")
    page.get_by_label("Archetype names instead of firms' names").check()
    visitor.state("names=archetype")
    page.get_by_label("Reduced motion").check()
    page.wait_for_function("document.documentElement.dataset.motion === 'none'")


# -- lessons --------------------------------------------------------------------------------------------------


def test_lesson_three_from_prediction_to_debrief(visit):
    visitor = visit().open("panel=lessons")
    page = visitor.page
    page.click("[data-lesson=L3]")
    page.wait_for_selector(".tp-lesson")
    visitor.state("lesson=L3")
    visitor.state("seed=101")
    visitor.count(".tp-lever", 0)
    visitor.count(".tp-strip", 0)
    expect(page.locator("[data-do=run]")).to_be_disabled()
    predict(page, {0: "8.75", 1: 2, 2: 0, 3: "60"})
    page.wait_for_selector("[data-do=run]:enabled")
    page.wait_for_selector(".tp-lever")
    visitor.count(".tp-lever", 4)
    page.click("[data-do=run]")
    page.wait_for_selector("[data-do=see]", timeout=5 * SOON)
    page.click("[data-do=see]")
    page.wait_for_selector(".tp-outcomes")
    assert page.locator("[data-answer=lab_lab]").text_content()
    page.click("[data-case=lab]")
    visitor.state("set=loan.lab_borrows=1")
    visitor.state("pin=")
    page.click("[data-do=next]")
    visitor.count(".tp-judged", 4)
    judged = page.locator(".tp-judged").all_text_contents()
    assert "You said: 8.75." in judged[0] and "as the model has it" in judged[0]
    assert "You said: rises." in judged[1]
    assert "You said: falls." in judged[2]
    page.click("[data-do=next]")
    page.wait_for_selector("[data-answer=anyone_cash]")
    page.get_by_role("button", name="Leave").click()
    page.wait_for_selector(".tp-lesson", state="detached")
    visitor.without("lesson=")


def test_lesson_five_asks_for_a_drawing_and_lays_it_over_the_runs(visit):
    visitor = visit()
    page = visitor.page
    page.goto(visitor.address + "?lesson=L5&scenario=supercluster_24_months&seed=101", timeout=SOON)
    page.wait_for_selector(".tp-drawable", timeout=SOON)
    predict(page, {0: "60", 1: "20", 2: 2, 3: 0})
    expect(page.locator("[data-do=run]")).to_be_disabled()
    page.locator(".tp-drawable").scroll_into_view_if_needed()
    box = page.locator(".tp-drawable").bounding_box()
    page.mouse.move(box["x"] + 0.22 * box["width"], box["y"] + 0.3 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.5 * box["height"], steps=6)
    page.mouse.move(box["x"] + 0.98 * box["width"], box["y"] + 0.7 * box["height"], steps=6)
    page.mouse.up()
    page.wait_for_selector("[data-do=run]:enabled", timeout=SOON)
    drawn = page.get_by_label("End of Dec 2033")
    expect(drawn).to_have_value(re.compile(r"^[2-4]\d$"), timeout=SOON)
    drawn.fill("55")
    drawn.press("Tab")
    expect(page.locator(".tp-drawable")).to_have_attribute(
        "aria-label", re.compile("Dec 2033 55"), timeout=SOON
    )
    page.click("[data-do=run]")
    page.click("[data-do=see]", timeout=5 * SOON)
    visitor.says(".tp-sketched", "Farthest apart in")
    visitor.count(".tp-sketchreal", 1)


def predict(page, answers):
    """Answer the questions of a prediction: a text for a number, a place for a choice."""
    for place, answer in answers.items():
        if isinstance(answer, str):
            page.fill(f"input[name=question{place}]", answer)
            page.press(f"input[name=question{place}]", "Tab")
        else:
            page.locator(f"input[name=question{place}]").nth(answer).check()


def test_a_link_to_a_later_step_of_a_lesson_still_asks_for_a_prediction(visit):
    visitor = visit()
    visitor.page.goto(f"{visitor.address}?lesson=L2&step=3")
    visitor.page.wait_for_selector(".tp-lesson form", timeout=SOON)
    expect(visitor.page.locator("[data-do=run]")).to_be_disabled()
    visitor.count(".tp-judged", 0)
