"""Hold one server's process: start it, wait for it, stop it, leave nothing of it behind."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import psutil

LEASH = Path(__file__).with_name("leash.py")
POLL_SECONDS = 0.02
LOG_LINES = 25


class ServerFailed(RuntimeError):  # noqa: N818 - a sentence reads better where it is raised
    """A server, or what it needs, did not do what it was asked; the message holds the end of its log."""


@cache
def starter() -> ThreadPoolExecutor:
    """Return the thread that starts what is leashed.

    Linux ties a child to the thread that started it, so this one lives as long as the program.
    """
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="server-starter")


def leashed(
    command: Sequence[str], *, death_signal: int = signal.SIGKILL, user: str | None = None
) -> list[str]:
    """Put ``command`` (its first word an absolute path) on the leash, as ``user`` where one is named."""
    as_user = ["--user", user] if user else []
    script = [sys.executable, "-I", "-S", str(LEASH), "--parent", str(os.getpid())]
    return [*script, "--death-signal", str(int(death_signal)), *as_user, *command]


def family(pid: int) -> list[psutil.Process]:
    """List the process ``pid`` and all that descend from it; empty where it has gone."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def alive(process: psutil.Process) -> bool:
    """Tell whether a process still runs: one that only waits to be reaped does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


class ServerProcess:
    """One server's process and its log, on a leash; may be started again after it stopped."""

    def __init__(  # noqa: PLR0913 - what a process is started with
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        user: str | None = None,
        death_signal: int = signal.SIGKILL,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self._env = env
        self._command = [shutil.which(command[0]) or command[0], *command[1:]]
        self._log = log
        self._user = user
        self._death_signal = death_signal
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The server's process id; raises ServerFailed when it does not run."""
        if self._process is None or self._process.poll() is not None:
            raise ServerFailed(f"{self.name} does not run")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process exists and has not ended."""
        return self._process is not None and self._process.poll() is None

    def log_tail(self) -> str:
        """The last lines that the server wrote."""
        if not self._log.exists():
            return "(no log)"
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-LOG_LINES:])

    def start(self, answers: Callable[[], bool], within: float) -> None:
        """Start the process and wait until ``answers()`` is true.

        Raises:
            ServerFailed: it ended by itself, or gave no answer in ``within`` seconds; it is killed then.
        """
        self.launch()
        try:
            self._wait_until(answers, within)
        except BaseException:
            self.kill()
            raise

    def launch(self) -> None:
        """Start the process, and wait for nothing. Raises ServerFailed where it runs already."""
        if self.running:
            raise ServerFailed(f"{self.name} runs already")
        self._process = starter().submit(self._popen).result()

    def wait(self, within: float) -> int:
        """Wait until the process ends by itself; return its exit status, negative for a signal.

        Raises:
            ServerFailed: it was never started, or still runs after ``within`` seconds.
        """
        if self._process is None:
            raise ServerFailed(f"{self.name} was never started")
        try:
            return self._process.wait(within)
        except subprocess.TimeoutExpired:
            raise ServerFailed(f"{self.name} still runs:\n{self.log_tail()}") from None

    def _wait_until(self, answers: Callable[[], bool], within: float) -> None:
        deadline = time.monotonic() + within
        while not answers():
            if not self.running:
                raise ServerFailed(f"{self.name} ended by itself:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise ServerFailed(f"{self.name} gave no answer in {within:g} s:\n{self.log_tail()}")
            time.sleep(POLL_SECONDS)

    def _popen(self) -> subprocess.Popen[bytes]:
        command = leashed(self._command, death_signal=self._death_signal, user=self._user)
        with self._log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - the command is ours
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=None if self._env is None else dict(self._env),
            )

    def stop(self, with_signal: int = signal.SIGTERM, within: float = 20.0) -> None:
        """Ask the process to end; kill it and its children where it has not ended in ``within`` seconds."""
        if self._process is None:
            return
        if self.running:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(with_signal)
            try:
                self._process.wait(within)
            except subprocess.TimeoutExpired:
                self.kill()
        self._process.wait()

    def kill(self) -> None:
        """Kill the process and its children with SIGKILL, and wait until none of them runs."""
        if self._process is None or not self.running:
            return
        self._process.send_signal(signal.SIGSTOP)  # so that it starts no child while they are listed
        doomed = family(self._process.pid)
        for process in doomed:
            if process.is_running():
                process.kill()
        self._process.wait()
        deadline = time.monotonic() + 10
        while any(alive(process) for process in doomed):
            if time.monotonic() > deadline:
                raise ServerFailed(f"{self.name} left processes that SIGKILL did not end")
            time.sleep(POLL_SECONDS)

    def pause(self) -> None:
        """Stop the process in its tracks (SIGSTOP): it keeps its connections and answers nobody."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused process go on (SIGCONT)."""
        os.kill(self.pid, signal.SIGCONT)
