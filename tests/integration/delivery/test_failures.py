"""What does not go well: each ends in a state with its reason and a deadline, and what mends it heals it."""

import asyncio
from functools import partial

import psycopg
import pytest
from sqlalchemy import create_engine

from consumers.schedule import PROBE_AFTER
from consumers.vault import PURPOSE, seal
from outbox.credentials import store
from tests.integration.delivery.world import INVOICE, NAME, RECEIPT, TENANT, World, keys

NUMBER = "POS2026050100001"
HOUR, DAY = 3600, 86_400


async def due_now(world: World) -> None:
    """Let the time of every document and task come."""
    await world.sql("update aiaccount.documents set next_at = clock_timestamp() where next_at is not null")
    await world.sql("update aiaccount.tasks set due_at = clock_timestamp() where due_at is not null")


async def age(world: World, seconds: int) -> None:
    """Let attempts of unknown outcome be older."""
    await world.sql(
        "update aiaccount.documents set doubt_at = doubt_at - %s * interval '1 second'", [seconds]
    )


@pytest.mark.parametrize(
    ("behaviour", "given"),
    [
        ("created_then_500", {}),
        ("reset_after_storing", {}),
        ("reset_before_storing", {}),
        ("half_reply", {}),
        ("html", {}),
        ("no_document_id", {}),
        ("empty", {}),
        ("invalid_json", {}),
        ("huge_body", {}),
        ("redirect", {}),
        ("status", {"status": 503}),
    ],
)
async def test_what_may_have_arrived_is_sent_again_until_it_is_known(
    world: World, behaviour: str, given: dict[str, int]
) -> None:
    sale = await world.sale()
    world.fault(behaviour, times=3, **given)
    await world.deliver(INVOICE, sale)
    row = await world.document(NUMBER)
    assert row["state"] == "in doubt"
    assert row["verdict"] == "retry"
    assert 0 < (await world.task(INVOICE, sale))["due_in"] <= 10
    assert len({post["idempotency_key"] for post in world.posts()}) == 1
    await due_now(world)
    await world.drain()
    assert world.stored() == [NUMBER, f"{NUMBER}-R1"]


async def test_a_quick_failure_is_retried_in_place(world: World) -> None:
    sale = await world.sale()
    world.fault("status", status=500, times=2)
    await world.deliver(INVOICE, sale)
    assert (await world.document(NUMBER))["state"] == "pushed"
    assert len(world.posts()) == 3


async def test_a_missing_tax_code_blocks_and_is_healed(world: World) -> None:
    sale = await world.sale()
    world.sandbox.patch_company(world.company_id, tax_codes=[])
    await world.deliver(INVOICE, sale)
    row = await world.document(NUMBER)
    assert (row["state"], row["code"], row["may_exist"]) == ("blocked", "TAX_CODE_MISSING", False)
    assert "NT" in row["reason"]
    assert 0.9 * PROBE_AFTER < (await world.task(INVOICE, sale))["due_in"] <= 1.1 * PROBE_AFTER
    world.sandbox.patch_company(world.company_id, tax_codes=["NT"])
    await due_now(world)
    await world.drain()
    assert world.stored() == [NUMBER, f"{NUMBER}-R1"]


async def test_a_refusal_after_a_doubt_leaves_it_in_doubt_until_a_look_finds_nothing(world: World) -> None:
    sale = await world.sale()
    world.fault("reset_before_storing", times=3)
    await world.deliver(INVOICE, sale)
    world.sandbox.patch_company(world.company_id, tax_codes=[])
    await due_now(world)
    await world.deliver(INVOICE, sale)
    row = await world.document(NUMBER)
    assert (row["state"], row["code"]) == ("in doubt", "TAX_CODE_MISSING")
    assert 100 < (await world.task(INVOICE, sale))["due_in"] < 130

    await age(world, 121)
    await due_now(world)
    await world.deliver(INVOICE, sale)
    row = await world.document(NUMBER)
    assert (row["state"], row["may_exist"]) == ("blocked", False)


async def test_a_late_landing_is_found_by_the_look(world: World) -> None:
    sale = await world.sale()
    world.fault("created_then_500", times=3)
    await world.deliver(INVOICE, sale)
    await age(world, 121)
    world.fault("status", status=422, code="PERIOD_LOCKED", times=1)
    await due_now(world)
    await world.deliver(INVOICE, sale)
    row = await world.document(NUMBER)
    assert row["state"] == "pushed"
    assert world.stored() == [NUMBER]


async def test_too_many_calls_wait_as_told_and_count_no_attempt(world: World) -> None:
    sale = await world.sale()
    world.fault("rate_limited", form="seconds", retry_after=77, times=1)
    await world.deliver(INVOICE, sale)
    row = await world.document(NUMBER)
    assert (row["state"], row["code"], row["attempts"]) == ("retrying", "RATE_LIMITED", 0)
    assert 70 < (await world.task(INVOICE, sale))["due_in"] <= 77
    await world.sql("update pos_transactions set cashier_id = 9")
    await world.deliver(INVOICE, sale)
    assert len(world.posts()) == 1, "a row that changes does not cut the wait short"


async def test_a_tenant_that_called_too_often_waits_with_all_its_documents(world: World) -> None:
    first, second = await world.sale(), await world.sale("POS2026050100002")
    world.fault("rate_limited", form="seconds", retry_after=77, times=1)
    tools = world.tools()
    for sale in (first, second):
        claim = await world.claim(INVOICE, sale, tools)
        assert claim is not None
        await world.carry_out(claim, tools)
    assert len(world.posts()) == 1
    row = await world.document("POS2026050100002")
    assert (row["state"], row["code"], row["attempts"]) == ("retrying", "RATE_LIMITED", 0)
    assert 70 < (await world.task(INVOICE, second))["due_in"] <= 83


async def test_what_cannot_be_recorded_parks_the_row_and_is_not_sent_again_at_every_claims_end(
    world: World,
) -> None:
    sale = await world.sale()
    tools = world.tools()
    record = tools.steps.records.ask
    failed: list[object] = []

    async def ask(row: object) -> bool:
        if not failed:
            failed.append(row)
            raise ValueError("a value that the database does not take")
        return await record(row)  # type: ignore[arg-type]

    tools.steps.records.ask = ask  # type: ignore[method-assign, assignment]
    claim = await world.claim(INVOICE, sale, tools)
    assert claim is not None
    await world.carry_out(claim, tools)
    task = await world.task(INVOICE, sale)
    assert (task["trouble_code"], task["token"]) == ("RECORD_FAILED", None)
    assert 0.9 * DAY < task["due_in"] <= DAY
    assert (await world.document(NUMBER))["may_exist"], "it was sent: the doubt is kept"


async def test_settings_that_change_while_a_first_delivery_reads_are_looked_at_again(world: World) -> None:
    sale = await world.sale()
    await world.sql("update aiaccount.tenants set cutover_date = '2026-12-01'")
    tools = world.tools()
    record = tools.steps.records.ask

    async def ask(row: object) -> bool:
        await world.sql(
            "update aiaccount.tenants set cutover_date = '2026-01-01', "
            "settings_version = settings_version + 1"
        )
        return await record(row)  # type: ignore[arg-type]

    tools.steps.records.ask = ask  # type: ignore[method-assign, assignment]
    claim = await world.claim(INVOICE, sale, tools)
    assert claim is not None
    await world.carry_out(claim, tools)
    assert (await world.document(NUMBER))["code"] == "BEFORE_CUTOVER"
    assert (await world.task(INVOICE, sale))["due_in"] <= 0
    await world.drain()
    assert (await world.document(NUMBER))["state"] == "pushed"


async def test_settings_that_are_being_changed_at_a_first_release_are_looked_at_again(world: World) -> None:
    sale = await world.sale()
    async with await psycopg.AsyncConnection.connect(world.database) as changing:
        await changing.execute("update aiaccount.tenants set settings_version = settings_version + 1")
        await world.deliver(INVOICE, sale)
        await changing.commit()
    assert (await world.task(INVOICE, sale))["due_in"] <= 0


async def test_a_changed_row_is_due_at_once(world: World) -> None:
    sale = await world.sale()
    world.sandbox.patch_company(world.company_id, tax_codes=[])
    await world.deliver(INVOICE, sale)
    await world.deliver(INVOICE, sale)
    assert len(world.posts()) == 1, "what is not yet due is left alone"
    await world.sql("update pos_transactions set cashier_id = 9")
    await world.deliver(INVOICE, sale)
    assert len(world.posts()) == 2


async def test_other_content_under_the_number_waits_for_a_person(world: World) -> None:
    sale = await world.sale()
    world.fault("status", status=409, code="DOCUMENT_CONFLICT", times=1)
    await world.deliver(INVOICE, sale)
    await world.deliver(RECEIPT, sale)
    row = await world.document(NUMBER)
    assert (row["state"], row["may_exist"]) == ("conflict", False)
    assert (await world.task(INVOICE, sale))["due_at"] is None
    assert (await world.document(f"{NUMBER}-R1"))["state"] == "waiting"


@pytest.mark.parametrize(
    ("status", "code", "stopped"),
    [
        (401, "API_KEY_INVALID", "*"),
        (403, "SUBSCRIPTION_INACTIVE", "*"),
        (404, "COMPANY_NOT_FOUND", "*"),
        (403, "SCOPE_MISSING", "pos_invoice"),
    ],
)
async def test_a_refused_key_stops_its_tenant_after_one_call(
    world: World, status: int, code: str, stopped: str
) -> None:
    sales = [await world.sale(f"POS202605010000{n}") for n in range(3)]
    world.fault("status", status=status, code=code)
    for sale in sales:
        await world.deliver(INVOICE, sale)
    assert len(world.posts()) == 1
    (stop,) = await world.sql("select * from aiaccount.stops")
    assert (stop["endpoint"], stop["code"], stop["key_version"]) == (stopped, code, 1)
    states = await world.sql("select distinct state, code from aiaccount.documents")
    assert states == [{"state": "blocked", "code": code}]


async def test_a_late_answer_about_an_old_key_stops_nobody_and_the_new_key_is_tried_at_once(
    world: World,
) -> None:
    sale = await world.sale()
    world.fault("status", status=401, code="API_KEY_INVALID", times=1)
    tools = world.tools()
    record = tools.steps.records.ask

    def enter() -> None:
        engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(world.database))
        with engine.begin() as connection:
            sealed = partial(seal, world.ring, "test", TENANT, PURPOSE)
            store(connection, TENANT, lambda version: sealed(version, world.key), "test", tested=True)
        engine.dispose()

    async def ask(row: object) -> bool:
        await asyncio.to_thread(enter)
        return await record(row)  # type: ignore[arg-type]

    tools.steps.records.ask = ask  # type: ignore[method-assign, assignment]
    claim = await world.claim(INVOICE, sale, tools)
    assert claim is not None
    await world.carry_out(claim, tools)
    assert await world.sql("select * from aiaccount.stops") == []
    assert (await world.task(INVOICE, sale))["due_in"] <= 0, "the task had no tenant when the key came"
    await world.drain()
    assert world.stored() == [NUMBER, f"{NUMBER}-R1"]


async def test_a_stop_of_other_versions_holds_nobody_back(world: World) -> None:
    sale = await world.sale()
    await world.sql(
        "insert into aiaccount.stops (tenant_id, endpoint, code, reason, key_version, settings_version) "
        "values (1, '*', 'API_KEY_INVALID', 'of an old key', 7, 1)"
    )
    await world.deliver(INVOICE, sale)
    assert world.stored() == [NUMBER]


async def test_a_reply_that_names_another_company_stops_the_tenant_and_keeps_the_doubt(world: World) -> None:
    sale = await world.sale()
    world.fault("wrong_company", times=1)
    await world.deliver(INVOICE, sale)
    row = await world.document(NUMBER)
    assert (row["state"], row["code"]) == ("in doubt", "WRONG_COMPANY")
    (stop,) = await world.sql("select * from aiaccount.stops")
    assert stop["code"] == "WRONG_COMPANY"


async def test_a_renamed_company_is_told_todays_name_on_every_push(world: World) -> None:
    sale = await world.sale()
    world.fault("created_then_500", times=3)
    await world.deliver(INVOICE, sale)
    world.sandbox.patch_company(world.company_id, name="Mei Live Global")
    await world.sql(
        "update aiaccount.tenants set company_name = 'Mei Live Global', "
        "settings_version = settings_version + 1"
    )
    await due_now(world)
    await world.drain()
    assert (await world.document(NUMBER))["state"] == "pushed"
    assert [post["body"]["company_name"] for post in world.posts()][-1] == "Mei Live Global"
    assert world.posts()[0]["body"]["company_name"] == NAME


async def test_a_sealed_key_that_cannot_be_opened_blocks_without_a_call(world: World) -> None:
    sale = await world.sale()
    await world.sql("update aiaccount.credentials set version = 2")
    await world.deliver(INVOICE, sale)
    row = await world.document(NUMBER)
    assert (row["state"], row["code"], row["may_exist"]) == ("blocked", "KEY_UNREADABLE", False)
    assert world.posts() == []
    assert await world.sql("select * from aiaccount.stops") == [], "another worker may have the key ring"


async def test_a_row_that_cannot_be_read_parks_alone(world: World) -> None:
    bad = await world.sale(tenders='{"not": "a list"}')
    good = await world.sale("POS2026050100002")
    await world.deliver(RECEIPT, bad)
    await world.deliver(INVOICE, good)
    task = await world.task(RECEIPT, bad)
    assert task["trouble_code"] == "MAPPING_FAILED"
    assert "tenders" in task["trouble"]
    assert 0.9 * DAY < task["due_in"] <= DAY
    assert world.stored() == ["POS2026050100002"]


async def test_what_is_not_the_tenants_is_never_posted(world: World) -> None:
    rows = [
        await world.sale("POS1", source="ecommerce_pickup"),
        await world.sale("POS2", platform_order_id=9),
        await world.sale("POS3", blogger_id=2),
    ]
    settlement = await world.settlement(payer_type="platform", payer_id=0)
    for sale in rows:
        await world.deliver(INVOICE, sale)
        await world.deliver(RECEIPT, sale)
    await world.deliver(world.bill, settlement)
    await world.deliver(world.payment, settlement)
    assert world.posts() == []
    (row,) = await world.sql(
        "select tenant_id from aiaccount.tasks where aggregate_id = %s limit 1", [rows[2]]
    )
    assert row["tenant_id"] == 2, "whose it is is noted, for the day that blogger subscribes"


async def test_a_row_deleted_after_it_was_sent_is_a_conflict(world: World) -> None:
    sale = await world.sale()
    await world.deliver(INVOICE, sale)
    await world.drain()
    await world.sql("delete from pos_transactions where id = %s", [sale])
    await world.deliver(INVOICE, sale)
    await world.deliver(RECEIPT, sale)
    rows = await world.sql("select number, state, code from aiaccount.documents order by number")
    assert [(row["state"], row["code"]) for row in rows] == [("conflict", "SOURCE_GONE")] * 2
    assert len(world.posts()) == 2


async def test_a_document_never_attempted_and_no_longer_called_for_is_superseded(world: World) -> None:
    sale = await world.sale(payment_method="voucher")
    await world.deliver(RECEIPT, sale)
    assert (await world.document(f"{NUMBER}-R1"))["code"] == "PAYMENT_METHOD_UNMAPPED"
    await world.sql("update pos_transactions set receipt_no = 'POS2026050100077', payment_method = 'cash'")
    await world.deliver(RECEIPT, sale)
    assert (await world.document(f"{NUMBER}-R1"))["code"] == "SUPERSEDED"


async def test_two_sales_of_two_tenants_with_one_number_stay_apart(world: World) -> None:
    other = await world.tenant(TENANT + 1, "Other Live Sdn Bhd")
    mine, theirs = await world.sale(), await world.sale(blogger_id=TENANT + 1)
    await world.deliver(INVOICE, mine)
    await world.deliver(INVOICE, theirs)
    assert world.stored() == [NUMBER]
    assert world.stored(other) == [NUMBER]


def test_keys_are_given_every_scope() -> None:
    (key,) = keys("some-long-key")
    assert len(key["scopes"]) == 4


async def test_a_worker_that_learnt_of_a_refused_key_does_not_call_with_it_again(world: World) -> None:
    first, second = await world.sale(), await world.sale("POS2026050100002")
    world.fault("status", status=401, code="API_KEY_INVALID")
    tools = world.tools()
    for sale in (first, second):
        claim = await world.claim(INVOICE, sale, tools)
        assert claim is not None
        await world.carry_out(claim, tools)
        await world.sql("delete from aiaccount.stops")  # as if it were not yet committed
    assert len(world.posts()) == 1
    assert (await world.document("POS2026050100002"))["code"] == "API_KEY_INVALID"
