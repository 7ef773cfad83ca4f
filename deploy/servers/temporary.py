"""Run a server in a temporary directory that goes with it."""

import shutil
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Self

from deploy.servers.port import free_port
from deploy.servers.process import ServerFailed, ServerProcess

CLOSE_SECONDS = 2.0


class TemporaryServer:
    """A server on 127.0.0.1 with a directory and a port of its own; a context manager that runs it.

    ``create`` gets the empty directory and the port, and gives the process to start; ``answers`` tells
    whether the server at the port is ready. The port is chosen when this is made; the directory stays
    the same until ``close``.
    """

    def __init__(
        self,
        name: str,
        create: Callable[[Path, int], ServerProcess],
        answers: Callable[[int], bool],
        start_seconds: float,
        stop_signal: int = signal.SIGTERM,
    ) -> None:
        self.name = name
        self._create = create
        self._answers = answers
        self._start_seconds = start_seconds
        self._stop_signal = stop_signal
        self._directory: Path | None = None
        self._process: ServerProcess | None = None
        self._port = free_port()

    @property
    def port(self) -> int:
        """The port on 127.0.0.1; the same after a restart."""
        return self._port

    @property
    def pid(self) -> int:
        """The server's process id; raises ServerFailed when it does not run."""
        return self._created().pid

    def start(self) -> None:
        """Start the server, made first where there is none yet, and wait until it answers.

        Raises:
            ServerFailed: it did not; the message holds the end of its log.
        """
        if self._process is None:
            self._directory = Path(tempfile.mkdtemp(prefix="aiaccount-"))
            self._process = self._create(self._directory, self._port)
        self._process.start(lambda: self._answers(self._port), self._start_seconds)

    def stop(self) -> None:
        """Stop the server in good order; its directory stays."""
        self._created().stop(self._stop_signal)

    def kill(self) -> None:
        """Kill the server and its children with SIGKILL; its directory stays."""
        self._created().kill()

    def pause(self) -> None:
        """Let the server's first process hang (SIGSTOP): connections stand and nobody is answered."""
        self._created().pause()

    def resume(self) -> None:
        """Let a paused server go on."""
        self._created().resume()

    def restart(self) -> None:
        """Stop the server in good order and start it on the same port."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End the server, soon killed where it does not end by itself, and remove all that it kept."""
        if self._process:
            self._process.stop(self._stop_signal, within=CLOSE_SECONDS)
            self._process = None
        if self._directory:
            shutil.rmtree(self._directory)
            self._directory = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _created(self) -> ServerProcess:
        if self._process is None:
            raise ServerFailed(f"{self.name} was not started")
        return self._process
