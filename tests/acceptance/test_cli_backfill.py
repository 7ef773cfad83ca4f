"""A person syncs a range again, as a process on the real stack: each document once, and every count true."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import Any

import psycopg

from deploy.stack.logins import Login, as_login
from outbox.endpoints import Endpoint
from tests.faults.field import Field, killed, ready
from tests.waiting import wait_for

ACTS = 60
WIDTH = 80
OK, WRONG, USAGE, SERVICE, INTERRUPTED = 0, 1, 2, 4, 130
RUN_SECONDS = 90
DATABASE = "AIACCOUNT_SYNC_DATABASE_URL"
EARLIER = "--from", "2020-01-01", "--to", "2026-12-31", "--yes"
"""Business dates that hold every row of a trade."""


def environment(field: Field) -> dict[str, str]:
    """Return the environment of a person's process."""
    return {**field.installation.env, DATABASE: as_login(field.database_url, Login.CONSOLE)}


def started(field: Field, *arguments: str, stderr: int = subprocess.PIPE) -> subprocess.Popen[str]:
    """Start a command in a group of its own, as a terminal does."""
    return subprocess.Popen(
        [sys.executable, "-m", "console", *arguments],
        env=environment(field),
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        start_new_session=True,
    )


def run(field: Field, *arguments: str, status: int = OK) -> str:
    """Run a command to its end and return what it printed, on standard error where it was refused."""
    with started(field, *arguments) as process:
        out, err = process.communicate(timeout=RUN_SECONDS)
    assert process.returncode == status, (out, err)
    return err if status == USAGE else out


def asked(field: Field, *arguments: str, status: int = OK) -> Any:
    """Run a command and return its JSON."""
    return json.loads(run(field, *arguments, "--json", status=status))


def sql(field: Field, text: str) -> list[tuple[Any, ...]]:
    """Run a statement and return its rows."""
    with psycopg.connect(field.database_url, autocommit=True) as connection:
        cursor = connection.execute(text)
        return cursor.fetchall() if cursor.description else []


def moved_cutover(field: Field, day: str = "2027-01-01") -> None:
    """Let the tenants cut over on another day; usually after every row of a trade."""
    sql(
        field,
        f"update aiaccount.tenants set cutover_date = '{day}', settings_version = settings_version + 1",
    )


def before_the_cutover(field: Field) -> None:
    """Trade before the cut-over with everything running, until nothing is left to do: nothing was sent."""
    moved_cutover(field)
    ready(field.relay(), field.consumers())
    field.trade.play(ACTS)
    field.drain()
    assert sql(field, "select count(*) from aiaccount.attempts") == [(0,)]


def rows(field: Field) -> dict[str, int]:
    """Count the rows that a backfill of everything finds, by endpoint."""
    found = sql(
        field,
        "select e.endpoint, count(*) from aiaccount.pos_transaction_snapshot s,"
        " unnest(array['pos_invoice', 'pos_receipt']) e (endpoint)"
        " where s.business_date is not null group by 1 union all "
        "select e.endpoint, count(*) from aiaccount.kol_settlement_snapshot s,"
        " unnest(array['kol_bill', 'kol_payment']) e (endpoint) group by 1",
    )
    return dict(found)


def sent(field: Field) -> dict[str, int]:
    """Count the rows of which a document was accepted, by endpoint."""
    found = sql(
        field,
        "select endpoint, count(distinct aggregate_id) from aiaccount.documents"
        " where accepted_at is not null group by 1",
    )
    return dict(found)


def by_endpoint(told: Any, name: str) -> dict[str, int]:
    """Add a count of all tenants, by endpoint; without those that are none."""
    total: dict[str, int] = dict.fromkeys(Endpoint, 0)
    for part in told["parts"]:
        total[part["endpoint"]] += part["counts"][name]
    return {endpoint: count for endpoint, count in total.items() if count}


def true(field: Field, told: Any) -> None:
    """Hold a run of everything that is over against the rows and the ledger."""
    found = rows(field)
    assert told["found"] == told["queued"] == sum(found.values()) == sum(told["counts"].values())
    assert {one["endpoint"] for one in told["parts"]} == set(Endpoint)
    for endpoint, count in found.items():
        assert sum(one["found"] for one in told["parts"] if one["endpoint"] == endpoint) == count
    assert told["counts"]["left"] == told["counts"]["failed"] == told["counts"]["blocked"] == 0
    done = {
        endpoint: by_endpoint(told, "sent").get(endpoint, 0) + by_endpoint(told, "there").get(endpoint, 0)
        for endpoint in Endpoint
    }
    assert done == {endpoint: sent(field).get(endpoint, 0) for endpoint in Endpoint}


def test_rows_of_before_the_cutover_go_when_their_dates_are_named(field: Field) -> None:
    before_the_cutover(field)
    rehearsed = asked(field, "backfill", "--all", *EARLIER, "--dry-run")
    assert sql(field, "select count(*) from aiaccount.runs") == [(0,)]
    told = asked(field, "backfill", "--all", *EARLIER)
    true(field, told)
    assert told["counts"]["there"] == 0
    for endpoint in Endpoint:
        planned = sum(
            part["rows"]
            for part in rehearsed["parts"]
            if part["endpoint"] == endpoint and part["state"] == "to send"
        )
        assert planned == by_endpoint(told, "sent")[endpoint], endpoint
    field.drain()
    field.clean()


def test_a_rehearsal_says_why_there_is_nothing_to_send_and_what_would_keep_it(field: Field) -> None:
    moved_cutover(field)
    field.trade.play(ACTS)
    receipts = "backfill", "--all", *EARLIER, "--dry-run", "--endpoint", "pos_receipt"
    told = asked(field, *receipts)
    assert {part["state"] for part in told["parts"]} == {"nothing"}
    assert "BEFORE_CUTOVER" in {part["reason"] for part in told["parts"]}
    assert told["obstacles"] == []
    assert "  BEFORE_CUTOVER: it is dated before" in run(field, *receipts)
    sql(
        field,
        "insert into aiaccount.stops (tenant_id, endpoint, code, reason, key_version, settings_version)"
        " select tenant_id, 'pos_invoice', 'SCOPE_MISSING', 'no', 1, settings_version from aiaccount.tenants",
    )
    told = asked(field, "backfill", "--all", *EARLIER, "--dry-run")
    kept = {(one["endpoint"], one["reason"]) for one in told["obstacles"]}
    assert kept == {("pos_invoice", "the tenant is stopped: SCOPE_MISSING, no")}
    text = run(field, "backfill", "--all", *EARLIER, "--dry-run")
    assert "pos_invoice: the tenant is stopped: SCOPE_MISSING, no" in text
    assert max(map(len, text.splitlines())) <= WIDTH, text


def test_on_a_terminal_a_bar_shows_how_far_it_is(field: Field) -> None:
    moved_cutover(field)
    field.trade.play(ACTS)
    ours, theirs = os.openpty()
    run_id = asked(field, "backfill", "--all", *EARLIER, "--detach")["run"]
    with (
        started(field, "runs", "show", str(run_id), "--watch", stderr=theirs) as watching,
        os.fdopen(ours, "rb") as seen,
    ):
        os.close(theirs)
        shown = b""
        while b"looked at" not in shown:
            shown += os.read(seen.fileno(), 4096)
        field.relay()
        field.consumers()
        while watching.poll() is None:
            with suppress(OSError):  # a terminal that nobody has any more
                shown += os.read(seen.fileno(), 4096)
        out, _ = watching.communicate(timeout=RUN_SECONDS)
    assert watching.returncode == OK
    assert b"0 sent, 0 there, 0 blocked, 0 failed" in shown
    assert "Done after" in out
    field.drain()
    field.clean()


def test_over_live_traffic_and_over_another_backfill_each_document_goes_once(field: Field) -> None:
    before_the_cutover(field)
    moved_cutover(field, "2026-01-01")
    field.trade.open()
    first = asked(field, "backfill", "--all", *EARLIER, "--detach")["run"]
    second = started(field, "backfill", "--all", *EARLIER, "--json")
    field.trade.go_on(ACTS)
    out, err = second.communicate(timeout=RUN_SECONDS)
    field.drain()
    assert second.returncode in {OK, WRONG}, err  # a sale may wait to be paid for
    told = [asked(field, "runs", "show", str(run), "--watch") for run in (first, json.loads(out)["run"])]
    assert first != told[1]["run"]
    for one in told:
        assert one["state"] == "done"
        assert one["found"] == one["queued"] == sum(one["counts"].values())
        assert one["counts"]["sent"] > 0
    third = asked(field, "backfill", "--all", *EARLIER)
    true(field, third)
    assert third["counts"]["sent"] == 0, "what was sent long ago is there already"
    assert third["counts"]["there"] == sum(sent(field).values())
    field.drain()
    field.clean()


def test_a_run_outlives_the_relay_that_carried_it(field: Field) -> None:
    moved_cutover(field)
    field.trade.play(ACTS)
    run_id = asked(field, "backfill", "--all", *EARLIER, "--detach")["run"]
    killed(field.relay("doomed", failpoints="runs.page=kill@2"))
    field.relay()
    field.consumers()
    told = asked(field, "runs", "show", str(run_id), "--watch")
    true(field, told)
    field.drain()
    field.clean()


def test_ctrl_c_stops_watching_and_not_the_run(field: Field) -> None:
    moved_cutover(field)
    field.trade.play(ACTS)
    with started(field, "backfill", "--all", *EARLIER) as watching:
        assert watching.stderr is not None
        assert "is recorded" in watching.stderr.readline()
        said = watching.stderr.readline()
        assert "Nothing has moved for" in said
        assert "Is `aiaccount-sync relay` running?" in said
        watching.send_signal(signal.SIGINT)
        _, err = watching.communicate(timeout=RUN_SECONDS)
    assert watching.returncode == INTERRUPTED
    (run_id,) = [one["run"] for one in asked(field, "runs", "list", "--open")]
    assert f"aiaccount-sync runs show {run_id} --watch" in err
    assert f"aiaccount-sync runs cancel {run_id}" in err
    field.relay()
    field.consumers()
    text = run(field, "runs", "show", str(run_id), "--watch")
    assert max(map(len, text.splitlines())) <= WIDTH, text
    assert "Done after " in text
    true(field, asked(field, "runs", "show", str(run_id)))
    field.drain()
    field.clean()


def test_a_database_that_is_gone_ends_the_watching_and_not_the_run(field: Field) -> None:
    moved_cutover(field)
    field.trade.play(ACTS)
    database = psycopg.conninfo.conninfo_to_dict(field.database_url)["dbname"]
    with started(field, "backfill", "--all", *EARLIER) as watching:
        assert watching.stderr is not None
        assert "is recorded" in watching.stderr.readline()
        sql(field, f'alter database "{database}" connection limit 0')
        _, err = watching.communicate(timeout=RUN_SECONDS)
    sql(field, f'alter database "{database}" connection limit -1')
    assert watching.returncode == SERVICE
    (run_id,) = [one["run"] for one in asked(field, "runs", "list", "--open")]
    assert f"Run {run_id} goes on by itself" in err
    assert f"aiaccount-sync runs show {run_id} --watch" in err
    assert "PostgreSQL: " in err


def test_a_cancelled_run_is_taken_back_and_another_sends_it_all(field: Field) -> None:
    moved_cutover(field)
    field.trade.play(ACTS)
    ready(field.relay())
    run_id = asked(field, "backfill", "--all", *EARLIER, "--detach")["run"]
    assert f"Run {run_id} is cancelled" in run(field, "runs", "cancel", str(run_id))
    assert "was cancelled already" in run(field, "runs", "cancel", str(run_id), status=USAGE)
    taken_back = "select taken_back_at from aiaccount.runs"
    wait_for(lambda: sql(field, taken_back) != [(None,)], RUN_SECONDS, "it to be taken back")
    field.consumers()
    told = asked(field, "runs", "show", str(run_id), "--watch", status=WRONG)
    assert told["state"] == "cancelled"
    counts = told["counts"]
    assert counts["cancelled"] + counts["nothing"] == told["found"], "what was handed out is looked at"
    assert sql(field, "select count(*) from aiaccount.attempts") == [(0,)]
    assert "cancelled" in run(field, "runs", "list")
    actions = [line["action"] for line in asked(field, "audit")]
    assert actions[-3:] == ["backfill", "runs cancel", "runs cancel"]
    true(field, asked(field, "backfill", "--all", *EARLIER))
    field.drain()
    field.clean()


def test_what_cannot_be_is_said_before_anything_happens(field: Field) -> None:
    sql(field, "update aiaccount.tenants set active = false where tenant_id = 2")
    sql(field, "update aiaccount.tenants set company_id = null where tenant_id = 3")
    may = "--from", "2026-05-01", "--to", "2026-05-31"
    for arguments, said in (
        (may, "say whose: --tenant ID"),
        (("--tenant", "1", "--all", *may), "say whose: --tenant ID"),
        (("--tenant", "99", *may), "there is no tenant 99"),
        (("--tenant", "2", *may), "tenant 2 is inactive"),
        (("--tenant", "1", "--tenant", "3", *may), "tenant 3 has no company yet"),
        (
            ("--all", "--from", "2026-05-31", "--to", "2026-05-01"),
            "--from 2026-05-31 is after --to",
        ),
        (("--all", "--from", "20260501", "--to", "2026-05-31"), "--from '20260501' is not a date such as"),
        (("--all", "--from", "2026-02-30", "--to", "2026-05-31"), "--from '2026-02-30' is not a date"),
        (("--all", "--from", "9000-01-01", "--to", "9000-01-02"), "lies in the future"),
        (
            ("--all", "--from", "2025-01-01", "--to", "2026-01-02"),
            "367 days, more than a year: say --yes",
        ),
    ):
        assert said in run(field, "backfill", *arguments, status=USAGE), arguments
    for more in ((), ("--dry-run",), ("--detach",)):
        assert run(field, "backfill", "--all", *may, *more) == "No data to push.\n"
    assert "there is no run 7" in run(field, "runs", "show", "7", status=USAGE)
    assert run(field, "runs", "list") == "No runs.\n"
    for table in ("runs", "wanted_ranges"):
        assert sql(field, f"select count(*) from aiaccount.{table}") == [(0,)]
