"""The sandbox's book as the fault tests read it: what was asked, and what was asked again."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

Line = dict[str, Any]


def lines(book: Path, kind: str) -> list[Line]:
    """Return the lines of one kind that stand in the book by now, whole ones only."""
    whole = book.read_bytes().rpartition(b"\n")[0]
    return [line for text in whole.splitlines() if (line := json.loads(text))["kind"] == kind]


def pushes(book: Path) -> list[Line]:
    """Return the requests that pushed a document."""
    return [line for line in lines(book, "request") if line["method"] == "POST" and line["body"] is not None]


def repeated(book: Path) -> list[str]:
    """Return the numbers that were pushed more than once."""
    asked = Counter((line["endpoint"], line["key_company"], line["body"]["number"]) for line in pushes(book))
    return [number for (_, _, number), times in asked.items() if times > 1]


def duplicates(book: Path) -> list[Line]:
    """Return the replies that said: it stands here already."""
    return [line for line in lines(book, "reply") if line["code"] == "duplicate"]


def played(book: Path, fault: str) -> list[Line]:
    """Return the replies that this fault spoilt."""
    return [line for line in lines(book, "reply") if line["fault"] == fault]
