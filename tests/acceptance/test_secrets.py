"""API keys stand nowhere in clear, whatever happens: looked for after a run with every kind of trouble."""

import hashlib
import secrets
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest
from kafka import KafkaConsumer
from kafka.structs import TopicPartition
from sqlalchemy.engine import make_url

from console.exits import Exit
from deploy.checker import check, render
from deploy.sandbox.endpoint import SCOPES
from deploy.servers.postgres import Binaries, find_binaries
from deploy.stack import Installation
from outbox.endpoints import DEAD_LETTERS, TOPICS
from tests.conftest import RunningBroker
from tests.databases import cloned
from tests.faults.book import lines, pushes
from tests.faults.field import Field, ready
from tests.faults.ground import Ground, field_on
from tests.waiting import wait_for

ACTS = 40
REFUSE_SECONDS = 30.0
LOOK_SECONDS = 0.02
CUT = """
    select count(pg_terminate_backend(pid)) from pg_stat_activity
    where datname = current_database() and application_name like 'aiaccount-sync%'
"""
STOPPED = "select count(*) from aiaccount.stops where code = 'API_KEY_INVALID'"


@contextmanager
def arguments_watched() -> Iterator[set[str]]:
    """Give the arguments of all processes that this one starts, directly or not, as they come."""
    seen: set[str] = set()
    done = threading.Event()

    def look() -> None:
        while not done.wait(LOOK_SECONDS):
            for process in psutil.Process().children(recursive=True):
                try:
                    seen.add("\0".join(process.cmdline()))
                except psutil.Error:
                    continue

    watch = threading.Thread(target=look, name="watch")
    watch.start()
    try:
        yield seen
    finally:
        done.set()
        watch.join()


def messages(bootstrap: str) -> bytes:
    """Return all that stands in our topics: keys, values and headers."""
    kafka = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, metrics_enabled=False)
    try:
        topics = [*TOPICS.values(), DEAD_LETTERS]
        places = [
            TopicPartition(topic, n) for topic in topics for n in kafka.partitions_for_topic(topic) or ()
        ]
        kafka.assign(places)
        kafka.seek_to_beginning()
        ends, found = kafka.end_offsets(places), []
        while any(kafka.position(place) < ends[place] for place in places):
            for records in kafka.poll(timeout_ms=500).values():
                for record in records:
                    headers = b"".join(name.encode() + (value or b"") for name, value in record.headers)
                    found.append(b"\n".join((record.key or b"", record.value or b"", headers)))
    finally:
        kafka.close(autocommit=False)
    return b"\n".join(found)


def dump(url: str) -> str:
    """Return a dump of the whole database, schema and rows."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    binary = find_binaries(Binaries.AUTO) / "pg_dump"
    return subprocess.run([str(binary), plain], capture_output=True, text=True, check=True).stdout


def stops(field: Field) -> int:
    """Return how many tenants are stopped for a key that was refused."""
    with psycopg.connect(field.database_url) as connection:
        row = connection.execute(STOPPED).fetchone()
    return row[0] if row else 0


def said(installation: Installation, *arguments: str, given: str = "") -> str:
    """Run a command that fails, and return all that it printed."""
    with pytest.raises(subprocess.CalledProcessError) as failed:
        installation.run(*arguments, given=given)
    return f"{failed.value.stdout}{failed.value.stderr}"


def but(installation: Installation, **variables: str) -> Installation:
    """Return the installation with other variables."""
    other = Installation("", "", "", installation.folder, options=installation.options)
    other.env = {**installation.env, **variables}
    return other


def test_after_every_kind_of_trouble_no_key_stands_anywhere(
    ground: Ground, broker_server: RunningBroker, tmp_path: Path
) -> None:
    options = ("--debug", "--log-level", "debug")
    with (
        field_on(ground, broker_server.bootstrap, tmp_path, *options) as field,
        arguments_watched() as arguments,
    ):
        first, second = field.subscribers[:2]
        new, refused = f"canary{secrets.token_hex(12)}", f"canary{secrets.token_hex(12)}"
        keys = [*(one.key for one in field.subscribers), new, refused]
        relay, consumers = field.relay(), field.consumers()
        ready(relay, consumers)
        field.trade.play(ACTS)

        # A key is revoked under way, a wrong one is tried, the new one is entered.
        field.sandbox.patch_company(first.company_id, keys=[{"key": new, "scopes": list(SCOPES)}])
        field.trade.play(ACTS)
        wait_for(lambda: stops(field), 30, "the revoked key to be refused")
        told = [said(field.installation, "credentials", "set", str(first.tenant_id), given=f"{refused}\n")]
        told.append(field.installation.run("credentials", "set", str(first.tenant_id), given=f"{new}\n"))
        told.append(field.installation.run("credentials", "list"))
        told.append(field.installation.run("credentials", "test"))

        # AiAccount breaks off in the middle, then is gone; PostgreSQL's connections are cut, then it is gone.
        for behaviour in ("reset_after_storing", "half_reply", "html", "status"):
            field.sandbox.add_fault(behaviour, match={"company_id": second.company_id}, times=2)
        nowhere = but(field.installation, AIACCOUNT_SYNC_API_URL="http://127.0.0.1:1")
        told.append(said(nowhere, "credentials", "set", str(first.tenant_id), given=f"{new}\n"))
        with nowhere.consumers("nowhere"):
            field.trade.play(ACTS)
        with psycopg.connect(field.database_url, autocommit=True) as connection:
            connection.execute(CUT)
        gone = but(field.installation, AIACCOUNT_SYNC_DATABASE_URL="postgresql://postgres@127.0.0.1:1/ns16")
        told.append(said(gone, "credentials", "set", str(first.tenant_id), given=f"{new}\n"))
        field.trade.play(ACTS)
        field.sandbox.clear_faults()
        field.drain()

        told += [relay.metrics(), consumers.metrics(), dump(field.database_url), "\n".join(arguments)]
        records = messages(field.bootstrap)
        verdict = check(
            field.database_url,
            field.sandbox.book,
            canaries=keys,
            texts=[*told, records.decode("utf-8", "replace"), tmp_path],
        )
    assert verdict.clean, render(verdict)
    assert verdict.pending == 0, render(verdict)
    assert len(records.splitlines()) > ACTS
    assert any("credentials\0set" in line for line in arguments)
    hashes = {hashlib.sha256(key.encode()).hexdigest() for key in keys}
    assert {line["key_sha256"] for line in lines(field.sandbox.book, "request")} == hashes
    assert "[API key]" not in field.sandbox.book.read_text("utf-8"), "a key was sent outside of its header"
    assert all("--log-level\0debug" in line for line in arguments if "\0console\0" in line)
    assert any("Traceback" in text for text in told)
    assert "event=delivery" in consumers.log.read_text("utf-8")


def test_a_copy_of_the_database_under_another_name_does_not_run(ground: Ground, field: Field) -> None:
    services = field.relay(), field.consumers()
    field.trade.play(ACTS)
    field.drain()
    for service in services:
        service.stop()
    asked = len(pushes(field.sandbox.book))
    name = make_url(field.database_url).database
    assert name is not None
    with cloned(ground.server, name) as url:
        copy = but(field.installation, AIACCOUNT_SYNC_DATABASE_URL=url, AIACCOUNT_SYNC_ENVIRONMENT="staging")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("update aiaccount.tasks set due_at = now()")
        for service in (copy.relay("copied-relay"), copy.consumers("copied-consume")):
            service.launch()
            assert service.wait(REFUSE_SECONDS) == Exit.INSTALLATION, service.log_tail()
            assert "faults" in service.log_tail()
    assert len(pushes(field.sandbox.book)) == asked
    field.clean()
