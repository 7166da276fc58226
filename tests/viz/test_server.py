"""The server's guard, without a server: what it refuses, and what it adds to what it lets through."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from viz.server import HEADERS, PAGE_REPAIRS, Guard, PortTaken, RepairedPage, listen, mended

HTML = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", b"6")]


def asked(app, kind="http", path="/", headers=()):
    """Send one request to an ASGI application; give what it sent back."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {
        "type": kind,
        "path": path,
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }
    with ThreadPoolExecutor(1) as apart:  # a test in a browser leaves a running event loop in this thread
        apart.submit(asyncio.run, app(scope, receive, send)).result()
    return sent


def inner(headers=HTML, parts=(b"<html>",)):
    async def app(scope, receive, send):
        if scope["type"] == "websocket":
            return await send({"type": "websocket.accept"})
        await send({"type": "http.response.start", "status": 200, "headers": list(headers)})
        for at, part in enumerate(parts):
            await send({"type": "http.response.body", "body": part, "more_body": at + 1 < len(parts)})

    return app


GUARD = Guard(inner(), hosts={"127.0.0.1", "localhost", "::1"})


@pytest.mark.parametrize(
    "headers",
    [
        [("host", "127.0.0.1:8765")],
        [("host", "localhost:8765"), ("origin", "http://localhost:8765")],
        [("host", "[::1]:8765"), ("origin", "http://[::1]:8765")],
        [("host", "LOCALHOST")],
    ],
)
def test_the_page_itself_is_let_through(headers):
    assert asked(GUARD, headers=headers)[0]["status"] == 200
    assert asked(GUARD, "websocket", headers=headers) == [{"type": "websocket.accept"}]


@pytest.mark.parametrize(
    "headers",
    [
        [("host", "127.0.0.1:8765"), ("origin", "http://evil.example")],
        [("host", "127.0.0.1:8765"), ("origin", "http://127.0.0.1:9999")],
        [("host", "127.0.0.1:8765"), ("origin", "null")],
        [
            ("host", "evil.example"),
            ("origin", "http://evil.example"),
        ],  # a name that was pointed at this machine
        [],
    ],
)
def test_others_are_refused(headers):
    assert asked(GUARD, headers=headers)[0]["status"] == 403
    assert asked(GUARD, "websocket", headers=headers)[0]["type"] == "websocket.close"


def test_a_class_may_call_the_server_by_any_name_but_from_its_own_page_only():
    open_to_all = Guard(inner(), hosts=None)
    assert asked(open_to_all, headers=[("host", "teacher.local:80")])[0]["status"] == 200
    foreign = [("host", "teacher.local:80"), ("origin", "http://evil.example")]
    assert asked(open_to_all, "websocket", headers=foreign)[0]["type"] == "websocket.close"


def test_every_answer_carries_the_headers_and_figures_of_others_are_closed():
    host = [("host", "localhost")]
    for path, status in (("/", 200), ("/resourcez", 404)):
        start = asked(GUARD, path=path, headers=host)[0]
        assert start["status"] == status
        assert {name.lower().encode() for name in HEADERS} <= {name for name, _ in start["headers"]}


def test_a_page_in_parts_is_mended_whole():
    page = b"".join(PAGE_REPAIRS)
    halves = [page[:20], page[20:]]
    start, body = asked(RepairedPage(inner(parts=halves)))
    assert body["body"] == mended(page) != page
    assert dict(start["headers"])[b"content-length"] == str(len(body["body"])).encode()


def test_what_is_not_a_page_passes_unchanged():
    headers = [(b"content-type", b"text/javascript")]
    sent = asked(RepairedPage(inner(headers, (b"<html>", b"<title>"))))
    assert [message.get("body") for message in sent] == [None, b"<html>", b"<title>"]


def test_every_repair_still_finds_its_place_in_the_template():
    from pathlib import Path

    import solara.server

    template = Path(solara.server.__file__).parent / "templates" / "solara.html.j2"
    text = template.read_bytes()
    assert not [repair for repair in PAGE_REPAIRS if repair not in text]


def test_a_port_that_is_taken_is_told_with_a_way_out():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"Cannot listen at 127\.0\.0\.1:{port}.*--port"):
            listen("127.0.0.1", port)
    with pytest.raises(PortTaken):
        listen("127.0.0.1", 99_999)


def test_the_browser_is_told_early_what_the_page_asks_for_later():
    page = b'<html><head></head><script>nbextensionHashes = {"jupyter-vue/extension": "0a1b"};</script>'
    link = b'<link rel="preload" as="script" href="/jupyter/nbextensions/jupyter-vue/nodeps.js?0a1b">'
    assert link + b"</head>" in mended(page)
    assert b"preload" not in mended(b"<html><head></head></html>")
