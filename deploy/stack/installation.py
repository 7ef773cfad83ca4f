"""Where an installation's servers are, and its commands and processes: the real `aiaccount-sync`."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from consumers.keyring import new_master_key
from deploy.servers.port import free_port
from deploy.stack.logins import as_login, login_of
from deploy.stack.service import Service

_COMMAND_SECONDS = 120
_DATABASE = "AIACCOUNT_SYNC_DATABASE_URL"


class Installation:
    """An installation on servers that run already.

    Args:
        database_url: Where NS16's tables are.
        bootstrap: Kafka's `host:port`.
        api_url: AiAccount's, or the sandbox's, base URL.
        folder: Where the logs go.
        environment: The installation's name.
        settings: More environment variables, such as `AIACCOUNT_SYNC_CLAIM_SECONDS`.
        options: Options of every command, such as `--log-level debug`.
        logins: Whether each process connects as a login of its own, with its role (`make_logins`).
    """

    def __init__(  # noqa: PLR0913 - where everything is, said once
        self,
        database_url: str,
        bootstrap: str,
        api_url: str,
        folder: Path,
        *,
        environment: str = "demo",
        settings: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
        logins: bool = False,
    ) -> None:
        self.folder = folder
        self.logins = logins
        self.options = options
        self.env = {
            **os.environ,
            _DATABASE: database_url,
            "AIACCOUNT_SYNC_ENVIRONMENT": environment,
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
            "AIACCOUNT_SYNC_API_URL": api_url,
            "AIACCOUNT_SYNC_MASTER_KEYS": new_master_key("k1"),
            **(settings or {}),
        }

    def run(self, *arguments: str, given: str | None = None, check: bool = True) -> str:
        """Run `aiaccount-sync` with these arguments and return what it printed.

        Args:
            arguments: The command and its options.
            given: What it reads from standard input, such as an API key.
            check: Whether an exit status other than 0 is an error.

        Raises:
            subprocess.CalledProcessError: It failed; `stderr` says why.
        """
        done = subprocess.run(  # noqa: S603 - our own command
            [*_command(), *self.options, *arguments],
            env=self._env(arguments),
            input=given or "",
            text=True,
            capture_output=True,
            timeout=_COMMAND_SECONDS,
            check=check,
        )
        return done.stdout

    def relay(self, name: str = "relay", *, failpoints: str = "") -> Service:
        """Return the relay as a process, not started yet."""
        return self._service(name, ("relay",), "RELAY", failpoints)

    def consumers(self, name: str = "consume", *endpoints: str, failpoints: str = "") -> Service:
        """Return consumers of these endpoints, of all four if none is named, not started yet."""
        return self._service(name, ("consume", *endpoints), "CONSUMER", failpoints)

    def _service(self, name: str, arguments: tuple[str, ...], role: str, failpoints: str) -> Service:
        port = free_port()
        env = {
            **self._env(arguments),
            f"AIACCOUNT_SYNC_{role}_METRICS_PORT": str(port),
            "AIACCOUNT_SYNC_FAILPOINTS": failpoints,
        }
        command = [*_command(), *self.options, *arguments]
        return Service(name, command, self.folder / f"{name}.log", env=env, port=port)

    def _env(self, arguments: tuple[str, ...]) -> dict[str, str]:
        login = login_of(arguments) if self.logins else None
        if login is None:
            return self.env
        return {**self.env, _DATABASE: as_login(self.env[_DATABASE], login)}


def _command() -> list[str]:
    return [sys.executable, "-m", "console"]
