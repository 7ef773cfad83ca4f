import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest

from deploy.servers import postgres
from deploy.servers.postgres import Binaries, PostgresServer, Shutdown, machine_binaries
from deploy.servers.process import ServerFailed, alive, family
from tests.waiting import wait_for

FLAVOURS = [Binaries.MACHINE, Binaries.WHEEL] if machine_binaries() else [Binaries.WHEEL]


def _gone(processes: list[psutil.Process]) -> bool:
    return not any(alive(process) for process in processes)


@pytest.mark.parametrize("binaries", FLAVOURS)
def test_it_keeps_port_and_data_through_stop_kill_and_start_and_leaves_nothing(binaries: Binaries) -> None:
    with PostgresServer(binaries) as server:
        url = server.url
        with psycopg.connect(url) as connection:
            connection.execute("create table kept as select 1 as one")
        seen = family(server.pid)
        assert len(seen) > 1

        server.stop()
        assert _gone(seen)
        with pytest.raises(ServerFailed, match="does not run"):
            _ = server.pid
        server.start()
        seen = family(server.pid)

        server.kill()
        assert _gone(seen)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url)
        server.start()
        server.restart(Shutdown.IMMEDIATE)

        assert server.url == url
        with psycopg.connect(url) as connection:
            assert connection.execute("select one from kept").fetchone() == (1,)
            (data,) = connection.execute("show data_directory").fetchone() or ("",)
        seen = family(server.pid)
    assert _gone(seen)
    assert not Path(data).parent.exists()


@pytest.mark.parametrize("binaries", FLAVOURS)
def test_it_runs_with_the_settings_that_the_relay_needs_and_never_as_root(binaries: Binaries) -> None:
    with PostgresServer(binaries) as server, psycopg.connect(server.url) as connection:
        names = ("server_encoding", "wal_level", "max_prepared_transactions", "fsync", "listen_addresses")
        shown = [connection.execute("select current_setting(%s)", [name]).fetchone() for name in names]
        assert shown == [("UTF8",), ("replica",), ("20",), ("off",), ("127.0.0.1",)]
        assert psutil.Process(server.pid).uids().effective != 0


def test_a_durable_server_syncs() -> None:
    with PostgresServer(durable=True) as server, psycopg.connect(server.url) as connection:
        assert connection.execute("select current_setting('fsync')").fetchone() == ("on",)


def test_the_wheel_runs_from_where_only_its_owner_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = postgres.wheel_binaries().parents[1]
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    for folder in (package, package.with_name(package.name + ".libs")):
        (hidden / folder.name).symlink_to(folder)
    monkeypatch.setattr(postgres, "wheel_binaries", lambda: hidden / package.name / "pginstall18" / "bin")

    with PostgresServer(Binaries.WHEEL) as server, psycopg.connect(server.url) as connection:
        assert connection.info.server_version // 10_000 == 18


def test_a_server_that_cannot_start_says_why_and_leaves_nothing(own_postgres: PostgresServer) -> None:
    with psycopg.connect(own_postgres.url, autocommit=True) as connection:
        connection.execute("alter system set shared_preload_libraries = 'no_such_library'")
    own_postgres.stop()
    with pytest.raises(ServerFailed, match="no_such_library"):
        own_postgres.start()
    with pytest.raises(ServerFailed, match="does not run"):
        _ = own_postgres.pid


if sys.platform == "linux":  # elsewhere nothing ties a child to its parent

    def test_it_dies_with_a_parent_that_is_killed() -> None:
        program = (
            "import sys, time; from deploy.servers.postgres import PostgresServer as P; s = P(); s.start();"
            "print(s.pid, flush=True); print(s._directory, flush=True); time.sleep(600)"
        )
        parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        try:
            assert parent.stdout is not None
            seen = family(int(parent.stdout.readline()))
            directory = Path(parent.stdout.readline().strip())
            assert len(seen) > 1
        finally:
            os.kill(parent.pid, signal.SIGKILL)
            parent.communicate()
        wait_for(lambda: _gone(seen), 10, "the orphaned server to end")
        subprocess.run(["rm", "-rf", directory], check=True)
