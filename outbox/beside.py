"""How work beside the relay goes on: a step and a pause, until told to stop; after an error, anew."""

import logging
import threading
from typing import Protocol

from outbox.errors import ServiceError

log = logging.getLogger(__name__)

IDLE_SECONDS = 0.5
ERROR_SECONDS = 5.0


class Work(Protocol):
    """What is done step by step."""

    def run_once(self) -> float:
        """Do a step and return how many seconds to pause, or raise `ServiceError`."""
        ...

    def close(self) -> None:
        """Let go of the connection; the next step opens another."""
        ...


def go_on(work: Work, name: str, stop: threading.Event) -> None:
    """Do one step after the other until `stop` is set; `name` is what the log calls the work."""
    while not stop.is_set():
        try:
            pause = work.run_once()
        except ServiceError as error:
            log.info("%s: begun anew in a moment", name, extra={"error": str(error)})
            work.close()
            pause = ERROR_SECONDS
        stop.wait(pause)
    work.close()
