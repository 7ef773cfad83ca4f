"""A person compares the rows with the ledger, and the ledger with AiAccount, as a process."""

import json
import subprocess
import sys
from decimal import Decimal
from typing import Any

import psycopg

from deploy.stack import Service
from deploy.stack.logins import as_login, login_of
from tests.commandline import CommandLine
from tests.faults.field import Field, ready

ACTS = 40
WIDTH = 80
DATABASE = "AIACCOUNT_SYNC_DATABASE_URL"
OK, FOUND, USAGE, SERVICE = 0, 1, 2, 4
UNSEEN = """
    set session_replication_role = replica;
    update pos_transactions set total_amount = total_amount + 1
     where id = (select min(aggregate_id) from aiaccount.tasks where endpoint = 'pos_invoice');
    delete from aiaccount.tasks where endpoint = 'kol_bill'
       and aggregate_id = (select min(aggregate_id) from aiaccount.tasks where endpoint = 'kol_bill');
    insert into aiaccount.tasks (endpoint, aggregate_id, tenant_id, digest)
    values ('pos_invoice', 999999, 1, '\\x00');
    update aiaccount.outbox set created_at = now() - interval '1 hour';
"""


def run(field: Field, *arguments: str, status: int = OK) -> str:
    """Run the command and return what it printed."""
    login = login_of(("reconcile", *arguments))
    assert login is not None
    done = subprocess.run(
        [sys.executable, "-m", "console", "reconcile", *arguments],
        env={**field.installation.env, DATABASE: as_login(field.database_url, login)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == status, done
    return done.stdout if status != USAGE else done.stderr


def asked(field: Field, *arguments: str, status: int = OK) -> Any:
    """Run the command and return its JSON."""
    return json.loads(run(field, *arguments, "--json", status=status))


def sql(field: Field, text: str) -> list[tuple[Any, ...]]:
    """Run statements; return the rows of the last."""
    with psycopg.connect(field.database_url, autocommit=True) as connection:
        cursor = connection.execute(text)
        while cursor.nextset():
            pass
        return cursor.fetchall() if cursor.description else []


def traded(field: Field) -> tuple[Service, Service]:
    """Trade, with everything posted; return the relay and the consumers, stopped."""
    services = field.relay(), field.consumers()
    ready(*services)
    field.trade.play(ACTS)
    field.drain()
    for service in services:
        service.stop()
    return services


def counted(found: Any) -> dict[str, int]:
    """Add the counts of all days."""
    names = ("rows", "handled", "underway", "missing", "changed", "orphaned")
    return {name: sum(day[name] for day in found["days"]) for name in names}


def narrowed(field: Field, whole: Any) -> None:
    """Dates and tenants narrow it, and what makes no sense is refused."""
    day, tenant = next((one["day"], one["tenant_id"]) for one in whole["days"] if one["day"])
    for found in (
        asked(field, "--from", day, "--to", day, "--tenant", str(tenant)),
        asked(field, "--tenant", str(tenant), "--from", day, "--to", day, "--fix"),
    ):
        assert {(one["day"], one["tenant_id"]) for one in found["days"]} == {(day, tenant)}
        assert found["money"] == [
            line for line in whole["money"] if (line["day"], line["tenant_id"]) == (day, tenant)
        ]
    assert "No rows to compare." in run(field, "--to", "2020-01-01")
    for arguments, said in (
        (("--from", "2026-02-30"), "--from '2026-02-30' is not a date such as 2026-05-01"),
        (("--from", "2026-05-02", "--to", "2026-05-01"), "--from 2026-05-02 is after --to 2026-05-01"),
        (("--from", "9999-01-01"), "lies in the future"),
        (("--tenant", "12345"), "there is no tenant 12345"),
    ):
        assert said in run(field, *arguments, status=USAGE)


def test_what_slipped_through_is_counted_priced_fixed_and_gone(field: Field) -> None:
    traded(field)
    whole = asked(field)
    counts = counted(whole)
    assert counts["rows"] == counts["handled"] > 0
    assert all(Decimal(line["difference"]) == 0 for line in whole["money"])
    assert {line["endpoint"] for line in whole["money"]} == {
        "pos_invoice",
        "pos_receipt",
        "kol_bill",
        "kol_payment",
    }
    assert "Nothing is missing." in run(field)
    narrowed(field, whole)

    sql(field, UNSEEN)
    found = counted(asked(field, status=FOUND))
    assert (found["missing"], found["changed"], found["orphaned"]) == (1, 1, 1)
    text = run(field, status=FOUND)
    assert max(map(len, text.splitlines())) <= WIDTH, text
    assert "Found: 1 missing, 1 changed, 1 orphaned.\nNothing was changed" in text
    (line,) = [line for line in asked(field, status=FOUND)["money"] if Decimal(line["difference"])][:1]
    assert Decimal(line["difference"]) == 1
    assert line["reasons"] == [
        {"reason": "changed since it was looked at", "rows": 1, "difference": line["difference"]}
    ]
    assert "Made due: " in run(field, "--fix", status=FOUND)
    fixes = "from aiaccount.audit where action = 'reconcile --fix' order by id"
    deeds = sql(field, f"select succeeded, detail ->> 'made_due' {fixes}")
    assert [(done, int(rows) > 0) for done, rows in deeds] == [(True, False), (True, True)]
    made_due = counted(asked(field))
    assert made_due["underway"] + made_due["handled"] == counts["rows"]
    assert made_due["underway"] >= 2, "the one missing, the one changed, and what refunds it"
    field.relay("again")
    field.consumers("again-consume")
    field.drain()
    after = asked(field)
    assert counted(after)["handled"] == counts["rows"]
    why = [reason["reason"] for line in after["money"] for reason in line["reasons"]]
    assert why == ["conflict AMENDED_AFTER_PUSH"] * len(why)


def test_the_ledger_is_held_against_aiaccount_itself(field: Field) -> None:
    traded(field)
    sql(field, "update aiaccount.tenants set calls_per_minute = null")
    clean = asked(field, "--remote")["remote"]
    (accepted,) = sql(field, "select count(*) from aiaccount.documents where accepted_at is not null")
    assert clean == {"asked": accepted[0], "disagreements": [], "not_asked": []}

    numbers = [
        number
        for (number,) in sql(
            field,
            "select number from aiaccount.documents where tenant_id = 1 and endpoint = 'pos_invoice'"
            " and accepted_at is not null order by number limit 4",
        )
    ]
    for number, change in zip(
        numbers,
        (
            "document = jsonb_set(document::jsonb, '{number}', '\"NOT-THERE\"')",
            "document = jsonb_set(document::jsonb, '{totals,total}', '\"1.00\"')",
            "accepted_at = null, remote_id = null, doubt_at = now()",
            "accepted_at = null, remote_id = null, verdict = 'block', code = 'TAX_CODE_MISSING'",
        ),
        strict=True,
    ):
        sql(field, f"update aiaccount.documents set {change} where number = '{number}' and tenant_id = 1")
    sql(field, "delete from aiaccount.credentials where tenant_id = 2")
    found = asked(field, "--remote", "--tenant", "1", "--tenant", "2", status=FOUND)["remote"]
    assert {one["number"]: one["kind"] for one in found["disagreements"]} == dict(
        zip(numbers, ("missing there", "differs", "in doubt, and it is there", "landed late"), strict=True)
    )
    assert "total" in next(one["detail"] for one in found["disagreements"] if one["kind"] == "differs")
    assert [(one["tenant_id"], one["reason"]) for one in found["not_asked"]] == [(2, "it has no API key")]
    text = run(field, "--remote", "--tenant", "1", status=FOUND)
    assert "4 disagree" in text

    field.sandbox.patch_company("C1", keys=[])
    field.sandbox.add_fault("rate_limited", match={"method": "GET", "company_id": "C3"}, retry_after=0)
    not_asked = asked(field, "--remote", "--tenant", "1", "--tenant", "3", status=FOUND)["remote"][
        "not_asked"
    ]
    assert [one["reason"].partition(",")[0] for one in not_asked] == ["API_KEY_INVALID", "RATE_LIMITED"]
    assert all(one["documents"] for one in not_asked)


def test_without_a_database_it_says_so() -> None:
    nowhere = CommandLine("postgresql://nobody@127.0.0.1:1/none")
    assert "127.0.0.1" in nowhere.refused("reconcile", status=SERVICE)
