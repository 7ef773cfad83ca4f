"""Search for API keys in clear: in the book, in every table of ours, in files and texts."""

import base64
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from deploy.checker.statements import statement
from deploy.checker.verdict import Finding, Kind

BLOCK = 1 << 20


def forms(canaries: Iterable[str]) -> Mapping[str, tuple[bytes, ...]]:
    """Name each canary, never by itself, and give its forms: as it is, hex, Base64."""
    named: dict[str, tuple[bytes, ...]] = {}
    for place, canary in enumerate(canaries, 1):
        if not canary:
            raise ValueError("an empty canary is found everywhere")
        raw = canary.encode()
        encoded = base64.b64encode(raw).rstrip(b"=")[:-1]
        named[f"canary {place}"] = (raw, raw.hex().encode(), *([encoded] if len(encoded) > 7 else []))  # noqa: PLR2004 - shorter is found by chance
    return named


def _blocks(pieces: Iterable[bytes], overlap: int) -> Iterator[bytes]:
    tail, held, size = b"", [], 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= BLOCK:
            block = tail + b"".join(held)
            yield block
            tail, held, size = block[-overlap:], [], 0
    yield tail + b"".join(held)


def search(place: str, pieces: Iterable[bytes], named: Mapping[str, tuple[bytes, ...]]) -> list[Finding]:
    """Find which canaries stand anywhere in a stream of bytes, over the joints of its pieces too."""
    if not named:
        return []
    longest = max(len(form) for shapes in named.values() for form in shapes)
    found: dict[str, None] = {}
    for block in _blocks(pieces, longest):
        for name, shapes in named.items():
            if name not in found and any(form in block for form in shapes):
                found[name] = None
    return [Finding(Kind.SECRET, place, f"{name} stands here in clear") for name in found]


def read(path: Path) -> Iterator[bytes]:
    """Read a file in pieces."""
    with path.open("rb") as file:
        while piece := file.read(BLOCK):
            yield piece


def _rows(connection: psycopg.Connection, table: str) -> Iterator[bytes]:
    query = sql.SQL("copy (select t::text from aiaccount.{} t) to stdout").format(sql.Identifier(table))
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        for piece in copy:
            yield bytes(piece)


def in_tables(connection: psycopg.Connection, named: Mapping[str, tuple[bytes, ...]]) -> list[Finding]:
    """Search every table of schema aiaccount, all columns, as text."""
    if not named:
        return []
    tables = [row[0] for row in connection.execute(statement("secrets.sql", "tables")).fetchall()]
    return [
        finding
        for table in tables
        for finding in search(f"aiaccount.{table}", _rows(connection, table), named)
    ]


def in_texts(texts: Iterable[str | Path], named: Mapping[str, tuple[bytes, ...]]) -> list[Finding]:
    """Search texts, and files: a path to a directory means every file below it."""
    found: list[Finding] = []
    for place, text in enumerate(texts, 1):
        if isinstance(text, str):
            found += search(f"text {place}", [text.encode()], named)
            continue
        paths = sorted(path for path in text.rglob("*") if path.is_file()) if text.is_dir() else [text]
        for path in paths:
            found += search(path.name, read(path), named)
    return found
