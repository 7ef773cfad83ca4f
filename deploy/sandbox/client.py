"""Start a sandbox as a process of its own and set it up, for tests and the demo."""

import json
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from deploy.servers.process import leashed, starter

_ROOT = Path(__file__).parents[2]
_START = 30.0
_STOP = 10.0
_CALL = 30.0


class SandboxError(Exception):
    """The sandbox did not start, or refused an admin call."""


class SandboxProcess:
    """A sandbox in a child process; `with` starts it and stops it by its pid.

    `book` is appended to, so a second process on the same book goes on where the first ended. Further
    `options` are those of the command line ("--no-rate-limit").
    """

    def __init__(self, book: Path, *options: str) -> None:
        self.book = book
        self.url = ""
        self._options = options
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process id; raises `SandboxError` when it does not run."""
        if self._process is None:
            raise SandboxError("The sandbox does not run")
        return self._process.pid

    def start(self) -> None:
        """Start the process and wait until it takes calls. Raises `SandboxError`."""
        command = [sys.executable, "-m", "deploy.sandbox", "--port", "0", "--book", str(self.book)]
        process = self._process = starter().submit(_popen, [*command, *self._options]).result()
        watchdog = threading.Timer(_START, process.kill)
        watchdog.start()
        try:
            line = process.stdout.readline() if process.stdout else ""
        finally:
            watchdog.cancel()
        if not line:
            self.stop()
            raise SandboxError("The sandbox ended before it was ready")
        self.url = json.loads(line)["url"]

    def stop(self) -> int | None:
        """Stop the process with SIGTERM; return its exit status, or None if it did not run."""
        process, self._process = self._process, None
        if process is None:
            return None
        process.terminate()
        return _wait(process)

    def kill(self) -> None:
        """End the process as a crash would, with SIGKILL."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            _wait(process)

    def put_company(self, company: dict[str, Any]) -> None:
        """Set a company, named by its `company_id`."""
        self._call("PUT", f"companies/{company['company_id']}", company)

    def patch_company(self, company_id: str, **fields: Any) -> None:  # noqa: ANN401 -- any field
        """Change some fields of a company."""
        self._call("PATCH", f"companies/{company_id}", fields)

    def add_fault(self, behaviour: str, **given: Any) -> str:  # noqa: ANN401 -- match, times, parameters
        """Set a fault and return its id."""
        fault_id: str = self._call("POST", "faults", {"behaviour": behaviour, **given})["id"]
        return fault_id

    def clear_faults(self, fault_id: str | None = None) -> None:
        """Take one fault away, or all of them."""
        self._call("DELETE", "faults" if fault_id is None else f"faults/{fault_id}")

    def documents(self, company_id: str | None = None) -> list[dict[str, Any]]:
        """Return the stored documents."""
        query = "" if company_id is None else f"?company_id={company_id}"
        found: list[dict[str, Any]] = self._call("GET", f"documents{query}")["documents"]
        return found

    def counts(self) -> list[dict[str, Any]]:
        """Return the calls answered so far, by company, endpoint, method and status."""
        found: list[dict[str, Any]] = self._call("GET", "counts")["counts"]
        return found

    def set_latency(self, ms: float) -> None:
        """Set how long every call takes."""
        self._call("POST", "latency", {"ms": ms})

    def _call(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 -- any JSON
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 -- the sandbox's own http address
            f"{self.url}/_sandbox/{path}", data, {"Content-Type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=_CALL) as reply:  # noqa: S310 -- as above
                return json.load(reply)
        except urllib.error.HTTPError as error:
            with error:
                raise SandboxError(f"{method} {path}: {error.code} {error.read().decode()}") from error


def _popen(command: list[str]) -> subprocess.Popen[str]:
    # On a leash and in a session of its own: it goes with us, and a Ctrl-C is ours to pass on.
    return subprocess.Popen(  # noqa: S603 -- our own interpreter and module
        leashed(command), cwd=_ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )


def _wait(process: subprocess.Popen[str]) -> int:
    try:
        return process.wait(_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
    finally:
        if process.stdout is not None:
            process.stdout.close()
