"""What a backfill would do, told to people and to machines."""

from collections import defaultdict
from typing import Any

from console.layout import wrapped
from console.printing import print_columns, say
from console.reasons import meaning
from console.rehearsal import Fate, Line, Rehearsal
from outbox.endpoints import Endpoint

_SHOWN = (Fate.TO_SEND, Fate.THERE, Fate.WAITING, Fate.BLOCKED, Fate.CONFLICT, Fate.UNREADABLE, Fate.NOTHING)


def print_rehearsal(told: Rehearsal) -> None:
    """Print it in 80 columns."""
    lines = _lines(told)
    names = ("tenant", "kind", "state", "rows", "cur", "amount", "reason")
    print_columns(
        names,
        [
            (tenant, endpoint, fate, f"{told.rows[line]:,}", currency, f"{told.money[line]:,}", code)
            for line in lines
            for tenant, endpoint, fate, code, currency in [line]
        ],
        right=("tenant", "rows", "amount"),
    )
    for code in dict.fromkeys(line[3] for line in lines if meaning(line[3])):
        say(f"  {code}: {meaning(code)}")
    for (tenant, endpoint), obstacles in sorted(told.obstacles.items()):
        for obstacle in obstacles:
            for text in wrapped(f"{tenant} {endpoint}: {obstacle}", "  "):
                say(text)
    total: dict[Fate, int] = defaultdict(int)
    for line in lines:
        total[line[2]] += told.rows[line]
    said = ", ".join(f"{total[fate]:,} {fate}" for fate in _SHOWN if total[fate])
    say(f"\n{sum(total.values()):,} rows: {said}. Nothing was changed.")


def rehearsed_json(told: Rehearsal) -> dict[str, Any]:
    """Return it for a machine; amounts as text."""
    return {
        "run": None,
        "found": sum(told.rows.values()),
        "parts": [
            {
                "tenant_id": tenant,
                "endpoint": endpoint,
                "state": fate,
                "reason": code or None,
                "currency": currency,
                "rows": told.rows[line],
                "amount": told.money[line],
            }
            for line in _lines(told)
            for tenant, endpoint, fate, code, currency in [line]
        ],
        "obstacles": [
            {"tenant_id": tenant, "endpoint": endpoint, "reason": obstacle}
            for (tenant, endpoint), obstacles in sorted(told.obstacles.items())
            for obstacle in obstacles
        ],
    }


def _lines(told: Rehearsal) -> list[Line]:
    order = tuple(Endpoint)
    return sorted(
        told.rows,
        key=lambda line: (line[0], order.index(line[1]), _SHOWN.index(line[2]), line[3], line[4]),
    )
