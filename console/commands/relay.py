"""`aiaccount-sync relay`: what changed goes to Kafka."""

import signal
import threading

import typer

from console.exits import PLAIN_MEANINGS, Exit
from console.printing import epilog
from console.session import session_of
from outbox.broker import Producer
from outbox.carrying import Carrying
from outbox.environment import Config
from outbox.failpoints import failpoints
from outbox.health import Health
from outbox.housekeeping import Housekeeping
from outbox.leadership import Leadership
from outbox.looks import Pace, Reconciliation
from outbox.metrics import RelayMetrics
from outbox.relay import Relay

_EPILOG = epilog(
    ("aiaccount-sync relay",),
    {**PLAIN_MEANINGS, Exit.OK: "stopped"},
    ("The database login needs the role aiaccount_relay.",),
)
_BESIDE_SECONDS = 15.0


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
    metrics, reach = RelayMetrics(), failpoints(config.failpoints)
    working = Relay(
        Leadership(url, environment),
        lambda: Producer(config.bootstrap_servers, "aiaccount-sync-relay", patience=config.send_seconds),
        environment,
        watcher=metrics,
        reach=reach,
    )
    looking = Reconciliation(url, lambda: working.leads, metrics, _pace(config))
    beside = [
        threading.Thread(target=Housekeeping(url, metrics).run, args=(stop,), name="housekeeping"),
        threading.Thread(target=looking.run, args=(stop,), name="reconcile"),
        threading.Thread(
            target=Carrying(url, lambda: working.leads, reach=reach).run, args=(stop,), name="runs"
        ),
    ]
    host, port = config.metrics_host, config.relay_metrics_port
    with Health(metrics.registry, ready=metrics.ready, alive=metrics.alive, host=host, port=port):
        for thread in beside:
            thread.start()
        try:
            working.run(stop)
        finally:
            stop.set()
            for thread in beside:
                thread.join(_BESIDE_SECONDS)


def _pace(config: Config) -> Pace:
    return Pace(
        seconds=config.reconcile_seconds,
        days=config.reconcile_days,
        grace=config.reconcile_grace_seconds,
        share=config.reconcile_share,
    )
