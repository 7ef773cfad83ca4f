"""How much processor and memory processes take while something is measured."""

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

SAMPLE_SECONDS = 0.25
MEGABYTE = 1e6


@dataclass(frozen=True)
class Usage:
    """What a process and its children took: processor seconds, and at most how many MB resident at once."""

    cpu_seconds: float
    rss_mb: float


class Meter:
    """Watch processes, by name, from `__enter__` to `__exit__`; then `used` tells what each took.

    A page that processes share (PostgreSQL's buffers) counts for each of them.
    """

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._watched = {name: psutil.Process(pid) for name, pid in pids.items()}
        self._before: dict[str, float] = {}
        self._peak = dict.fromkeys(pids, 0.0)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="meter", daemon=True)
        self._waited = dict.fromkeys(pids, 0.0)
        self._begun = 0.0
        self.used: dict[str, Usage] = {}
        self.seconds = 0.0

    def __enter__(self) -> Self:
        self._before = {name: cpu_seconds(process) for name, process in self._watched.items()}
        self._waited = {name: waited_seconds(process.pid) for name, process in self._watched.items()}
        self._begun = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self._begun
        for name, process in self._watched.items():
            self._waited[name] = waited_seconds(process.pid) - self._waited[name]
        taken = {name: cpu_seconds(process) for name, process in self._watched.items()}
        self._stop.set()
        self._thread.join()
        self._look()
        self.used = {name: Usage(taken[name] - self._before[name], self._peak[name]) for name in taken}

    def share(self, name: str) -> float:
        """Return the share of one core that a process took, in percent."""
        return 100 * self.used[name].cpu_seconds / self.seconds

    def starved(self, name: str) -> float:
        """Return the share of the time, in percent, that a process's first thread waited for a core.

        What is high says that the machine was short, not that the process was slow; 0 where it is not told.
        """
        return 100 * self._waited[name] / self.seconds

    def _sample(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            self._look()

    def _look(self) -> None:
        for name, process in self._watched.items():
            self._peak[name] = max(self._peak[name], resident_mb(process))


def cpu_seconds(process: psutil.Process) -> float:
    """Return the processor seconds of a process, its children, and those that have ended.

    A child that ends meanwhile would be counted twice or not at all: then it is all read again.
    """
    while True:
        family = _family(process)
        total = 0.0
        for each in family:
            with suppress(psutil.NoSuchProcess):
                times = each.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
        if family == _family(process) and not any(map(_ended, family)):
            return total


def waited_seconds(pid: int) -> float:
    """Return how long the first thread of a process was ready to run and had no core (Linux's schedstat)."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except OSError:
        return 0.0


def resident_mb(process: psutil.Process) -> float:
    """Return the resident memory of a process and its children now."""
    total = 0
    for each in _family(process):
        with suppress(psutil.NoSuchProcess):
            total += each.memory_info().rss
    return total / MEGABYTE


def _family(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _ended(process: psutil.Process) -> bool:
    """Tell whether a process has ended: until its parent hears of it, nobody counts its time."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
