"""`aiaccount-sync tenants`: who subscribed, and how each keeps its books."""

from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from console.audited import on_record
from console.exits import PLAIN_MEANINGS
from console.printing import AsJson, epilog, print_columns, print_json, say
from console.session import session_of, transaction
from outbox import audit, tenants
from outbox.codes import read_codes
from outbox.errors import UsageError
from outbox.tenants import Tenant

_CODES = "A code of the company's books, such as tax:sales:10=MY-SALES10; may be given often."

TenantId = Annotated[int, typer.Argument(help="NS16's blogger_id.", min=1, metavar="TENANT")]
Mode = Annotated[
    str | None,
    typer.Option(
        "--kol-mode", help="multi: KOL settlements are posted. single: they are not.", metavar="MODE"
    ),
]
OwnKol = Annotated[
    int | None,
    typer.Option("--owner-kol-id", help="The tenant's own KOL, never paid a commission.", metavar="ID"),
]
Currency = Annotated[
    str | None,
    typer.Option(
        "--home-currency", help="Of the books (ISO 4217). The connection test sets it.", metavar="CODE"
    ),
]
Zone = Annotated[str | None, typer.Option("--timezone", help="Whose days the books count.", metavar="NAME")]
Cutoff = Annotated[
    int | None,
    typer.Option(
        "--day-cutoff-hour", help="The hour, 0 to 23, until which a sale is the day before's.", metavar="HOUR"
    ),
]
PerMinute = Annotated[
    int | None,
    typer.Option(
        help="The most calls of AiAccount in a minute, of all processes together; 0: no limit.",
        min=0,
        metavar="CALLS",
    ),
]
AtOnce = Annotated[
    int | None,
    typer.Option(
        help="The most calls of AiAccount at the same time, of all processes together; 0: no limit.",
        min=0,
        metavar="CALLS",
    ),
]
Codes = Annotated[list[str] | None, typer.Option("--code", help=_CODES, metavar="KEY=CODE")]
CodesFile = Annotated[
    Path | None,
    typer.Option(
        "--codes", help="A JSON file of codes by key, in place of all that are stored.", metavar="FILE"
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, help=__doc__.partition(": ")[2].capitalize()
    )
    group.command("add", epilog=_ADDING)(add)
    group.command("set", epilog=_SETTING)(change)
    group.command("list", epilog=_LISTING)(listing)
    app.add_typer(group, name="tenants")


_KEYS = (
    "Codes tell which tax code and account of the company is meant; by key:",
    "  tax:<none, sales or service>:<rate>   tax:sales:10=MY-SALES10, tax:none:0=NT",
    "  payment:<method>:<currency>           payment:cash:MYR=12100",
    "  account:<sales, service_charge,",
    "    tips, rounding, expense,            account:sales=40000",
    "    wht_payable>",
    "A document that needs a code that is not there is blocked, and goes when it is set.",
)
_ADDING = epilog(
    (
        "aiaccount-sync tenants add 7 --company-name 'Mei Live Sdn Bhd' \\",
        "    --cutover-date 2026-01-01 --kol-mode multi --codes codes.json",
    ),
    PLAIN_MEANINGS,
    _KEYS,
)


def add(  # noqa: PLR0913 - each is an option
    context: typer.Context,
    tenant_id: TenantId,
    *,
    company_name: Annotated[str, typer.Option(help="Exactly as in AiAccount.", metavar="NAME")],
    cutover_date: Annotated[
        str, typer.Option(help="The first business date that is posted.", metavar="YYYY-MM-DD")
    ],
    kol_mode: Mode = None,
    owner_kol_id: OwnKol = None,
    home_currency: Currency = None,
    timezone: Zone = None,
    day_cutoff_hour: Cutoff = None,
    calls_per_minute: PerMinute = None,
    calls_at_once: AtOnce = None,
    code: Codes = None,
    codes: CodesFile = None,
) -> None:
    """Add a blogger who subscribed.

    What is not given is: --kol-mode single, --timezone Asia/Kuala_Lumpur, --day-cutoff-hour 0,
    --home-currency MYR, --calls-per-minute 60, --calls-at-once 5. Nothing is posted before the company is
    connected with `credentials set`.
    """
    config = session_of(context).config
    given = _given(kol_mode, owner_kol_id, home_currency, timezone, day_cutoff_hour)
    given |= _limits(calls_per_minute, calls_at_once)
    tenant = Tenant(tenant_id, company_name, read_date(cutover_date), **given)
    tenant = replace(tenant, codes=_codes(tenant.codes, code, codes))
    with on_record(config, "tenants add", tenant_id=tenant_id) as deed, transaction(config) as connection:
        tenants.add(connection, tenant)
        audit.write(connection, replace(deed, detail=_plain(tenant)))
    say(f"Added tenant {tenant_id}. Connect its company: aiaccount-sync credentials set {tenant_id}")


_SETTING = epilog(
    (
        "aiaccount-sync tenants set 7 --code payment:duitnow:MYR=12200",
        "aiaccount-sync tenants set 7 --company-name 'Mei Live (2026) Sdn Bhd'",
        "aiaccount-sync tenants set 7 --calls-per-minute 300 --calls-at-once 20",
        "aiaccount-sync tenants set 7 --inactive",
    ),
    PLAIN_MEANINGS,
)


def change(  # noqa: PLR0913 - each is an option
    context: typer.Context,
    tenant_id: TenantId,
    *,
    company_name: Annotated[str | None, typer.Option(help="Exactly as in AiAccount.", metavar="NAME")] = None,
    cutover_date: Annotated[
        str | None, typer.Option(help="The first business date that is posted.", metavar="YYYY-MM-DD")
    ] = None,
    kol_mode: Mode = None,
    owner_kol_id: OwnKol = None,
    no_owner_kol: Annotated[bool, typer.Option("--no-owner-kol", help="The tenant has no own KOL.")] = False,
    home_currency: Currency = None,
    timezone: Zone = None,
    day_cutoff_hour: Cutoff = None,
    calls_per_minute: PerMinute = None,
    calls_at_once: AtOnce = None,
    code: Codes = None,
    codes: CodesFile = None,
    remove_code: Annotated[list[str] | None, typer.Option(help="A code to forget.", metavar="KEY")] = None,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="An inactive tenant is not posted for.")
    ] = None,
) -> None:
    """Change a tenant's settings: only those that are given.

    What was blocked for a setting, and what stopped the tenant, is tried again at once. What was sent stays
    as it was sent.
    """
    given = _given(kol_mode, owner_kol_id, home_currency, timezone, day_cutoff_hour)
    given |= _limits(calls_per_minute, calls_at_once)
    if company_name is not None:
        given["company_name"] = company_name
    if cutover_date is not None:
        given["cutover_date"] = read_date(cutover_date)
    if active is not None:
        given["active"] = active
    if no_owner_kol:
        given["owner_kol_id"] = None

    def edit(old: Tenant) -> Tenant:
        return replace(old, **given, codes=_codes(old.codes, code, codes, remove_code or ()))

    config = session_of(context).config
    with on_record(config, "tenants set", tenant_id=tenant_id) as deed, transaction(config) as connection:
        before = tenants.get(connection, tenant_id)
        after = tenants.change(connection, tenant_id, edit)
        changed = audit.changes(_plain(before), _plain(after))
        audit.write(connection, replace(deed, detail=changed))
    same = " as before" if before == after else ""
    say(f"Tenant {tenant_id} has settings version {after.settings_version}{same}.")


_LISTING = epilog(("aiaccount-sync tenants list", "aiaccount-sync tenants list --json"), PLAIN_MEANINGS)


def listing(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List the tenants; with --json all their settings."""
    with transaction(session_of(context).config) as connection:
        found = tenants.listed(connection)
    if as_json:
        print_json([asdict(tenant) for tenant in found])
        return
    print_columns(
        ("tenant", "company", "company id", "active", "cut-over", "kol mode", "codes", "version"),
        [
            (
                tenant.tenant_id,
                tenant.company_name,
                tenant.company_id,
                tenant.active,
                tenant.cutover_date,
                tenant.kol_mode,
                len(tenant.codes),
                tenant.settings_version,
            )
            for tenant in found
        ],
    )


def _plain(tenant: Tenant) -> dict[str, object]:
    """Return a tenant's settings as JSON has them."""
    return {**asdict(tenant), "cutover_date": tenant.cutover_date.isoformat()}


def read_date(text: str) -> date:
    """Read a date such as 2026-01-01.

    Raises:
        UsageError: It is none.
    """
    try:
        read = date.fromisoformat(text)
    except ValueError:
        read = None
    if read is None or read.isoformat() != text:  # Python reads 20260101 and 2026-W01-1 too
        raise UsageError(f"{text!r} is not a date such as 2026-01-01")
    return read


def _given(
    kol_mode: str | None,
    owner_kol_id: int | None,
    home_currency: str | None,
    timezone: str | None,
    day_cutoff_hour: int | None,
) -> dict[str, Any]:
    """Return those settings that were given, by name."""
    given = {
        "kol_mode": kol_mode,
        "owner_kol_id": owner_kol_id,
        "home_currency": home_currency,
        "timezone": timezone,
        "day_cutoff_hour": day_cutoff_hour,
    }
    return {name: value for name, value in given.items() if value is not None}


def _limits(calls_per_minute: int | None, calls_at_once: int | None) -> dict[str, int | None]:
    """Return those limits that were given, by name; 0 stands for none."""
    given = {"calls_per_minute": calls_per_minute, "calls_at_once": calls_at_once}
    return {name: value or None for name, value in given.items() if value is not None}


def _codes(
    old: dict[str, str], pairs: list[str] | None, file: Path | None, removed: tuple[str, ...] | list[str] = ()
) -> dict[str, str]:
    """Return the codes as they should be: the old or the file's, less those removed, and the pairs."""
    codes = dict(old) if file is None else _read_codes(file)
    for key in removed:
        if codes.pop(key, None) is None:
            raise UsageError(f"there is no code {key!r} to remove")
    for pair in pairs or ():
        key, equals, code = pair.partition("=")
        if not equals:
            raise UsageError(f"--code {pair!r} is not of the form KEY=CODE, such as account:sales=40000")
        codes[key] = code
    return codes


def _read_codes(file: Path) -> dict[str, str]:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UsageError(f"the file {file} cannot be read: {error.strerror}") from error
    return read_codes(data, f"the file {file}")
