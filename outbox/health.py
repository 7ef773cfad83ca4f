"""Metrics and health over HTTP, for Prometheus, Kubernetes and people; nothing else is served."""

import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from outbox.errors import UsageError

_TEXT = "text/plain; charset=utf-8"


class Health:
    """Serve `/metrics`, `/livez` and `/readyz` from a thread; a context manager that starts and ends it."""

    def __init__(
        self,
        registry: CollectorRegistry,
        *,
        ready: Callable[[], bool],
        alive: Callable[[], bool],
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        """Listen at once; requests are answered from `start` on.

        Args:
            registry: What `/metrics` shows.
            ready: Whether work can be done: `/readyz` answers 200 or 503.
            alive: Whether the process should go on: `/livez` answers 200 or 503.
            host: The address to listen on.
            port: 0 for a free one.

        Raises:
            UsageError: It cannot listen there, since the port is taken or the address is not ours.
        """

        class Answers(BaseHTTPRequestHandler):
            """Answer one connection."""

            timeout = 10

            def do_GET(self) -> None:
                """Answer."""
                match self.path.partition("?")[0]:
                    case "/metrics":
                        self._answer(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(registry))
                    case "/livez":
                        self._say(well=alive())
                    case "/readyz":
                        self._say(well=ready())
                    case _:
                        self._answer(HTTPStatus.NOT_FOUND, _TEXT, b"/metrics, /livez or /readyz\n")

            def log_message(self, *_: object) -> None:
                """Log nothing: it is asked every few seconds."""

            def _say(self, *, well: bool) -> None:
                status = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
                self._answer(status, _TEXT, b"ok\n" if well else b"not ok\n")

            def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        try:
            self._server = ThreadingHTTPServer((host, port), Answers)
        except OSError as error:
            raise UsageError(f"metrics cannot be served on {host}:{port}: {error.strerror}") from error
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._server.server_port

    def start(self) -> None:
        """Answer requests."""
        self._thread.start()

    def close(self) -> None:
        """Stop answering and free the port."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
