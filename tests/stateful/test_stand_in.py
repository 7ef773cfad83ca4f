"""The tables in memory against PostgreSQL: the same calls give the same answers and leave the same rows."""

from random import Random
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import pytest

from consumers.steps import Learned, Record, open_pool
from outbox.endpoints import Endpoint
from tests.stateful.both import Both
from tests.stateful.rows import jsonb

SEQUENCES, CALLS = 24, 40
PAUSES = (45.0, 200.0, 4_000.0)
SWEEPS, LESSONS, GATED = 0.6, 0.15, 0.8
NUMBERS = ("N-1", "N-1", "N-2")
DIGEST = "00" * 32


@pytest.mark.parametrize("part", range(4))
async def test_the_stand_in_answers_as_postgresql_does(database: str, part: int) -> None:
    async with open_pool(database, 2) as pool:
        for seed in range(part * SEQUENCES // 4, (part + 1) * SEQUENCES // 4):
            random = Random(seed)
            both = Both(database, pool)
            try:
                both.empty()
                await _sequence(both, random)
            except AssertionError as error:
                raise AssertionError(f"seed {seed}: {error}") from error
            finally:
                both.close()


async def _sequence(both: Both, random: Random) -> None:
    both.add_tenant(random.choice([None, 1]), random.choice([None, 1, 5]))
    for sale_id in (1, 2):
        both.put_sale(sale_id, 50, None)
    for _ in range(CALLS):
        await random.choice(_DONE)(both, random)
        both.compare()


async def _ask_claims(both: Both, random: Random) -> None:
    await both.ask("claims", [_claim(random) for _ in range(random.randint(1, 2))])


async def _ask_reads(both: Both, random: Random) -> None:
    del random
    keys = {(task.endpoint, task.aggregate_id) for task in both.tables.tasks.values()}
    if keys:
        await both.ask("reads", [{"endpoint": key[0], "aggregate_id": key[1]} for key in sorted(keys)])


async def _ask_intents(both: Both, random: Random) -> None:
    await both.ask("intents", [_intent(random) for _ in range(random.randint(1, 2))])


async def _ask_records(both: Both, random: Random) -> None:
    await both.ask("records", [_record(random)])


async def _pass_time(both: Both, random: Random) -> None:
    both.pass_time(random.choice(PAUSES))


async def _sweep_or_wake(both: Both, random: Random) -> None:
    if random.random() < SWEEPS:
        both.sweep()
    else:
        both.wake(1)


async def _change_row(both: Both, random: Random) -> None:
    what = random.choice(["change", "refund", "delete"])
    if what == "change":
        both.put_sale(random.choice([1, 2]), random.choice([50, 60]), None)
    elif what == "refund" and 1 in both.rows.of["pos_transaction"]:
        both.put_sale(3, 10, 1)
    elif what == "delete":
        both.drop_sale(3 if 3 in both.rows.of["pos_transaction"] else 2)


_DONE = (
    *(_ask_claims, _ask_claims, _ask_reads, _ask_intents, _ask_intents, _ask_records, _ask_records),
    *(_pass_time, _change_row, _sweep_or_wake),
)


def _task(random: Random) -> dict[str, Any]:
    """Name a task, with one of the two tokens that are ever claimed for it."""
    endpoint = random.choice(
        [Endpoint.POS_INVOICE, Endpoint.POS_INVOICE, Endpoint.POS_INVOICE, Endpoint.POS_RECEIPT]
    )
    aggregate_id = random.choice([1, 1, 1, 2, 3])
    token = uuid5(NAMESPACE_OID, f"{endpoint} {aggregate_id} {random.choice('ab')}")
    return {"endpoint": endpoint, "aggregate_id": aggregate_id, "token": str(token)}


def _claim(random: Random) -> dict[str, Any]:
    return {**_task(random), "lane": random.choice(["live", "backfill"])}


def _document(random: Random) -> dict[str, Any]:
    return {**_task(random), "company_id": "C-1", "tenant_id": 1, "number": random.choice(NUMBERS)}


def _intent(random: Random) -> dict[str, Any]:
    document = {"number": "N", "amount": random.choice(["1.00", "2.00"])}
    versions = {"key_version": 1, "settings_version": 1, "gated": random.random() < GATED}
    code, value = random.choice([(None, None), ("TAX_CODE_MISSING", "SR")])
    lacks = {"lacks_code": code, "lacks_value": value}
    return {
        **_document(random),
        "document": document,
        "snapshot": jsonb({"a": 1}),
        **versions,
        **lacks,
    }


def _record(random: Random) -> Record:
    """Make a record such as a delivery leaves, and some that only a broken one would."""
    task = _task(random)
    key = {name: task[name] for name in ("endpoint", "aggregate_id")}
    of = {**key, "tenant_id": random.choice([1, 1, None]), "company_id": "C-1", "token": task["token"]}
    known = {**of, "tenant_id": 1}
    woken = [{**key, "endpoint": Endpoint.POS_RECEIPT, "tenant_id": 1}]
    original = random.choice([None, None, 1])
    accepted = random.random() < 0.4
    due_in = random.choice([None, 0.0, 100.0, 4_000.0])
    refused = {
        **known,
        "number": random.choice(NUMBERS),
        "accepted": False,
        "verdict": random.choice(["retry", "block", "park"]),
        "code": "TAX_CODE_MISSING",
        "reason": "why",
        "attempts": random.randint(1, 3),
        "doubt_age": random.choice([None, 100.0]),
        "next_in": random.choice([None, 3_600.0]),
    }
    stop = {
        "tenant_id": 1,
        "stopped": random.choice(["*", Endpoint.POS_INVOICE]),
        "code": "API_KEY_INVALID",
        "reason": "no",
        "key_version": 1,
        "settings_version": random.choice([1, 2]),
    }
    return Record(
        released={
            **of,
            "settings_version": random.choice([None, 1, 2]),
            "digest": random.choice([None, DIGEST]),
            "trouble_code": None,
            "trouble": None,
            "due_in": due_in,
            "original_id": original,
            "original_accepted": random.choice([0, 1]) if original else 0,
        },
        touched=[{**key, "tenant_id": of["tenant_id"]}, *(woken if accepted else [])],
        accepted=[
            {
                **known,
                "number": NUMBERS[0],
                "document": {"number": "N"},
                "snapshot": jsonb({"a": 1}),
                "remote_id": "7",
            }
        ]
        if accepted
        else [],
        fresh=[{**refused, "number": "N-3", "doubt_age": None}] if random.random() < 0.3 else [],
        noted=[refused] if random.random() < 0.5 else [],
        woken=woken if accepted else [],
        learned=_learned(random, [stop] if random.random() < LESSONS else []),
    )


def _learned(random: Random, stops: list[dict[str, Any]]) -> Learned:
    """Make what attempts may teach: mostly nothing."""
    refusal = {"tenant_id": 1, "endpoint": Endpoint.POS_INVOICE, "code": "TAX_CODE_MISSING", "value": "SR"}
    outage = {"endpoint": Endpoint.POS_INVOICE, "reason": "down"}
    return Learned(
        stops=stops,
        limits=_perhaps(random, {"tenant_id": 1, "seconds": random.choice([100.0, 3_000.0])}),
        outages=_perhaps(random, outage),
        recovered=_perhaps(random, outage) or _perhaps(random, outage),
        refusals=_perhaps(random, {**refusal, "reason": "no"}) * random.choice([1, 2]),
        passed=_perhaps(random, refusal),
    )


def _perhaps(random: Random, row: dict[str, Any]) -> list[dict[str, Any]]:
    return [row] if random.random() < LESSONS else []
