"""Which offsets may be committed: only what lies behind the oldest record that is not yet safe. Pure.

A record is safe once its claim, or its `again`, is committed in the task list. Records become safe in any
order; an offset is committed only when every earlier one of its partition is safe too.
"""

Partition = tuple[str, int]


class Offsets:
    """Follow the records of the partitions that are assigned now."""

    def __init__(self) -> None:
        self._open: dict[Partition, dict[int, None]] = {}  # in the order they were read
        self._next: dict[Partition, int] = {}
        self._committed: dict[Partition, int] = {}

    def read(self, partition: Partition, offset: int) -> None:
        """Note that a record was read."""
        self._open.setdefault(partition, {})[offset] = None
        self._next[partition] = offset + 1

    def safe(self, partition: Partition, offset: int) -> None:
        """Note that a record is safe; one of a partition that was lost meanwhile is nothing."""
        self._open.get(partition, {}).pop(offset, None)

    def lost(self, partition: Partition) -> None:
        """Forget a partition that another member has now: it reads again from what was committed."""
        for known in (self._open, self._next, self._committed):
            known.pop(partition, None)

    def committable(self) -> dict[Partition, int]:
        """Return the next offset to read for each partition that has moved since `committed`."""
        ahead = {p: next(iter(self._open[p]), self._next[p]) for p in self._next}
        return {p: offset for p, offset in ahead.items() if offset > self._committed.get(p, -1)}

    def committed(self, offsets: dict[Partition, int]) -> None:
        """Note what the broker has taken."""
        for partition, offset in offsets.items():
            if partition in self._next:
                self._committed[partition] = offset

    @property
    def unsafe(self) -> int:
        """How many records were read and are not safe yet."""
        return sum(map(len, self._open.values()))
