"""One process of ours, the relay or the consumers: started, watched, stopped, killed, paused."""

import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.servers.process import ServerProcess

READY_SECONDS = 60.0
STOP_SECONDS = 60.0
_OK = 200


class Service(ServerProcess):
    """A process with a health port; a context manager that starts it until it is ready, and stops it."""

    def __init__(
        self, name: str, command: Sequence[str], log: Path, *, env: Mapping[str, str], port: int
    ) -> None:
        super().__init__(name, command, log, env=env)
        self.log = log
        self.port = port

    def __enter__(self) -> Self:
        self.start(self.ready, READY_SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop(within=STOP_SECONDS)

    def ready(self) -> bool:
        """Say whether `/readyz` answers 200."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as reply:
                return bool(reply.status == _OK)
        except (urllib.error.URLError, OSError):
            return False

    def metrics(self) -> str:
        """Return what `/metrics` shows."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as reply:
            text: bytes = reply.read()
        return text.decode()
