"""Doubt: a document that may exist is never forgotten, whatever happens in between.

It ends when the document is accepted, is in conflict, or is refused and a look two minutes or more later
finds nothing.
"""

from collections.abc import Awaitable, Callable

import pytest

from consumers import pushing
from consumers.schedule import DAY, PARK_AFTER
from tests.integration.delivery.test_retry import pass_by
from tests.integration.delivery.world import INVOICE, World

NUMBER = "POS2026050100001"
Happening = Callable[[World, int], Awaitable[None]]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let quick retries follow at once."""
    monkeypatch.setattr(pushing, "FIRST_WAIT", 0.0)


async def in_doubt(world: World, *, stored: bool) -> int:
    """Push an unpaid sale into doubt, stored by AiAccount or not, and let AiAccount be down from then on."""
    sale = await world.sale(paid=False)
    behaviour = "created_then_500" if stored else "reset_before_storing"
    world.fault(behaviour, times=3)
    await world.deliver(INVOICE, sale)
    assert (await world.document(NUMBER))["state"] == "in doubt"
    assert world.stored() == ([NUMBER] if stored else [])
    world.fault("status", status=503, id="down", match={"method": "POST"})
    return sale


async def again(world: World, sale: int, seconds: float = 4000) -> None:
    """Let time pass, and deliver by a process that has only just begun."""
    await pass_by(world, seconds)
    await world.deliver(INVOICE, sale)


async def changed(world: World, assignments: str) -> None:
    await world.sql(f"update pos_transactions set {assignments}")


async def voided(world: World, _: int) -> None:
    await changed(world, "status = 'voided', voided_at = '2026-05-02T04:00:00Z'")


async def reopened(world: World, _: int) -> None:
    await changed(world, "status = 'open', completed_at = null")


async def amended(world: World, _: int) -> None:
    await changed(world, "subtotal = 60, total_amount = 60")
    await world.sql("update pos_transaction_items set unit_price = 30, line_total = 60")


async def renumbered(world: World, _: int) -> None:
    await changed(world, "receipt_no = 'POS2026050100099'")


async def deleted(world: World, _: int) -> None:
    await world.sql("delete from pos_transactions")


async def given_a_new_key(world: World, _: int) -> None:
    await world.set_key(world.key, 2)


async def given_new_settings(world: World, _: int) -> None:
    await world.sql(
        "update aiaccount.tenants set codes = codes - 'tax:none:0', cutover_date = '2026-12-01', "
        "settings_version = settings_version + 1"
    )


async def refused_by_the_books(world: World, sale: int) -> None:
    world.sandbox.clear_faults("down")
    world.fault("status", status=422, code="TAX_CODE_MISSING", times=1)
    await again(world, sale, 10)
    assert (await world.document(NUMBER))["code"] == "TAX_CODE_MISSING"


async def refused_as_wrong(world: World, sale: int) -> None:
    world.sandbox.clear_faults("down")
    world.fault("status", status=422, code="VALIDATION_FAILED", times=1)
    await again(world, sale, 10)
    assert (await world.document(NUMBER))["state"] == "parked"


async def refused_for_its_key(world: World, sale: int) -> None:
    world.sandbox.clear_faults("down")
    world.fault("status", status=401, code="API_KEY_INVALID", times=1)
    await again(world, sale)
    assert (await world.document(NUMBER))["code"] == "API_KEY_INVALID"
    await again(world, sale)
    await world.set_key(world.key, 2)


async def limited(world: World, sale: int) -> None:
    world.sandbox.clear_faults("down")
    world.fault("rate_limited", times=1)
    await again(world, sale)
    assert (await world.document(NUMBER))["code"] == "RATE_LIMITED"


async def failing_for_72_hours(world: World, sale: int) -> None:
    await again(world, sale, PARK_AFTER)
    assert (await world.document(NUMBER))["state"] == "parked"


async def left_and_back(world: World, sale: int) -> None:
    await world.sql("update aiaccount.tenants set active = false")
    await again(world, sale)
    await world.sql("update aiaccount.tenants set active = true")


HAPPENINGS: list[Happening] = [
    voided,
    reopened,
    amended,
    renumbered,
    deleted,
    given_a_new_key,
    given_new_settings,
    refused_by_the_books,
    refused_as_wrong,
    refused_for_its_key,
    limited,
    failing_for_72_hours,
    left_and_back,
]


@pytest.mark.parametrize("stored", [True, False], ids=["stored", "not stored"])
@pytest.mark.parametrize("happening", HAPPENINGS, ids=lambda happening: happening.__name__)
async def test_what_happens_in_between_never_forgets_a_document_that_may_exist(
    world: World, happening: Happening, *, stored: bool
) -> None:
    sale = await in_doubt(world, stored=stored)
    first = world.posts()[0]["body"]
    await happening(world, sale)
    assert (await world.document(NUMBER))["may_exist"], "it is remembered"
    world.sandbox.clear_faults()
    for _ in range(3):
        await again(world, sale, DAY + 1)
    row = await world.document(NUMBER)
    assert row["accepted_at"] is not None, "and it is found out"
    assert not row["may_exist"]
    assert world.stored().count(NUMBER) == 1
    assert {**row["document"], "company_name": ""} == {**first, "company_name": ""}, "as it was first sent"


@pytest.mark.parametrize(
    "happening", [voided, reopened, amended, deleted, given_a_new_key, failing_for_72_hours]
)
async def test_a_refusal_and_a_look_that_finds_nothing_end_the_doubt_and_the_row_has_its_way(
    world: World, happening: Happening
) -> None:
    sale = await in_doubt(world, stored=False)
    await happening(world, sale)
    world.sandbox.clear_faults("down")
    world.fault("status", status=422, code="PERIOD_LOCKED", match={"method": "POST"}, id="locked")
    await again(world, sale, DAY + 1)
    row = await world.document(NUMBER)
    assert not row["may_exist"]
    assert row["accepted_at"] is None
    assert world.stored() == []
    world.sandbox.clear_faults("locked")
    await again(world, sale, DAY + 1)
    gone = happening in (voided, reopened, deleted)
    row = await world.document(NUMBER)
    assert (row["state"], row["may_exist"]) == (("skipped" if gone else "pushed"), False)
    assert world.stored() == ([] if gone else [NUMBER])


@pytest.mark.parametrize("stored", [True, False], ids=["stored", "not stored"])
async def test_a_conflict_ends_the_doubt_and_waits_for_a_person(world: World, *, stored: bool) -> None:
    sale = await in_doubt(world, stored=stored)
    world.sandbox.clear_faults("down")
    world.fault("status", status=409, code="DOCUMENT_CONFLICT")
    await again(world, sale)
    row = await world.document(NUMBER)
    assert (row["state"], row["may_exist"]) == ("conflict", False)
    assert (await world.task(INVOICE, sale))["due_at"] is None


@pytest.mark.parametrize("seconds", [0, 60, 110])
async def test_a_look_sooner_than_two_minutes_after_the_last_attempt_proves_nothing(
    world: World, seconds: float
) -> None:
    sale = await in_doubt(world, stored=False)
    world.sandbox.clear_faults("down")
    world.fault("status", status=422, code="PERIOD_LOCKED", match={"method": "POST"})
    await world.sql("update aiaccount.documents set next_at = clock_timestamp()")
    await world.sql(
        "update aiaccount.documents set doubt_at = doubt_at - %s * interval '1 second'", [seconds]
    )
    await world.deliver(INVOICE, sale)
    row = await world.document(NUMBER)
    assert (row["state"], row["may_exist"]) == ("in doubt", True)
    counts = world.sandbox.counts()
    assert [c for c in counts if c["company_id"] == world.company_id and c["method"] == "GET"] == []
    due = (await world.task(INVOICE, sale))["due_in"]
    assert 115 - seconds < due <= 121 - seconds, "it is tried again when a look can prove something"
