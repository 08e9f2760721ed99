# SPDX-License-Identifier: Apache-2.0
"""The view of a device as a page of this machine's: nothing is served to others."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.pipeline.core.documents import to_json
from dimmer.pipeline.reporting.live.watched import State

PAGE = Path(__file__).parents[1] / "templates" / "watch.html"
HERE = "127.0.0.1"


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that closes a page in the middle of an answer is no fault."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextmanager
def served(state: Callable[[], State], port: int) -> Iterator[str]:
    """Serves the page while the block runs.

    Args:
        port: 0 for any that is free.

    Yields:
        Its address.

    Raises:
        DimmerError: the port is taken.
    """
    page = PAGE.read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            # A page from elsewhere that has its name point here is not answered.
            host = self.headers.get("Host", "").rpartition(":")[0]
            if host not in (HERE, "localhost"):
                self.send_error(HTTPStatus.FORBIDDEN)
            elif self.path == "/":
                self._answer("text/html; charset=utf-8", page)
            elif self.path == "/state.json":
                self._answer("application/json", json.dumps(to_json(state())).encode())
            else:
                self.send_error(HTTPStatus.NOT_FOUND)

        def _answer(self, kind: str, body: bytes) -> None:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("Content-Security-Policy", "default-src 'self' 'unsafe-inline'")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            del format, arguments

    try:
        server = _Server((HERE, port), Handler)
    except OSError as error:
        raise DimmerError(f"port {port} cannot be had ({error.strerror}): give another one with --port") from error
    with server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://{HERE}:{server.server_address[1]}/"
        finally:
            server.shutdown()
