"""A tenant that is stopped: a few calls, then silence until a person acts, then everything, in order.

The others notice nothing of it.
"""

import pytest

from tests.integration.delivery.world import INVOICE, NAME, RECEIPT, TENANT, World, keys

OTHER = TENANT + 1


async def everybody_tries(world: World, sales: list[int]) -> None:
    """Let every deadline come, and deliver all as a process that has only just begun."""
    await world.sql("update aiaccount.documents set next_at = clock_timestamp() where next_at is not null")
    for sale in sales:
        await world.deliver(INVOICE, sale)


async def states(world: World, tenant: int) -> set[tuple[str, str | None]]:
    rows = await world.sql("select state, code from aiaccount.documents where tenant_id = %s", [tenant])
    return {(row["state"], row["code"]) for row in rows}


@pytest.mark.parametrize("cured_by", ["a new key", "new settings"])
async def test_a_refused_key_makes_a_call_and_silence_and_the_others_notice_nothing_until_all_goes_in_order(
    world: World, cured_by: str
) -> None:
    key = world.key
    other = await world.tenant(OTHER, "Other Live Sdn Bhd")
    numbers = [f"POS202605010000{n}" for n in range(5)]
    mine = [await world.sale(number) for number in numbers]
    theirs = [await world.sale(number, blogger_id=OTHER) for number in numbers]
    world.sandbox.patch_company(world.company_id, keys=keys("canary-quite-another-key"))
    for _ in range(3):
        await everybody_tries(world, [sale for pair in zip(mine, theirs, strict=True) for sale in pair])
    counts = world.sandbox.counts()
    assert sum(c["count"] for c in counts if c["company_id"] == other and c["method"] == "POST") == 5
    assert {c["status"] for c in counts if c["company_id"] == other} == {201}
    assert await states(world, TENANT) == {("blocked", "API_KEY_INVALID")}
    assert await states(world, OTHER) == {("pushed", None)}
    refused = await world.sql("select code from aiaccount.attempts where tenant_id = %s", [TENANT])
    assert [row["code"] for row in refused] == ["API_KEY_INVALID"], "one call, then silence"

    world.sandbox.patch_company(world.company_id, keys=keys(key))
    await everybody_tries(world, mine)
    assert world.stored() == [], "nobody told us that the old key is good again"
    if cured_by == "a new key":
        await world.set_key(key, 2)
    else:
        await world.sql("update aiaccount.tenants set settings_version = settings_version + 1")
    await everybody_tries(world, mine)
    await world.drain()
    assert sorted(world.stored()) == sorted([*numbers, *(f"{number}-R1" for number in numbers)])
    stored = world.stored()
    assert all(stored.index(number) < stored.index(f"{number}-R1") for number in numbers)
    assert await states(world, TENANT) == {("pushed", None)}


async def test_a_key_without_a_scope_stops_that_endpoint_and_no_other(world: World) -> None:
    sale, settlement = await world.sale(), await world.settlement()
    scopes = [scope for key in keys("x") for scope in key["scopes"] if scope != "sales-receipts"]
    world.sandbox.patch_company(world.company_id, keys=[{"key": world.key, "scopes": scopes}])
    await world.deliver(INVOICE, sale)
    await world.deliver(RECEIPT, sale)
    await world.deliver(world.bill, settlement)
    rows = await world.sql("select endpoint, state, code from aiaccount.documents order by endpoint")
    assert [(row["endpoint"], row["state"], row["code"]) for row in rows] == [
        ("kol_bill", "pushed", None),
        ("pos_invoice", "pushed", None),
        ("pos_receipt", "blocked", "SCOPE_MISSING"),
    ]
    world.sandbox.patch_company(world.company_id, keys=keys(world.key))
    await world.set_key(world.key, 2)
    await everybody_tries(world, [])
    await world.deliver(RECEIPT, sale)
    assert await states(world, TENANT) == {("pushed", None)}


@pytest.mark.parametrize(
    ("change", "code", "mend"),
    [
        ({"subscription_active": False}, "SUBSCRIPTION_INACTIVE", {"subscription_active": True}),
        ({"name": "Renamed Sdn Bhd"}, "COMPANY_NOT_FOUND", {"name": NAME}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_company_that_is_closed_or_renamed_is_called_once_and_goes_on_when_its_settings_do(
    world: World, change: dict[str, object], code: str, mend: dict[str, object]
) -> None:
    sales = [await world.sale(f"POS202605010000{n}", paid=False) for n in range(3)]
    world.sandbox.patch_company(world.company_id, **change)
    for _ in range(2):
        await everybody_tries(world, sales)
    assert await states(world, TENANT) == {("blocked", code)}
    assert len(world.posts()) == 1
    (row,) = await world.sql("select reason from aiaccount.stops")
    assert NAME in row["reason"], "the company is named"
    world.sandbox.patch_company(world.company_id, **mend)
    await world.sql("update aiaccount.tenants set settings_version = settings_version + 1")
    await everybody_tries(world, sales)
    assert await states(world, TENANT) == {("pushed", None)}
    assert len(world.stored()) == 3


async def test_two_tenants_with_the_same_numbers_are_never_mixed_up(world: World) -> None:
    other = await world.tenant(OTHER, "Other Live Sdn Bhd")
    for blogger in (TENANT, OTHER):
        sale = await world.sale(blogger_id=blogger)
        await world.deliver(INVOICE, sale)
    await world.drain()
    assert world.stored() == world.stored(other) == ["POS2026050100001", "POS2026050100001-R1"]
    names = {post["company_name"] for post in (line["document"] for line in world.sandbox.documents(other))}
    assert names == {"Other Live Sdn Bhd"}
