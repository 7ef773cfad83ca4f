"""The demo plays a day to a clean verdict, and leaves nothing behind however it ends."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from deploy.servers.process import alive, family
from tests.waiting import wait_for

CLEAN = "0 lost, 0 doubled, 0 reordered, 0 misdirected, 0 wrong, 0 secrets"
SECONDS = 150.0
ENDING_SECONDS = 45.0


@dataclass
class Demo:
    """A demo under way: its process, what it printed, and every process that it was seen to start."""

    process: subprocess.Popen[str]
    printed: Path
    started: set[psutil.Process] = field(default_factory=set)

    def says(self, text: str) -> bool:
        """Note what it has started so far, and tell whether it has printed a text, or ended."""
        self.started.update(family(self.process.pid)[1:])
        return text in self.printed.read_text("utf-8") or self.process.poll() is not None

    def child(self, command: str) -> psutil.Process:
        """Return the process that runs this command of ours."""
        return next(it for it in self.started if it.is_running() and command in it.cmdline())

    def ended(self, seconds: float) -> int:
        """Wait until it ends, and return its exit status."""
        wait_for(lambda: self.says("\0") and self.process.poll() is not None, seconds, "the demo to end")
        return self.process.wait()

    def left(self) -> list[psutil.Process]:
        """Return which of the processes that it started still run."""
        return [it for it in self.started if alive(it)]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder for temporary files that PostgreSQL's user can reach too."""
    with tempfile.TemporaryDirectory(prefix="demo-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@contextmanager
def playing(folder: Path, tmp_path: Path, *options: str) -> Iterator[Demo]:
    """Start the demo with its temporary files in `folder`."""
    printed = tmp_path / "printed"
    with printed.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.demo", *options],
            env={**os.environ, "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    try:
        yield Demo(process, printed)
    finally:
        process.kill()
        process.wait()


def test_a_day_ends_with_a_clean_verdict_and_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    with playing(folder, tmp_path, "--sales", "60") as demo:
        status = demo.ended(SECONDS)
        said = demo.printed.read_text("utf-8")
        assert status == 0, said
        assert f"  {CLEAN}\n" in said
        assert "0 pending" in said
        assert "p50 " in said
        assert max(len(line) for line in said.splitlines()) <= 80
        assert len(demo.started) >= 5
        assert demo.left() == []
    assert list(folder.iterdir()) == []


def test_a_day_that_is_stopped_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    with playing(folder, tmp_path, "--sales", "200") as demo:
        wait_for(lambda: demo.says("documents posted"), SECONDS, "the day to begin")
        demo.process.send_signal(signal.SIGINT)
        assert demo.ended(ENDING_SECONDS) == 130, demo.printed.read_text("utf-8")
        assert demo.left() == []
    assert list(folder.iterdir()) == []


def test_a_relay_that_dies_is_named_and_nothing_is_left(folder: Path, tmp_path: Path) -> None:
    with playing(folder, tmp_path, "--sales", "200") as demo:
        wait_for(lambda: demo.says("documents posted"), SECONDS, "the day to begin")
        demo.child("relay").kill()
        assert demo.ended(ENDING_SECONDS) == 1
        assert "relay ended by itself" in demo.printed.read_text("utf-8")
        assert demo.left() == []
    assert list(folder.iterdir()) == []
