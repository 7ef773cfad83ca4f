"""What the demo shows: steps with their times, the day as it goes, tables; plain lines into a pipe."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.text import Text

WIDTH = 80
_NAME, _ABOUT = 22, 46
_BAR = 24
_INDENT = 2
_PLAIN_SECONDS = 3.0


class Screen:
    """Writes at most 80 columns to the terminal, or to a pipe without colours and movement."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self.console.width = min(WIDTH, self.console.width)
        self._live: Live | None = None
        self._said_at = 0.0

    def heading(self, text: str) -> None:
        """Begin a part."""
        self.console.print(f"\n[bold]{escape(text)}[/bold]")

    def say(self, text: str, style: str = "") -> None:
        """Print lines as they are."""
        self.console.print(Text(text, style=style), soft_wrap=True)

    def tell(self, sentences: str) -> None:
        """Print a paragraph, indented and broken between words."""
        for line in _broken(sentences, self.console.width - _INDENT):
            self.console.print(Text(" " * _INDENT + line))

    @contextmanager
    def step(self, name: str, about: str) -> Iterator[None]:
        """Show a step while it is done, and how long it took when it is."""
        began = time.monotonic()
        line = f"  {set_cell_size(name, _NAME)}{set_cell_size(about, _ABOUT)}"
        with self.console.status(Text(f"{name}: {about} ...")):
            yield
        self.console.print(Text(f"{line}{time.monotonic() - began:>8.1f} s"))

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Keep a line that `progress` renews while something goes on."""
        self._said_at = 0.0
        if not self.console.is_terminal:
            yield
            return
        with Live(console=self.console, refresh_per_second=8, transient=True) as self._live:
            yield
        self._live = None

    def progress(self, part: float, text: str) -> None:
        """Renew the line: a part from 0 to 1 of the whole, and what is to be said."""
        if self._live is not None:
            full = round(min(1.0, part) * _BAR)
            self._live.update(Text(f"  {'━' * full}{'╌' * (_BAR - full)}  {text}"))
        elif time.monotonic() - self._said_at >= _PLAIN_SECONDS:
            self._said_at = time.monotonic()
            self.say(f"  {text}")

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print columns: the first to the left, the others to the right."""
        widths = [max(cell_len(row[place]) for row in (head, *rows)) for place in range(len(head))]
        self.console.print(Text(_row(head, widths), style="dim"))
        for row in rows:
            self.console.print(Text(_row(row, widths)))

    def facts(self, rows: Sequence[tuple[str, str]], width: int) -> None:
        """Print what stands on the left beside what it means, broken at the line's end."""
        for left, meaning in rows:
            for place, line in enumerate(_broken(meaning, self.console.width - width - 4)):
                self.console.print(Text(f"  {set_cell_size('' if place else left, width)}  {line}"))


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (
        cell + " " * (width - cell_len(cell)) if place == 0 else " " * (width - cell_len(cell)) + cell
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  " + "  ".join([first, *others])


def _broken(text: str, width: int) -> list[str]:
    """Break a text between words."""
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".strip()
        if cell_len(joined) > width and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = joined
    return lines
