"""Put the sandbox back to where its book ends, so that a restart loses nothing."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.sandbox.books import Books, Stored
from deploy.sandbox.company import read_company
from deploy.sandbox.endpoint import ENDPOINTS
from deploy.sandbox.money import minor_units, read_money
from deploy.sandbox.registry import Registry


@dataclass(slots=True)
class Restored:
    """What a book holds. `unanswered` are requests that the process died over."""

    books: Books = field(default_factory=Books)
    registry: Registry = field(default_factory=Registry)
    lines: int = 0
    requests: int = 0
    unanswered: list[str] = field(default_factory=list)


def restore(path: Path) -> Restored:
    """Read a book, if there is one; a last line that was cut off when the process died is removed."""
    restored = Restored()
    if not path.exists():
        return restored
    _cut_torn_line(path)
    open_requests: dict[str, None] = {}
    with path.open(encoding="utf-8", newline="\n") as book:
        for text in book:
            line = json.loads(text)
            restored.lines = line["n"]
            match line["kind"]:
                case "request":
                    restored.requests += 1
                    open_requests[line["request_id"]] = None
                case "reply":
                    open_requests.pop(line["request_id"], None)
                case "stored":
                    restored.books.restore(stored_from(line), ENDPOINTS[line["endpoint"]])
                case "admin" if line["what"] == "company":
                    detail = dict(line["detail"])
                    restored.registry.put(read_company(detail["company_id"], detail, None))
    restored.unanswered = list(open_requests)
    return restored


def stored_from(line: dict[str, Any]) -> Stored:
    """Return the document that a `stored` line tells of."""
    document = line["document"]
    currency = document["currency"]
    total_text = document["amount"] if "amount" in document else document["totals"]["total"]
    return Stored(
        identity=(line["company_id"], line["endpoint"], line["number"], line["contact_code"]),
        document_id=line["document_id"],
        document_type=document["document_type"],
        currency=currency,
        date=document["date"],
        total=read_money(total_text, minor_units(currency)) or 0,
        total_text=total_text,
        json=json.dumps(document),
    )


def _cut_torn_line(path: Path) -> None:
    with path.open("rb+") as book:
        size = book.seek(0, 2)
        step = 65536
        end = size
        while end > 0:
            start = max(0, end - step)
            book.seek(start)
            found = book.read(end - start).rfind(b"\n")
            if found >= 0:
                book.truncate(start + found + 1)
                return
            end = start
        book.truncate(0)
