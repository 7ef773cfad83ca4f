"""A shop that goes on: an installation that runs under load while one server after the other falls ill.

It is shared by the tests of a module. Each begins with all well, lets something fail, sees that it did, and
ends with all well again: nothing left to do, and the checker's verdict over all that happened so far.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

from deploy.stack import Service
from tests.faults.field import Field, ready
from tests.waiting import wait_for

ACTS = 25
PASS_SECONDS = 45.0
QUICK = {"AIACCOUNT_SYNC_RECONCILE_SECONDS": "1", "AIACCOUNT_SYNC_RECONCILE_GRACE_SECONDS": "1"}


@dataclass
class Shop:
    """An installation, the relay and the consumers that it has now."""

    field: Field
    relay: Service
    consumers: Service
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def trading(self) -> Field:
        """Open the tills, and go on until some sales have been made."""
        self.field.trade.open()
        self.field.trade.go_on(ACTS)
        return self.field

    def well(self) -> None:
        """Sell some more; wait until nothing is left to do; the verdict must be that all is well."""
        self.field.trade.go_on(ACTS)
        self.field.drain()
        self.field.clean()

    def passed(self) -> None:
        """Wait until the relay has passed all that was written."""
        wait_for(lambda: self.field.ask("open")[0] == 0, PASS_SECONDS, "the relay to pass all")

    def begun_anew(self) -> int:
        """Return how often the relay has lost what it works with and begun anew."""
        return self.relay.log.read_text("utf-8").count("the relay begins anew")

    def start_consumers(self) -> None:
        """Start other consumers in the place of those that were stopped."""
        self.consumers = self.field.consumers(f"consume-{next(self._numbers)}")

    def find_what_was_lost(self) -> None:
        """Let a relay compare rows with what was handled every second, until all was found."""
        self._start_relay(QUICK)
        wait_for(lambda: self.field.ask("unclaimed")[0] == 0, PASS_SECONDS, "all that was lost to be found")
        self.field.do("due_now")  # what was handed out and lost comes again in five minutes: brought near
        self._start_relay(dict.fromkeys(QUICK, "3600"))

    def _start_relay(self, settings: dict[str, str]) -> None:
        self.relay.stop()
        self.field.installation.env.update(settings)
        self.relay = self.field.relay(f"relay-{next(self._numbers)}")


@contextmanager
def opened(field: Field) -> Iterator[Shop]:
    """Give a shop whose processes are ready."""
    shop = Shop(field, field.relay(), field.consumers())
    ready(shop.relay, shop.consumers)
    yield shop
