"""A run that fails, as a visitor sees it: in a sentence, with the page still there."""

import pytest
from visiting import DESK, PHONE, Server

FAILS = """
import viz.runs
from viz.server import serve

play = viz.runs.simulate

def simulate(scenario, worlds, seed, *others, **more):
    if seed == 13:
        raise FloatingPointError("overflow in the price")
    return play(scenario, worlds, seed, *others, **more)

viz.runs.simulate = simulate
serve(port=0, workers=0)
"""
"""Serves the page; with seed 13 the model fails."""
SENTENCE = "The model stopped with an error of its own (FloatingPointError: overflow in the price)."


@pytest.fixture(scope="module")
def server():
    running = Server(program=FAILS)
    yield running
    running.stop()


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_a_run_that_fails_is_told_beside_the_last_one(visit, viewport):
    visitor = visit(viewport).open()
    visitor.page.get_by_label("Seed of all luck").fill("13")
    visitor.page.get_by_label("Seed of all luck").press("Enter")
    visitor.says(".tp-notice", SENTENCE + " What you see is the last run")
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert visitor.page.locator(".tp-figure[data-painted]").count() == 1
    visitor.page.get_by_label("Dismiss").click()
    visitor.count(".tp-notice", 0)


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_a_first_run_that_fails_is_told_once_and_another_can_be_played(visit, viewport):
    visitor = visit(viewport)
    visitor.page.goto(visitor.address + "?seed=13")
    visitor.says(".tp-failed", SENTENCE)
    assert visitor.page.get_by_text("overflow in the price").count() == 1
    assert visitor.page.get_by_text("What you see").count() == 0
    visitor.page.get_by_label("Seed of all luck").fill("1")
    visitor.page.get_by_label("Seed of all luck").press("Enter")
    visitor.painted()
