"""Tenants and how each keeps its books.

A tenant is a blogger who subscribed. Every change raises `settings_version`, lifts what had stopped the
tenant and makes its open tasks due, in one transaction: what a person mends is tried at once.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from zoneinfo import available_timezones

from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from outbox.codes import check_codes, visible
from outbox.errors import UsageError
from outbox.tables import tenant_settings, tenants, wanted_ranges
from outbox.wake import wake

KOL_MODES = ("single", "multi")
LAST_HOUR = 23
LARGEST_ID = 2**63 - 1
_CURRENCY_LETTERS = 3
_MOST_CALLS = {"calls_per_minute": 60_000, "calls_at_once": 10_000}
# Settings that decide which rows are posted at all: a change of one may call for what was skipped.
_DECIDING = (
    "active",
    "company_id",
    "kol_mode",
    "owner_kol_id",
    "timezone",
    "day_cutoff_hour",
    "cutover_date",
)


@dataclass(frozen=True)
class Tenant:
    """A tenant's settings.

    `tenant_id` is NS16's blogger_id; `company_id` AiAccount's id from the connection test, none before it;
    `cutover_date` the first business date that is posted; `codes` the company's codes by key;
    `calls_per_minute` and `calls_at_once` how often AiAccount may be called for it, none for no limit.
    """

    tenant_id: int
    company_name: str
    cutover_date: date
    kol_mode: str = "single"
    owner_kol_id: int | None = None
    home_currency: str = "MYR"
    timezone: str = "Asia/Kuala_Lumpur"
    day_cutoff_hour: int = 0
    codes: dict[str, str] = field(default_factory=dict)
    active: bool = True
    company_id: str | None = None
    calls_per_minute: int | None = 60
    calls_at_once: int | None = 5
    settings_version: int = 1


def check(tenant: Tenant) -> None:
    """Refuse settings that cannot be.

    Raises:
        UsageError: Says which setting, what it was and what it may be.
    """
    if not 0 < tenant.tenant_id <= LARGEST_ID:
        raise UsageError(f"the tenant's id {tenant.tenant_id} is not a positive number")
    _check_name(tenant.company_name)
    if tenant.kol_mode not in KOL_MODES:
        raise UsageError(f"kol_mode {tenant.kol_mode!r} is neither 'single' nor 'multi'")
    if tenant.owner_kol_id is not None and not 0 < tenant.owner_kol_id <= LARGEST_ID:
        raise UsageError(f"owner_kol_id {tenant.owner_kol_id} is not a positive number")
    currency = tenant.home_currency
    if not (
        len(currency) == _CURRENCY_LETTERS
        and currency.isascii()
        and currency.isalpha()
        and currency.isupper()
    ):
        raise UsageError(f"home_currency {currency!r} is not an ISO 4217 code such as MYR")
    if tenant.timezone not in available_timezones():
        raise UsageError(f"there is no time zone {tenant.timezone!r}; one is called 'Asia/Kuala_Lumpur'")
    if not 0 <= tenant.day_cutoff_hour <= LAST_HOUR:
        raise UsageError(f"day_cutoff_hour {tenant.day_cutoff_hour} is not between 0 and {LAST_HOUR}")
    for name, most in _MOST_CALLS.items():
        calls = getattr(tenant, name)
        if calls is not None and not 0 < calls <= most:
            raise UsageError(f"{name} {calls} is not between 1 and {most}")
    check_codes(tenant.codes)


def _check_name(name: str) -> None:
    if not name.strip() or name != name.strip():
        raise UsageError("the company's name is empty or has blanks at its ends")
    if not visible(name):
        raise UsageError(f"the company's name {name!r} has characters that nobody can see")


def add(connection: Connection, tenant: Tenant) -> None:
    """Add a tenant that is not there yet.

    Raises:
        UsageError: A setting cannot be, the tenant is there already, or its company is another's.
    """
    check(tenant)
    if _row(connection, tenant.tenant_id) is not None:
        raise UsageError(f"tenant {tenant.tenant_id} is there already; change it with `tenants set`")
    _written(connection, tenant, lambda: connection.execute(insert(tenants).values(**asdict(tenant))))
    wake(connection, tenant.tenant_id, everything=True)


def change(connection: Connection, tenant_id: int, edit: Callable[[Tenant], Tenant]) -> Tenant:
    """Change a tenant's settings under its row's lock; what changes nothing raises no version.

    Args:
        connection: In a transaction.
        tenant_id: Which tenant.
        edit: Takes the settings as they stand and returns them as they should.

    Returns:
        The settings as they stand now.

    Raises:
        UsageError: There is no such tenant, a setting cannot be, or its company is another tenant's.
    """
    row = _row(connection, tenant_id, lock=True)
    if row is None:
        raise UsageError(f"there is no tenant {tenant_id}; add it with `tenants add`")
    old = _tenant(row)
    new = replace(edit(old), tenant_id=tenant_id, settings_version=old.settings_version)
    check(new)
    if new == old:
        return old
    new = replace(new, settings_version=old.settings_version + 1)
    values = {**asdict(new), "updated_at": func.now()}
    statement = update(tenants).where(tenants.c.tenant_id == tenant_id).values(values)
    _written(connection, new, lambda: connection.execute(statement))
    if old.company_id not in {None, new.company_id}:  # those dates were wanted in the books that it leaves
        connection.execute(delete(wanted_ranges).where(wanted_ranges.c.tenant_id == tenant_id))
    deciding = any(getattr(old, name) != getattr(new, name) for name in _DECIDING)
    wake(connection, tenant_id, everything=deciding)
    return new


def connect(
    connection: Connection,
    tenant_id: int,
    company_id: str,
    home_currency: str,
    new_cutover: date | None = None,
) -> Tenant:
    """Store the company that the connection test found.

    Raises:
        UsageError: It is not the tenant's company of until now and `new_cutover` is not given: a tenant
            pointed to another company starts anew there from a new cut-over date. Or it is another tenant's.
    """

    def pointed(tenant: Tenant) -> Tenant:
        moved = tenant.company_id not in {None, company_id}
        if moved and new_cutover is None:
            raise UsageError(
                f"the key belongs to the company {company_id}, and tenant {tenant_id} posts to "
                f"{tenant.company_id}: to start anew there, give --new-company and --cutover-date"
            )
        cutover = new_cutover if moved and new_cutover is not None else tenant.cutover_date
        return replace(tenant, company_id=company_id, home_currency=home_currency, cutover_date=cutover)

    return change(connection, tenant_id, pointed)


def get(connection: Connection, tenant_id: int) -> Tenant:
    """Return a tenant's settings.

    Raises:
        UsageError: There is no such tenant.
    """
    row = _row(connection, tenant_id)
    if row is None:
        raise UsageError(f"there is no tenant {tenant_id}; `tenants list` names those that there are")
    return _tenant(row)


def listed(connection: Connection) -> list[Tenant]:
    """Return all tenants, by id."""
    return [_tenant(row) for row in connection.execute(select(tenants).order_by(tenants.c.tenant_id))]


def read_settings(connection: Connection, tenant_id: int) -> dict[str, object]:
    """Return a tenant's settings in the mappers' JSON form, wanted ranges among them.

    Raises:
        UsageError: There is no such tenant.
    """
    get(connection, tenant_id)
    found = select(tenant_settings.c.settings).where(tenant_settings.c.tenant_id == tenant_id)
    settings: dict[str, object] = connection.execute(found).scalar_one()
    return settings


def _row(connection: Connection, tenant_id: int, *, lock: bool = False) -> Row[object] | None:
    found = select(tenants).where(tenants.c.tenant_id == tenant_id)
    return connection.execute(found.with_for_update() if lock else found).one_or_none()


def _tenant(row: Row[object]) -> Tenant:
    values = row._mapping  # noqa: SLF001 - its public name, underscored against clashes with columns
    return Tenant(**{name: values[name] for name in Tenant.__dataclass_fields__})


def _written(connection: Connection, tenant: Tenant, write: Callable[[], object]) -> None:
    """Write a tenant, and say it clearly where its company is another active tenant's."""
    try:
        with connection.begin_nested():
            write()
    except IntegrityError as error:
        other = connection.execute(
            select(tenants.c.tenant_id).where(
                tenants.c.company_id == tenant.company_id,
                tenants.c.active,
                tenants.c.tenant_id != tenant.tenant_id,
            )
        ).scalar()
        if other is None:
            raise UsageError(f"tenant {tenant.tenant_id} is being added by somebody else") from error
        raise UsageError(
            f"the company {tenant.company_id} belongs to tenant {other} already: "
            "two active tenants never post into the same books"
        ) from error
