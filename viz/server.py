"""Serve the page: `python run.py app`. Nothing is asked of the network, and no other site may speak to it."""

import json
import os
import re
import socket
import sys
import threading
import warnings
import webbrowser
from pathlib import Path

HERE = Path(__file__).resolve().parent

SETTINGS = {
    "SOLARA_APP": "viz.app",
    "SOLARA_ASSETS_FONTAWESOME_ENABLED": "False",
    "SOLARA_ASSETS_EXTRA_LOCATIONS": "viz.assets",  # a folder's path would break at a comma
    "SOLARA_ASSETS_PROXY": "True",
    "SOLARA_KERNEL_CULL_TIMEOUT": "10m",
    "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "False",
    "SOLARA_THEME_LOADER": "plain",
    "SOLARA_THEME_SHOW_BANNER": "False",
    "SOLARA_THEME_TITLE": "Take or Pay",
    "SOLARA_THEME_VARIANT": "light",
}

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",  # Vue compiles its templates in the browser
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
EXTENSIONS = re.compile(
    rb"nbextensionHashes = (\{[^}]*\})"
)  # what Solara's page asks for once it is connected
CLOSED_PATHS = ("/resourcez",)  # figures about other people's sessions

# What Solara's page template lacks, forbids, or says in its own words: zooming by hand, a language, an early start
# for the charts, a late one for icons, and what a visitor should know when the server is gone.
PAGE_REPAIRS = {
    b"<html>": b'<html lang="en">',
    b", maximum-scale=1, user-scalable=no, minimal-ui": b"",
    b"<title>": b'<link rel="modulepreload" href="/_solara/cdn/echarts@5.4.0/dist/echarts.esm.min.js">\n    <title>',
    b'rel="stylesheet" fetchpriority="low"': b'rel="stylesheet" media="print" onload="this.media=\'all\'"',
    b"Server\n                disconnected.": b"The server does not answer. Trying again \xe2\x80\xa6",
    b"Could not restore session. Please refresh.\n                </v-card-text>": (
        b"The server was started anew. What you had set is in the address: refresh, and it is back."
        b"\n                </v-card-text>"
    ),
}


class PortTaken(Exception):
    """Another program listens at this address already."""


def serve(host="127.0.0.1", port=8765, *, show=False, workers=None):
    """Serve the page until interrupted; ``show`` opens it in the visitor's own browser.

    ``workers``: how many processes play worlds beside this one; None: one where there are more than two processors. On
    two, often of one core, it would make the first worlds of an answer, which somebody waits for, come later.
    PortTaken, with a sentence that says what to do, if the address is in use. ``port`` 0 takes a free one.
    """
    import uvicorn

    listening = listen(host, port)
    address = f"http://{_named(host)}:{listening.getsockname()[1]}/"
    server = uvicorn.Server(
        uvicorn.Config(
            application(host),
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=1,
            # packing takes longer than the way within one machine
            ws_per_message_deflate=host not in LOOPBACK,
        )
    )
    threading.Thread(target=_when_started, args=(server, address, show, workers), daemon=True).start()
    try:
        server.run(sockets=[listening])
    finally:
        _end_workers()


def listen(host, port):
    """Take the address, or say that it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    if os.name == "posix":  # elsewhere this option lets two programs share a port
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except (OSError, OverflowError) as error:
        listening.close()
        reason = getattr(error, "strerror", None) or error
        raise PortTaken(
            f"Cannot listen at {host}:{port}: {reason}. Another Take or Pay may be open there already;"
            f" --port {_another(port)} takes another port, --port 0 any that is free."
        ) from None
    return listening


def application(host="127.0.0.1"):
    """Make the ASGI application: Solara's own routes behind the guard."""
    os.environ.update({name: os.environ.get(name, value) for name, value in SETTINGS.items()})
    if str(HERE.parent) not in sys.path:
        sys.path.insert(0, str(HERE.parent))
    # Solara's cookie serves to tell sessions apart on this page alone, so that it is `lax` is right.
    warnings.filterwarnings("ignore", message="Cookies with samesite=none require https")
    import solara.server.settings
    from solara.server import starlette as solara_server
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.routing import Mount
    from starlette.staticfiles import StaticFiles

    class LocalAssets(solara_server.StaticCdn):
        """The libraries that came with the installation.

        Solara's own class asks a server on the Internet for what is missing, and removes a folder that is
        asked for by its name.
        """

        lookup_path = StaticFiles.lookup_path

    assets = LocalAssets(directory=solara.server.settings.assets.proxy_cache_dir)
    return Starlette(
        routes=[Mount("/_solara/cdn", app=assets), *solara_server.routes],
        lifespan=solara_server.lifespan,
        middleware=[
            Middleware(Guard, hosts=LOOPBACK if host in LOOPBACK else None),
            *solara_server.middleware,
            Middleware(RepairedPage),
        ],
    )


class Guard:
    """Refuse what comes from another site's page, and tell the browser what this page may do.

    ``hosts``: names by which this server may be called (against DNS rebinding); None allows any.
    """

    def __init__(self, app, hosts=None):
        self.app, self.hosts = app, hosts

    async def __call__(self, scope, receive, send):
        if scope["type"] not in {"http", "websocket"}:
            return await self.app(scope, receive, send)
        if not self.allows(scope):
            return await _refuse(scope, send, 403, b"This address serves its own page only.")
        if scope["path"].startswith(CLOSED_PATHS):
            return await _refuse(scope, send, 404, b"Not found.")
        await self.app(scope, receive, _with_headers(send))

    def allows(self, scope):
        """Whether a request names this server, and comes from its own page or from no page at all."""
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1").lower()
        origin = headers.get(b"origin")
        named = self.hosts is None or _without_port(host) in self.hosts
        return named and (origin is None or origin.decode("latin-1").lower().partition("://")[2] == host)


class RepairedPage:
    """Mend Solara's HTML page on its way out; leave all else alone."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        start, parts = None, []

        async def mending(message):
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                if not _is_page(message):
                    await send(message)
            elif not _is_page(start):
                await send(message)
            else:
                parts.append(message.get("body", b""))
                if not message.get("more_body", False):
                    await _send_whole(send, start, mended(b"".join(parts)))

        await self.app(scope, receive, mending)


def mended(page):
    """Give Solara's page with what PAGE_REPAIRS replaces, in bytes."""
    for text, better in PAGE_REPAIRS.items():
        page = page.replace(text, better, 1)
    return page.replace(b"</head>", _early(page) + b"</head>", 1)


def _early(page):
    """Links that have the browser fetch at once what the page asks for only when it is connected."""
    found = EXTENSIONS.search(page)
    hashes = json.loads(found[1]) if found else {}
    files = (f"{name.partition('/')[0]}/nodeps.js?{version}" for name, version in hashes.items())
    links = (f'<link rel="preload" as="script" href="/jupyter/nbextensions/{file}">' for file in files)
    return "".join(links).encode()


async def _send_whole(send, start, body):
    headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
    headers.append((b"content-length", str(len(body)).encode()))
    await send(start | {"headers": headers})
    await send({"type": "http.response.body", "body": body})


def _is_page(start):
    return dict(start["headers"]).get(b"content-type", b"").startswith(b"text/html")


def _with_headers(send):
    extra = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]

    async def sending(message):
        if message["type"] == "http.response.start":
            message = message | {"headers": [*message["headers"], *extra]}
        await send(message)

    return sending


async def _refuse(scope, send, status, body):
    if scope["type"] == "websocket":
        return await send({"type": "websocket.close", "code": 1008})  # before it is accepted: HTTP 403
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await _with_headers(send)({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _without_port(host):
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]


def _another(port):
    return port + 1 if 0 < port < 65535 else 8765


def _named(host):
    named = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)
    return f"[{named}]" if ":" in named and not named.startswith("[") else named


def _end_workers():
    from viz.runs import CACHE

    if CACHE.workers is not None:
        CACHE.workers.end()


def _when_started(server, address, show, workers):
    while not server.started:
        if server.should_exit:
            return
        threading.Event().wait(0.05)
    from viz.runs import CACHE
    from viz.session import ALL, FIRST, warm
    from viz.workers import Workers

    warm(FIRST)  # before the workers start: what is compiled for the first time is compiled once
    if workers is None:
        workers = int((os.cpu_count() or 1) > 2)
    if workers and not server.should_exit:
        CACHE.workers = Workers(workers)
    print(f"Take or Pay is open at {address}  (Ctrl+C ends it)", flush=True)
    if show:
        webbrowser.open(address)
    warm(ALL)
