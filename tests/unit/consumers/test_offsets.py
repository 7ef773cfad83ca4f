"""Which offsets may be committed, against the simplest model that is right."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from consumers.offsets import Offsets, Partition

A, B = ("sales", 0), ("sales", 1)


def test_nothing_read_is_nothing_to_commit() -> None:
    assert Offsets().committable() == {}
    assert Offsets().unsafe == 0


def test_what_lies_behind_the_oldest_unsafe_record_may_be_committed() -> None:
    offsets = Offsets()
    for offset in (7, 8, 10, 11):
        offsets.read(A, offset)
    offsets.safe(A, 8)
    offsets.safe(A, 11)
    assert offsets.committable() == {A: 7}
    offsets.safe(A, 7)
    assert offsets.committable() == {A: 10}
    offsets.safe(A, 10)
    assert offsets.committable() == {A: 12}
    assert offsets.unsafe == 0


def test_what_was_committed_is_not_committed_again() -> None:
    offsets = Offsets()
    offsets.read(A, 0)
    offsets.safe(A, 0)
    offsets.committed(offsets.committable())
    assert offsets.committable() == {}
    offsets.read(A, 1)
    assert offsets.committable() == {}
    offsets.safe(A, 1)
    assert offsets.committable() == {A: 2}


def test_a_lost_partition_is_forgotten_and_a_late_word_of_it_is_nothing() -> None:
    offsets = Offsets()
    offsets.read(A, 5)
    offsets.read(B, 9)
    offsets.lost(A)
    offsets.safe(A, 5)
    offsets.committed({A: 6})
    offsets.lost(("other", 3))
    assert offsets.committable() == {B: 9}
    assert offsets.unsafe == 1


def test_a_partition_that_comes_back_begins_where_it_is_read_again() -> None:
    offsets = Offsets()
    for offset in (5, 6):
        offsets.read(A, offset)
        offsets.safe(A, offset)
    offsets.committed({A: 7})
    offsets.lost(A)
    offsets.read(A, 3)
    offsets.safe(A, 3)
    assert offsets.committable() == {A: 4}


@given(st.permutations(range(20)))
def test_in_whatever_order_records_become_safe_each_step_commits_just_the_safe_front(
    order: list[int],
) -> None:
    offsets = Offsets()
    for offset in range(20):
        offsets.read(A, offset)
    safe: set[int] = set()
    for offset in order:
        offsets.safe(A, offset)
        safe.add(offset)
        front = next((n for n in range(20) if n not in safe), 20)
        assert offsets.committable() == {A: front}


@dataclass
class Log:
    """One partition as the model sees it: every record read, whether it is safe, what was committed."""

    position: int = 0
    safe: dict[int, bool] = field(default_factory=dict)
    committed: int = -1


class OffsetsAgainstAModel(RuleBasedStateMachine):
    """Read, make safe, commit and lose in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.offsets = Offsets()
        self.logs: dict[Partition, Log] = {}

    @rule(partition=st.sampled_from([A, B]), gap=st.integers(0, 3))
    def read(self, partition: Partition, gap: int) -> None:
        """Read a record, perhaps after a gap."""
        log = self.logs.setdefault(partition, Log())
        log.position += gap
        self.offsets.read(partition, log.position)
        log.safe[log.position] = False
        log.position += 1

    @precondition(lambda self: any(log.safe for log in self.logs.values()))
    @rule(data=st.data())
    def make_safe(self, data: st.DataObject) -> None:
        """Make a record safe, perhaps again."""
        partition = data.draw(st.sampled_from([p for p, log in self.logs.items() if log.safe]))
        offset = data.draw(st.sampled_from(list(self.logs[partition].safe)))
        self.offsets.safe(partition, offset)
        self.logs[partition].safe[offset] = True

    @rule()
    def commit(self) -> None:
        """Commit what may be."""
        moved = self.offsets.committable()
        self.offsets.committed(moved)
        for partition, offset in moved.items():
            self.logs[partition].committed = offset

    @rule(partition=st.sampled_from([A, B]))
    def lose(self, partition: Partition) -> None:
        """Lose a partition; it begins anew later."""
        self.offsets.lost(partition)
        self.logs.pop(partition, None)

    @invariant()
    def only_a_safe_front_is_committable(self) -> None:
        """Compare with the front of the model."""
        fronts = {
            partition: next((offset for offset, safe in log.safe.items() if not safe), log.position)
            for partition, log in self.logs.items()
        }
        moved = {p: front for p, front in fronts.items() if front > self.logs[p].committed}
        assert self.offsets.committable() == moved
        unsafe = [safe for log in self.logs.values() for safe in log.safe.values() if not safe]
        assert self.offsets.unsafe == len(unsafe)


TestOffsetsAgainstAModel = OffsetsAgainstAModel.TestCase
TestOffsetsAgainstAModel.settings = settings(max_examples=40, stateful_step_count=40)
