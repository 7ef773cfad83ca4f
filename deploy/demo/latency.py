"""From the till's commit to the document in AiAccount's books, measured from outside."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from pathlib import Path

from deploy.demo.record import Source

_MEASURED = ("pos_invoice", "kol_bill")
_REVERSAL = "-V1"


@dataclass(frozen=True)
class Latency:
    """Percentiles in seconds, of `count` documents."""

    count: int
    p50: float
    p95: float
    p99: float


def measure(book: Path, called_for: Mapping[Source, datetime]) -> Latency | None:
    """Compare when rows called for their invoices and bills with when the book says they were stored.

    A document is counted when it was stored, also where that reply was lost. Reversals are not counted: their
    row called for the document first. None where nothing was stored.
    """
    seconds = sorted(_seconds(_stored(book), called_for))
    if not seconds:
        return None
    return Latency(len(seconds), *(percentile(seconds, part) for part in (50, 95, 99)))


def percentile(ordered: list[float], part: int) -> float:
    """Return the smallest value that this many percent of the values do not exceed."""
    return ordered[max(0, ceil(len(ordered) * part / 100) - 1)]


def _seconds(stored: Iterable[dict[str, str]], called_for: Mapping[Source, datetime]) -> Iterator[float]:
    for line in stored:
        committed_at = called_for.get((line["table"], line["id"]))
        if committed_at is not None:
            yield (datetime.fromisoformat(line["at"]) - committed_at).total_seconds()


def _stored(book: Path) -> Iterator[dict[str, str]]:
    with book.open("rb") as lines:
        for text in lines:
            line = json.loads(text)
            if line["kind"] != "stored" or line["endpoint"] not in _MEASURED:
                continue
            source = line["document"]["source"]
            if not line["number"].endswith(_REVERSAL):
                yield {"at": line["at"], "table": source["table"], "id": source["id"]}
