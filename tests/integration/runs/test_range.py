"""A run finds exactly the rows that the mappers take for its dates."""

from datetime import UTC, date, datetime, timedelta
from itertools import product

from sqlalchemy import Connection, Engine, text

from mappers import Settings, plan
from outbox import runs
from outbox.endpoints import Endpoint
from outbox.runs import Asked
from outbox.tenants import Tenant, add, read_settings

ZONES = (
    "Asia/Kuala_Lumpur",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "Asia/Kathmandu",
    "America/New_York",  # clocks change on 2026-03-08 and 2026-11-01
    "Australia/Lord_Howe",  # by half an hour, on 2026-04-05 and 2026-10-04
    "UTC",
)
CUTOFFS = (0, 4, 23)
DAYS = (date(2026, 3, 8), date(2026, 4, 5), date(2026, 11, 1))
LATER = date(2027, 1, 1)


def moments(day: date) -> list[datetime]:
    """Return the moments around every full and half hour of two days."""
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=14)
    beats = [begin + timedelta(minutes=30) * number for number in range(2 * 52)]
    return [beat + away for beat in beats for away in (timedelta(microseconds=-1), timedelta())]


def subscribed(connection: Connection) -> list[Tenant]:
    """Add a tenant for each zone and cutoff hour."""
    made = [
        Tenant(
            number,
            f"Company {number}",
            LATER,
            kol_mode="multi",
            timezone=zone,
            day_cutoff_hour=cutoff,
            company_id=f"C{number}",
        )
        for number, (zone, cutoff) in enumerate(product(ZONES, CUTOFFS), 1)
    ]
    for tenant in made:
        add(connection, tenant)
    return made


def sold(connection: Connection, tenants: list[Tenant]) -> None:
    """Let each tenant sell, and owe a KOL, at every one of those moments."""
    rows = [
        {"tenant": tenant.tenant_id, "number": f"R{tenant.tenant_id}-{day}-{nth}", "at": at}
        for tenant, (day, when) in product(tenants, enumerate(DAYS))
        for nth, at in enumerate(moments(when))
    ]
    connection.execute(text("set local session_replication_role = replica"))
    connection.execute(
        text(
            "insert into pos_transactions (blogger_id, store_code, receipt_no, status, subtotal,"
            " total_amount, amount_paid, payment_method, completed_at, paid_at)"
            " values (:tenant, 'S1', :number, 'paid', 5, 5, 5, 'cash', :at, :at)"
        ),
        rows,
    )
    connection.execute(
        text(
            "insert into kol_settlements (blogger_id, settlement_no, payer_type, payer_id, payee_kol_id,"
            " payee_name, period_start, period_end, gross_sales, commission_amount, net_payable, status)"
            " select t.tenant_id, 'K' || t.tenant_id || '-' || d, 'blogger', t.tenant_id, 11, 'Aisyah',"
            " d::date, d::date, 9, 1, 1, 'approved'"
            " from aiaccount.tenants t, generate_series('2026-03-01'::date, '2026-03-20', '1 day') d"
        )
    )


def accepted(connection: Connection, tenants: list[Tenant], asked: Asked) -> set[tuple[int, Endpoint, int]]:
    """Ask the mappers of every row: which would a head of these dates not leave to before the cut-over."""
    wanted = {one.value: [[asked.first.isoformat(), asked.last.isoformat()]] for one in asked.endpoints}
    settings = {
        tenant.tenant_id: Settings.from_json(
            {**read_settings(connection, tenant.tenant_id), "wanted": wanted}
        )
        for tenant in tenants
    }
    found = set()
    for endpoint, view in (
        (Endpoint.POS_INVOICE, "pos_transaction_snapshot"),
        (Endpoint.KOL_BILL, "kol_settlement_snapshot"),
    ):
        for key, tenant, snapshot in connection.execute(
            text(f"select id, tenant_id, snapshot from aiaccount.{view}")
        ):
            outcomes = plan(endpoint, settings[tenant], snapshot, [], [])
            if "BEFORE_CUTOVER" not in [getattr(one, "code", None) for one in outcomes]:
                found.add((tenant, endpoint, key))
    return found


def test_it_finds_the_rows_that_the_mappers_take_in_every_zone_at_every_cutoff_hour(engine: Engine) -> None:
    heads = Endpoint.POS_INVOICE, Endpoint.KOL_BILL
    with engine.begin() as connection:
        tenants = subscribed(connection)
        sold(connection, tenants)
        whom = tuple(tenant.tenant_id for tenant in tenants)
        for day, days in ((DAYS[0], 0), (DAYS[1], 0), (DAYS[2], 1)):
            asked = Asked(whom, heads, day, day + timedelta(days=days))
            found = set(runs.found(connection, asked))
            assert found == accepted(connection, tenants, asked)
            assert {tenant for tenant, endpoint, _ in found if endpoint is heads[0]} == set(whom)
            parts = set(runs.found(connection, Asked(whom, tuple(Endpoint), asked.first, asked.last)))
            assert {(t, e.aggregate, k) for t, e, k in parts} == {(t, e.aggregate, k) for t, e, k in found}
