"""Which nouns are fuzzed: one module each, with good inputs (`SEEDS`) and what must hold (`check`)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from tests.fuzz import (
    codes,
    date_range,
    dates,
    envelope,
    error_reply,
    redactor,
    retry_after,
    sealed_key,
    settings,
)
from tests.fuzz.mutation import mutated


@dataclass(frozen=True)
class Target:
    """A noun: good inputs, and a check that raises for what must not be."""

    seeds: Sequence[bytes]
    check: Callable[[bytes], None]


_NOUNS = (codes, date_range, dates, envelope, error_reply, redactor, retry_after, sealed_key, settings)
TARGETS: Mapping[str, Target] = {
    module.__name__.rpartition(".")[2]: Target(module.SEEDS, module.check) for module in _NOUNS
}


class FoundError(AssertionError):
    """A case failed: the message has what makes it again."""


def run(name: str, seed: int, first: int, last: int) -> int:
    """Check the cases `first` to `last` (not included) of a seed, and return how many that were.

    Raises:
        FoundError: A case failed; its cause is the assertion or the error.
    """
    target = TARGETS[name]
    for case in range(first, last):
        data = mutated(target.seeds, Random(f"{name} {seed} {case}"))
        try:
            target.check(data)
        except Exception as error:
            again = f"python -m tests.fuzz {name} --seed {seed} --case {case}"
            raise FoundError(f"{type(error).__name__}: {error}\n{again}\n{data[:2000]!r}") from error
    return last - first
