"""`aiaccount-sync credentials`: tenants' API keys: entered, tested, sealed, and never shown again."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Annotated

import typer

from console.audited import failed, on_record
from console.commands.tenants import TenantId, read_date
from console.connection import try_key
from console.entering import enter_key
from console.exits import MEANINGS, PLAIN_MEANINGS, Exit
from console.printing import AsJson, epilog, print_columns, print_json, say, warn
from console.session import session_of, transaction
from console.stored_keys import chosen, connect, rotate_key, test_key
from consumers.client import Refused
from consumers.keyring import new_master_key, read_key_ring
from consumers.vault import PURPOSE, seal
from outbox import audit, credentials, tenants
from outbox.errors import UsageError, VaultError

_BOTH_ROLES = "Opens stored keys: the database login needs the roles aiaccount_admin and aiaccount_keys."
SomeTenant = Annotated[int | None, typer.Option("--tenant", help="Only this one.", metavar="ID", min=1)]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, help="Tenants' API keys: entered, tested, sealed."
    )
    group.command("set", epilog=_SETTING)(enter)
    group.command("test", epilog=_TESTING)(try_keys)
    group.command("rotate", epilog=_ROTATING)(rotate_all)
    group.command("list", epilog=_LISTING)(listing)
    group.command("master-key", epilog=_MAKING)(master_key)
    app.add_typer(group, name="credentials")


_SETTING = epilog(
    (
        "aiaccount-sync credentials set 7                      # asks, without showing it",
        "pass show aiaccount/7 | aiaccount-sync credentials set 7",
        "aiaccount-sync credentials set 7 --new-company --cutover-date 2026-07-01",
    ),
    {**MEANINGS, Exit.WRONG: "AiAccount refused the key, and nothing was saved"},
)


def enter(
    context: typer.Context,
    tenant_id: TenantId,
    *,
    testing: Annotated[
        bool,
        typer.Option("--test/--no-test", help="Whether AiAccount must accept the key before it is saved."),
    ] = True,
    new_company: Annotated[
        bool, typer.Option("--new-company", help="The key is another company's: start anew there.")
    ] = False,
    cutover_date: Annotated[
        str | None,
        typer.Option(help="With --new-company: the first date posted there.", metavar="YYYY-MM-DD"),
    ] = None,
) -> None:
    """Enter or replace a tenant's API key.

    It is asked for without showing it, or read from standard input. It is tested with AiAccount, which names
    the company that it belongs to, then sealed for this environment and tenant, and saved. What had stopped
    the tenant is tried again at once. Without a test the company is not known, and nothing is posted until
    `credentials test`.
    """
    if new_company != (cutover_date is not None):
        raise UsageError("--new-company and --cutover-date belong together")
    if new_company and not testing:
        raise UsageError("--new-company needs the connection test, which names the company")
    cutover = None if cutover_date is None else read_date(cutover_date)
    config = session_of(context).config
    with on_record(config, "credentials set", tenant_id=tenant_id) as deed:
        ring = read_key_ring(config)
        with transaction(config) as connection:
            name = tenants.get(connection, tenant_id).company_name
        key = enter_key(f"API key of tenant {tenant_id}, {name}: ")
        company = try_key(config, key, name) if testing else None
        if not isinstance(company, Refused):
            with transaction(config) as connection:
                if company is not None:
                    connect(connection, tenant_id, company, cutover)
                version = credentials.store(
                    connection,
                    tenant_id,
                    lambda version: seal(ring, config.environment, tenant_id, PURPOSE, version, key.reveal()),
                    deed.actor,
                    tested=company is not None,
                )
                detail = {"version": version, "company_id": company.company_id if company else None}
                audit.write(connection, replace(deed, detail=detail))
    if isinstance(company, Refused):
        failed(config, replace(deed, detail={"code": company.code, "reason": company.reason}))
        warn(
            f"aiaccount-sync: AiAccount refused the key, nothing was saved: {company.code}, {company.reason}"
        )
        raise typer.Exit(Exit.WRONG)
    tested = "not tested" if company is None else f"company {company.company_id}"
    say(f"Saved the key of tenant {tenant_id}, version {version} ({tested}).")


_TESTING = epilog(
    ("aiaccount-sync credentials test", "aiaccount-sync credentials test --tenant 7 --json"),
    {**MEANINGS, Exit.WRONG: "a key was refused, or could not be opened"},
    (_BOTH_ROLES,),
)


def try_keys(context: typer.Context, *, tenant: SomeTenant = None, as_json: AsJson = False) -> None:
    """Test the stored keys of active tenants with AiAccount.

    A key that passes is noted as tested, and what had stopped its tenant is tried again at once.
    """
    config = session_of(context).config
    ring = read_key_ring(config)
    results = [test_key(config, ring, tenant_id) for tenant_id in chosen(config, tenant)]
    if as_json:
        print_json([asdict(one) for one in results])
    else:
        names = ("tenant", "company id", "scopes", "locked until", "result", "reason")
        print_columns(
            names,
            [
                (
                    one.tenant_id,
                    one.company_id,
                    one.scopes,
                    one.locked_until,
                    one.code or "passed",
                    one.reason,
                )
                for one in results
            ],
        )
    if any(one.code for one in results):
        raise typer.Exit(Exit.WRONG)


_ROTATING = epilog(
    ("aiaccount-sync credentials rotate",),
    {**MEANINGS, Exit.WRONG: "a key could not be opened; the others were sealed anew"},
    (
        _BOTH_ROLES,
        "",
        "To replace a master key:",
        "  1. make one with `credentials master-key` and put it in front of the ring,",
        "  2. restart what runs, so that every process has both,",
        "  3. run this,",
        "  4. take the old one out of the ring and restart again.",
    ),
)


def rotate_all(context: typer.Context, *, tenant: SomeTenant = None, as_json: AsJson = False) -> None:
    """Seal keys anew under the first master key of the ring.

    Only those that another master key sealed; the API keys themselves stay as they are.
    """
    config = session_of(context).config
    ring = read_key_ring(config)
    done: list[int] = []
    failed: dict[int, str] = {}
    for tenant_id in chosen(config, tenant, active=False):
        try:
            if rotate_key(config, ring, tenant_id):
                done.append(tenant_id)
        except VaultError as error:
            failed[tenant_id] = str(error)
    if as_json:
        print_json({"key_id": ring.sealing_id, "sealed_anew": done, "failed": failed})
    else:
        say(f"Sealed {len(done)} keys anew under {ring.sealing_id}.")
        for reason in failed.values():
            warn(f"aiaccount-sync: {reason}")
    if failed:
        raise typer.Exit(Exit.WRONG)


_LISTING = epilog(("aiaccount-sync credentials list",), PLAIN_MEANINGS)


def listing(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List what may be known of the keys: never a key."""
    with transaction(session_of(context).config) as connection:
        found = credentials.listed(connection)
    if as_json:
        print_json([asdict(standing) for standing in found])
        return
    names = (
        "tenant",
        "company",
        "company id",
        "key",
        "sealed by",
        "set by",
        "set at",
        "tested at",
        "stopped",
    )
    print_columns(
        names,
        [
            (
                one.tenant_id,
                one.company_name,
                one.company_id,
                None if one.version is None else f"version {one.version}",
                one.key_id,
                one.set_by,
                one.set_at,
                one.tested_at,
                one.stopped,
            )
            for one in found
        ],
    )


_MAKING = epilog(
    ("aiaccount-sync credentials master-key 2026 > /etc/aiaccount-sync/master.key",),
    {Exit.OK: MEANINGS[Exit.OK], Exit.USAGE: MEANINGS[Exit.USAGE]},
    (
        "Point AIACCOUNT_SYNC_MASTER_KEYS_FILE to the file, or keep the line in a secret store that",
        "AIACCOUNT_SYNC_MASTER_KEYS_COMMAND reads. Without it no API key can ever be opened again.",
    ),
)


def master_key(
    key_id: Annotated[
        str | None, typer.Argument(help="What to call it; today's date if not given.", metavar="ID")
    ] = None,
) -> None:
    """Make a new random master key and print it.

    It is a line `id:base64` to keep in a safe place; nothing is stored here. The key seals every API key, so
    whoever has it and the database has them all.
    """
    say(new_master_key(key_id or datetime.now(UTC).date().isoformat()))
