"""`aiaccount-sync relay`: what changed goes to Kafka."""

import signal
import threading

import typer

from console.exits import PLAIN_MEANINGS, Exit
from console.printing import epilog
from console.session import session_of
from outbox.broker import Producer
from outbox.environment import Config
from outbox.failpoints import failpoints
from outbox.health import Health
from outbox.housekeeping import Housekeeping
from outbox.leadership import Leadership
from outbox.metrics import RelayMetrics
from outbox.relay import Relay

_EPILOG = epilog(("aiaccount-sync relay",), {**PLAIN_MEANINGS, Exit.OK: "stopped"})
_HOUSEKEEPING_SECONDS = 15.0


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=_EPILOG)(relay)


def relay(context: typer.Context) -> None:
    """Carry changes from NS16's database to Kafka.

    Runs until Ctrl-C or SIGTERM. One relay works at a time; start more, and they stand by.
    Metrics, /livez and /readyz are served on AIACCOUNT_SYNC_RELAY_METRICS_PORT.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run(session_of(context).config, stop)


def run(config: Config, stop: threading.Event) -> None:
    """Put a relay together and run it until `stop` is set.

    Raises:
        UsageError: A setting is missing, or the port of the metrics is taken.
        InstallationError: The database is not one to relay from.
    """
    url, environment = config.require_database(), config.require_environment()
    metrics = RelayMetrics()
    working = Relay(
        Leadership(url, environment),
        lambda: Producer(config.bootstrap_servers, "aiaccount-sync-relay"),
        environment,
        watcher=metrics,
        reach=failpoints(config.failpoints),
    )
    beside = threading.Thread(target=Housekeeping(url, metrics).run, args=(stop,), name="housekeeping")
    host, port = config.metrics_host, config.relay_metrics_port
    with Health(metrics.registry, ready=metrics.ready, alive=metrics.alive, host=host, port=port):
        beside.start()
        try:
            working.run(stop)
        finally:
            stop.set()
            beside.join(_HOUSEKEEPING_SECONDS)
