"""Fixtures of the tests in a browser: one server, one Chromium, visitors who must not leave this machine."""

from pathlib import Path

import pytest
from visiting import CHROMIUM, DESK, FLAGS, Server, Visitor


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium is installed"))


@pytest.fixture(scope="session")
def server():
    running = Server()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(server, chromium):
    """Give a function that makes a Visitor of its own; at the end none may have met an error, or gone elsewhere."""
    contexts, visitors = [], []

    def make(viewport=DESK, **options):
        context = chromium.new_context(viewport=viewport, accept_downloads=True, **options)
        contexts.append(context)
        visitors.append(Visitor(context.new_page(), server.address))
        return visitors[-1]

    yield make
    failures = [failure for visitor in visitors for failure in visitor.failures]
    for context in contexts:
        context.close()
    assert not failures


@pytest.fixture
def visitor(visit):
    return visit()
