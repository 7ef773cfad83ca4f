"""Run one server for people, in the foreground: ``python -m deploy.servers kafka``."""

import argparse
import signal
import sys
import time
from collections.abc import Callable

from deploy.servers import kafka_jars
from deploy.servers.broker import REQUIRE_KAFKA, kafka_required
from deploy.servers.kafka import KafkaServer
from deploy.servers.postgres import PostgresServer
from deploy.servers.process import ServerFailed
from deploy.servers.tansu import TansuServer


def say(sentence: str) -> None:
    """Tell the person at once, also where the output is a pipe."""
    sys.stdout.write(sentence + "\n")
    sys.stdout.flush()


def until_told(address: str, alive: Callable[[], int]) -> None:
    """Show the address and stay until Ctrl-C or SIGTERM; raises ServerFailed when the server ends first."""
    say(address)
    say("Ctrl-C stops it and removes its data.")
    try:
        while alive():
            time.sleep(0.2)
    except KeyboardInterrupt:
        say("\nStopping.")


def fetch() -> None:
    """Fetch Kafka's jars where this machine can use them, and say what was done."""
    if lack := kafka_jars.why_not():
        if kafka_required():
            raise ServerFailed(f"{REQUIRE_KAFKA}=1, but {lack}")
        say(f"{lack}: the tests will use the embedded broker (Tansu) instead of Apache Kafka")
    elif kafka_jars.fetched():
        say(f"Apache Kafka's jars are in {kafka_jars.JARS}")
    else:
        say("Fetching Apache Kafka's jars with Maven ...")
        say(f"Apache Kafka's jars are in {kafka_jars.fetch()}")


def run(name: str) -> None:
    """Run the server ``name`` until told to end."""
    match name:
        case "kafka":
            if lack := kafka_jars.why_not():
                raise ServerFailed(f"{lack}: Apache Kafka needs both Java 17 and Maven")
            fetch()
            say("Starting Apache Kafka ...")
            with KafkaServer() as kafka:
                until_told(f"KAFKA_BOOTSTRAP_SERVERS={kafka.bootstrap}", lambda: kafka.pid)
        case "tansu":
            say("Starting Tansu, the embedded broker ...")
            with TansuServer() as tansu:
                until_told(f"KAFKA_BOOTSTRAP_SERVERS={tansu.bootstrap}", lambda: tansu.pid)
        case "postgres":
            say("Starting PostgreSQL ...")
            with PostgresServer(durable=True) as postgres:
                until_told(f"AIACCOUNT_SYNC_DATABASE_URL={postgres.url}", lambda: postgres.pid)
        case _:
            fetch()


def main() -> int:
    """Run what was asked for; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m deploy.servers", description=__doc__)
    parser.add_argument(
        "what", choices=["kafka", "postgres", "tansu", "fetch"], help="fetch: only get Kafka's jars, once"
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that both end it in good order
    try:
        run(parser.parse_args().what)
    except KeyboardInterrupt:
        return 130
    except ServerFailed as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
