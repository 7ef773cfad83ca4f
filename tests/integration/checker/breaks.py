"""Break a world in one way, and say what the checker must name."""

import json
from collections.abc import Callable

import pytest

from deploy.checker import Kind
from tests.integration.checker.world import KEYS, World

Break = Callable[[World], None]


class Breaks:
    """Ways to break a world, each with the one finding that it must give."""

    def __init__(self) -> None:
        self.cases: list[object] = []

    def __call__(self, kind: Kind, number: str) -> Callable[[Break], Break]:
        """Note what the checker must say of a world after the function broke it."""

        def note(break_it: Break) -> Break:
            self.cases.append(pytest.param(kind, number, break_it, id=break_it.__name__))
            return break_it

        return note


def assert_named(world: World, kind: Kind, number: str) -> None:
    """Assert that the checker names this, nothing else, and no key."""
    verdict = world.verdict()
    assert [(finding.kind, finding.number) for finding in verdict.findings] == [(kind, number)], (
        verdict.findings
    )
    assert not verdict.clean
    assert verdict.counts[kind.value] == 1
    assert not any(key in json.dumps([found.detail for found in verdict.findings]) for key in KEYS.values())


def row(world: World, number: str) -> int:
    """Give the id of a sale by its number."""
    found = world.connection.execute(
        "select id from pos_transactions where receipt_no = %s order by blogger_id", [number]
    ).fetchone()
    assert found
    return int(found[0])


def settlement(world: World, number: str) -> int:
    """Give the id of a settlement by its number."""
    found = world.connection.execute(
        "select id from kol_settlements where settlement_no = %s", [number]
    ).fetchone()
    assert found
    return int(found[0])


def put_first(world: World, number: str, after: str | None = None) -> None:
    """Move what concerns a document to the front of the book, or behind another document."""
    stored = world.stored(number)
    own = [entry for entry in world.book if entry.get("request_id") == stored["request_id"]]
    rest = [entry for entry in world.book if entry not in own]
    place = 1 + rest.index(world.stored(after)) if after else 0
    world.book[:] = [*rest[:place], *own, *rest[place:]]


def move(world: World, start: int, place: int) -> None:
    """Move the entries from `start` on to `place`."""
    moved, rest = world.book[start:], world.book[:start]
    world.book[:] = [*rest[:place], *moved, *rest[place:]]


def unask(world: World, request_id: str) -> None:
    """Let a document have landed from a request that the book does not show."""
    world.book[:] = [e for e in world.book if e.get("request_id") != request_id or e["kind"] == "stored"]
