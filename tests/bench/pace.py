"""Begin work at a steady rate, however long each piece takes."""

import threading
import time
from collections.abc import Callable, Iterable

import psycopg


def at_rate(
    rate: float,
    ids: Iterable[int],
    writers: int,
    database: str,
    work: Callable[[psycopg.Connection, int], None],
) -> None:
    """Call `work` for each id, `rate` a second, over as many connections as `writers`, and wait for all.

    Raises:
        Exception: What the first `work` that failed has raised.
    """
    waiting = iter(list(enumerate(ids)))
    lock = threading.Lock()
    failures: list[Exception] = []
    begun = time.monotonic() + 0.1

    def write() -> None:
        try:
            with psycopg.connect(database, autocommit=True) as connection:
                while not failures:
                    with lock:
                        place, id_ = next(waiting, (None, 0))
                    if place is None:
                        return
                    time.sleep(max(0.0, begun + place / rate - time.monotonic()))
                    work(connection, id_)
        except Exception as error:  # noqa: BLE001 - it is raised below, in the caller's thread
            failures.append(error)

    threads = [threading.Thread(target=write, name=f"writer-{n}") for n in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
