"""The till's throughput: capture by triggers, beside an outbox row written by the application and none.

Rounds are cut into short slices that take turns, since one disk's mood is larger than what is compared.
"""

import re
import subprocess
from pathlib import Path

import psycopg

from deploy.servers.postgres import Binaries, find_binaries
from outbox.migrate import drop_triggers
from tests.bench.figures import Aim, Run
from tests.bench.machines import machines, new_database
from tests.bench.sales import pgbench_script
from tests.bench.usage import Meter

ABOUT = "sales a second with capture, beside an outbox row written by the application and beside none"
CLIENTS = (1, 16)
SLICES, QUICK_SLICES = 4, 1
SLICE_SECONDS = 2
SIDES = ("capture", "application", "neither")


def measure(run: Run) -> None:
    """Let pgbench ring up sales on three databases by turns."""
    with machines() as here:
        urls = {side: new_database(here.postgres, f"till_{side}") for side in SIDES}
        for side in SIDES[1:]:
            drop_triggers(urls[side])
        scripts = {side: here.folder / f"{side}.sql" for side in SIDES}
        for side, script in scripts.items():
            script.write_text(pgbench_script(outbox_row=side == "application"))
        turn = 0
        for number in range(run.rounds):
            for clients in CLIENTS:
                run.tell(f"round {number + 1} of {run.rounds}: {_named(clients)}")
                sales, cpu = dict.fromkeys(SIDES, 0.0), dict.fromkeys(SIDES, 0.0)
                slices = run.size(SLICES, QUICK_SLICES)
                for slice_ in range(slices):
                    for place in range(len(SIDES)):
                        side = SIDES[(slice_ + place) % len(SIDES)]
                        turn += 1
                        with Meter({"PostgreSQL": here.postgres.pid}) as meter:
                            sales[side] += _play(urls[side], scripts[side], clients, turn)
                        cpu[side] += meter.used["PostgreSQL"].cpu_seconds
                _note(run, {side: sales[side] / slices / SLICE_SECONDS for side in SIDES}, clients)
                for side in SIDES:
                    name = f"CPU of PostgreSQL, {side}, {_named(clients)}"
                    run.note(name, "us a sale", 1e6 * cpu[side] / sales[side])
        _check(urls)


def _note(run: Run, rates: dict[str, float], clients: int) -> None:
    at = _named(clients)
    for side, rate in rates.items():
        run.note(f"{side}, {at}", "sales/s", rate)
    ratio = rates["capture"] / rates["application"]
    run.note(f"capture / application, {at}", "x", ratio, Aim(1.0, at_least=True))
    run.note(f"capture / neither, {at}", "x", rates["capture"] / rates["neither"])


def _named(clients: int) -> str:
    return f"{clients} client{'s' * (clients > 1)}"


def _play(url: str, script: Path, clients: int, turn: int) -> int:
    """Play sales for one slice, and return how many."""
    played = subprocess.run(
        [
            find_binaries(Binaries.AUTO) / "pgbench",
            *("--no-vacuum", "--protocol=prepared", f"--file={script}", f"--client={clients}", "--jobs=1"),
            *(f"--time={SLICE_SECONDS}", f"--define=run={turn}", "--define=n=0", url),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"actually processed: (\d+)", played.stdout)
    if played.returncode or found is None:
        raise RuntimeError(f"pgbench failed:\n{played.stdout}{played.stderr}")
    return int(found[1])


def _check(urls: dict[str, str]) -> None:
    """Make sure that both sides wrote one outbox row for each sale: else they are not the same work."""
    for side, url in urls.items():
        with psycopg.connect(url, autocommit=True) as connection:
            sales, rows = connection.execute(
                "select (select count(*) from pos_transactions), (select count(*) from aiaccount.outbox)"
            ).fetchall()[0]
        if rows != (0 if side == "neither" else sales):
            raise RuntimeError(f"{side}: {rows} outbox rows of {sales} sales")
