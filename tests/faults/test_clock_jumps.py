"""Clocks jump: the database's by an hour forth and back, the workers' by days at every look."""

from pathlib import Path

import psycopg
import pytest

from outbox.statements import statements
from tests.faults.field import Field, ready

ACTS = 25
_SQL = statements("tests.faults", "clock.sql")
SITE = """
import random, time
_true = time.time
time.time = lambda: _true() + random.uniform(-5, 5) * 86_400
"""


def set_clock(field: Field, by: str) -> int:
    """Let the database's clock jump; return by how many seconds it is wrong now."""
    with psycopg.connect(field.database_url, autocommit=True) as connection:
        connection.execute(_SQL["set"], {"by": by})
        return int(connection.execute(_SQL["told"]).fetchall()[0][0])


def test_a_database_whose_clock_jumps_an_hour_forth_and_back_loses_and_doubles_nothing(field: Field) -> None:
    with psycopg.connect(field.database_url, autocommit=True) as connection:
        connection.execute(_SQL["make"])
    ready(field.relay(), field.consumers())
    field.trade.open()
    for by, told in (("1 hour", 3600), ("-1 hour", -3600), ("0", 0)):
        field.trade.go_on(ACTS)
        assert set_clock(field, by) == told
    field.trade.go_on(ACTS)
    field.drain()
    field.clean()


def test_workers_whose_wall_clock_jumps_by_days_at_every_look_lose_and_double_nothing(
    field: Field, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(SITE)
    monkeypatch.setitem(field.installation.env, "PYTHONPATH", str(tmp_path))
    ready(field.relay(), field.consumers())
    field.trade.open()
    field.trade.go_on(ACTS * 3)
    field.drain()
    field.clean()
    lines = [line for log in field.logs() for line in log.read_text("utf-8").splitlines()]
    days = {line[5:15] for line in lines if line.startswith("time=")}
    assert len(days) > 3, "the workers' clock did not jump"
