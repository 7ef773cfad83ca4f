"""What commands print: columns for people, JSON for machines."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for a machine to read.")]


def say(text: str) -> None:
    """Print a line for a person."""
    typer.echo(text)


def warn(text: str) -> None:
    """Print a line on standard error."""
    typer.echo(text, err=True)


def print_json(value: object) -> None:
    """Print a value as JSON; dates as ISO 8601."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def print_columns(
    names: Sequence[str], rows: Iterable[Sequence[object]], *, right: Collection[str] = ()
) -> None:
    """Print rows under the names of their columns, those `right` to the right; what is none is a dash."""
    table = [[name.upper() for name in names], *([_shown(cell) for cell in row] for row in rows)]
    widths = [max(len(row[at]) for row in table) for at in range(len(names))]
    for row in table:
        cells = (
            cell.rjust(width) if name in right else cell.ljust(width)
            for name, cell, width in zip(names, row, widths, strict=True)
        )
        typer.echo("  ".join(cells).rstrip())


def epilog(examples: Sequence[str], exits: Mapping[int, str], notes: Sequence[str] = ()) -> str:
    """Return the end of a command's help: notes, examples, and what its exit statuses mean."""
    lines = ["\b", *notes, ""] if notes else []
    lines += ["\b", "Examples:" if len(examples) > 1 else "Example:", *(f"  {line}" for line in examples)]
    lines += ["", "\b", "Exit status:", *(f"  {status}  {meaning}" for status, meaning in exits.items())]
    return "\n".join(lines)


def _shown(value: object) -> str:
    match value:
        case None | "" | ():
            return "-"
        case datetime():
            return value.isoformat(sep=" ", timespec="seconds")
        case bool():
            return "yes" if value else "no"
        case tuple() | list():
            return ", ".join(map(str, value))
        case _:
            return " ".join(str(value).split())


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
