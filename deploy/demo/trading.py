"""What all who trade in the demo share: the database, the day's clock, the record, and when to stop."""

from contextlib import closing
from dataclasses import dataclass, field
from threading import Event

from deploy.demo.clock import TradingClock
from deploy.demo.ledger import Ledger
from deploy.demo.record import Record

_PATIENCE_SECONDS = 20.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Trading:
    """A trading day under way."""

    url: str
    clock: TradingClock
    record: Record = field(default_factory=Record)
    stop: Event = field(default_factory=Event)

    def ledger(self) -> closing[Ledger]:
        """Open the ledger, for one thread."""
        return closing(Ledger(self.url))

    def goes_on_at(self, part: float) -> bool:
        """Sleep until this part of the day, from 0 to 1; say whether the day goes on then."""
        return not self.stop.wait(self.clock.seconds_until(part))

    def until_posted(self, ledger: Ledger, endpoint: str, row_id: int, number: str) -> None:
        """Wait until a document is in the books; where it never is, go on after a while."""
        for _ in range(int(_PATIENCE_SECONDS / _POLL_SECONDS)):
            if ledger.accepted(endpoint, row_id, number) or self.stop.wait(_POLL_SECONDS):
                return
