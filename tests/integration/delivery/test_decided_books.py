"""The checker, which shares no code with us, finds the books right after a decision, and sees mistakes."""

import copy
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from deploy.checker import Kind, Verdict, check, render
from tests.integration.delivery.test_decisions import N, accept, amend, forgotten, look, posted, run
from tests.integration.delivery.world import World

Line = dict[str, Any]
Break = Callable[[list[Line]], None]


def ours(world: World) -> list[Line]:
    """Return what the sandbox's book says of our company."""
    with world.sandbox.book.open(encoding="utf-8") as book:
        lines = [json.loads(line) for line in book]
    return [line for line in lines if world.company_id in {line.get("company_id"), line.get("key_company")}]


def judged(world: World, folder: Path, broken: Break = lambda _: None) -> Verdict:
    """Have the books checked, after something in them was broken."""
    lines = ours(world)
    broken(lines)
    path = folder / "book.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), "utf-8")
    return check(world.database, path)


def stored(lines: list[Line], number: str) -> Line:
    """Return the line of a stored document."""
    return next(line for line in lines if line["kind"] == "stored" and line["number"] == number)


async def reissued(world: World) -> int:
    """Give a sale that was posted, amended and issued anew."""
    sale = await posted(world)
    await amend(world, sale)
    await run(world, "resolve", N, "--reissue")
    await world.drain()
    return sale


async def test_what_was_issued_anew_once_and_twice_is_right(world: World, tmp_path: Path) -> None:
    sale = await reissued(world)
    verdict = judged(world, tmp_path)
    assert verdict.clean, render(verdict)
    await amend(world, sale, "30.00")
    await run(world, "resolve", f"{N}-A1", "--reissue")
    await world.drain()
    verdict = judged(world, tmp_path)
    assert verdict.clean, render(verdict)


async def test_what_was_accepted_is_right_until_the_row_changes_again(world: World, tmp_path: Path) -> None:
    sale = await posted(world)
    await amend(world, sale)
    await run(world, "resolve", N, "--accept")
    await world.drain()
    verdict = judged(world, tmp_path)
    assert verdict.clean, render(verdict)
    await world.sql("update pos_transaction_items set unit_price = 15, line_total = 30")
    await world.sql("update pos_transactions set subtotal = 30, total_amount = 30, amount_paid = 30")
    assert {one.number for one in judged(world, tmp_path).wrong} == {N, f"{N}-R1"}


async def test_what_was_adopted_is_right_until_the_row_changes_and_when_it_was_voided(
    world: World, tmp_path: Path
) -> None:
    sale = await forgotten(world)
    await accept(world, N)
    await accept(world, f"{N}-R1")
    verdict = judged(world, tmp_path)
    assert verdict.clean, render(verdict)
    await world.sql("update pos_transactions set status = 'voided', voided_at = now() where id = %s", [sale])
    await look(world, sale)
    verdict = judged(world, tmp_path)
    assert verdict.clean, render(verdict)


async def test_what_was_reversed_since_its_row_is_gone_is_right(world: World, tmp_path: Path) -> None:
    sale = await posted(world)
    await world.sql("delete from pos_transactions where id = %s", [sale])
    await look(world, sale)
    await run(world, "resolve", N, "--reverse")
    await world.drain()
    verdict = judged(world, tmp_path)
    assert verdict.clean, render(verdict)


def without(number: str) -> Break:
    """Take a stored document out of the book."""

    def broken(lines: list[Line]) -> None:
        lines.remove(stored(lines, number))

    return broken


def twice(number: str) -> Break:
    """Store a document twice."""

    def broken(lines: list[Line]) -> None:
        lines.append(copy.deepcopy(stored(lines, number)))

    return broken


def otherwise(number: str, **changes: Any) -> Break:
    """Let a document say something else."""

    def broken(lines: list[Line]) -> None:
        stored(lines, number)["document"].update(changes)

    return broken


def last(number: str) -> Break:
    """Let a document come last."""

    def broken(lines: list[Line]) -> None:
        line = stored(lines, number)
        lines.remove(line)
        lines.append(line)

    return broken


@pytest.mark.parametrize(
    ("broken", "kind", "number"),
    [
        (without(f"{N}-V1"), Kind.LOST, f"{N}-V1"),
        (without(f"{N}-R1X"), Kind.LOST, f"{N}-R1X"),
        (without(f"{N}-A1"), Kind.LOST, N),
        (without(f"{N}-S1"), Kind.LOST, f"{N}-R1"),
        (twice(f"{N}-V1"), Kind.DOUBLED, f"{N}-V1"),
        (twice(f"{N}-A1"), Kind.DOUBLED, N),
        (otherwise(f"{N}-V1", currency="SGD"), Kind.WRONG, f"{N}-V1"),
        (otherwise(f"{N}-R1X", amount="-49.00"), Kind.WRONG, f"{N}-R1X"),
        (
            otherwise(f"{N}-R1X", allocations=[{"invoice_number": N, "amount": "-50.00"}]),
            Kind.WRONG,
            f"{N}-R1X",
        ),
        (otherwise(f"{N}-A1", date="2026-05-09"), Kind.WRONG, N),
        (otherwise(f"{N}-S1", amount=str(Decimal(41))), Kind.WRONG, f"{N}-R1"),
        (last(f"{N}-V1"), Kind.REORDERED, N),
        (last(f"{N}-A1"), Kind.REORDERED, f"{N}-R1"),
    ],
)
async def test_a_mistake_in_what_was_issued_anew_is_found(
    world: World, tmp_path: Path, broken: Break, kind: Kind, number: str
) -> None:
    await reissued(world)
    verdict = judged(world, tmp_path, broken)
    assert number in {one.number for one in verdict.of(kind)}, render(verdict)
