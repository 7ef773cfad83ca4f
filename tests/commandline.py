"""Run the real `aiaccount-sync` as a process, with a configuration and nothing else of the environment."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from consumers.keyring import new_master_key

PROGRAM = str(Path(sys.executable).with_name("aiaccount-sync"))
RUN_SECONDS = 60


@dataclass(frozen=True)
class CommandLine:
    """The command line of one installation; `run` gives what came of one command."""

    database: str = ""
    environment: str = "test"
    bootstrap: str = "127.0.0.1:1"
    api_url: str = "http://127.0.0.1:1"
    master_keys: str = field(default_factory=lambda: new_master_key("k1"))
    more: dict[str, str] = field(default_factory=dict)

    @property
    def variables(self) -> dict[str, str]:
        """The environment of the process; without the path to our program's own parts nothing of ours."""
        return {
            "PATH": os.environ.get("PATH", ""),
            "AIACCOUNT_SYNC_DATABASE_URL": self.database,
            "AIACCOUNT_SYNC_ENVIRONMENT": self.environment,
            "AIACCOUNT_SYNC_API_URL": self.api_url,
            "AIACCOUNT_SYNC_MASTER_KEYS": self.master_keys,
            "AIACCOUNT_SYNC_RELAY_METRICS_PORT": "0",
            "AIACCOUNT_SYNC_CONSUMER_METRICS_PORT": "0",
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
            **self.more,
        }

    def but(self, **changed: Any) -> "CommandLine":
        """Return the same but for what is given."""
        return replace(self, **changed)

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [PROGRAM, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env=self.variables,
            check=False,
            timeout=RUN_SECONDS,
        )

    def done(self, *arguments: str, stdin: str = "") -> str:
        """Run a command that must end with status 0, and return what it printed."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, done
        return done.stdout

    def json(self, *arguments: str, status: int = 0) -> Any:
        """Run a command that prints JSON and ends with `status`, and return that."""
        done = self.run(*arguments, "--json")
        assert done.returncode == status, done
        return json.loads(done.stdout)

    def refused(self, *arguments: str, status: int, stdin: str = "") -> str:
        """Run a command that must fail with `status` and one line on standard error, and return that line."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == status, done
        assert done.stderr.startswith("aiaccount-sync: "), done
        assert len(done.stderr.splitlines()) == 1, done
        return done.stderr

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command that goes on; whoever starts it ends it."""
        return subprocess.Popen(
            [PROGRAM, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.variables,
        )
