"""What a benchmark gives: figures with one value a round, some with the aim that they are to meet."""

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Aim:
    """A limit that a figure's median is to keep: an upper one, or a lower one where `at_least` says so."""

    limit: float
    at_least: bool = False

    def met(self, value: float) -> bool:
        """Tell whether a value keeps it."""
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.limit:g}"


@dataclass(frozen=True)
class Figure:
    """One thing measured: a value for each round."""

    name: str
    unit: str
    aim: Aim | None
    values: list[float] = field(default_factory=list)

    @property
    def met(self) -> bool | None:
        """Whether the median keeps the aim; none where there is no aim."""
        return None if self.aim is None else self.aim.met(median(self.values))

    def as_json(self) -> dict[str, Any]:
        """Return it for a machine: median, extremes and every value."""
        return {
            "name": self.name,
            "unit": self.unit,
            "min": min(self.values),
            "median": median(self.values),
            "max": max(self.values),
            "values": self.values,
            "aim": None if self.aim is None else str(self.aim),
            "met": self.met,
        }


@dataclass(frozen=True)
class Run:
    """One run of a benchmark: how many rounds, how much in each, where figures and progress go."""

    rounds: int
    quick: bool
    tell: Callable[[str], None]
    figures: dict[str, Figure] = field(default_factory=dict)

    def size(self, full: int, quick: int) -> int:
        """Return how much is done in a round."""
        return quick if self.quick else full

    def note(self, name: str, unit: str, value: float, aim: Aim | None = None) -> None:
        """Note one round's value of a figure."""
        self.figures.setdefault(name, Figure(name, unit, aim)).values.append(value)


def quantile(values: list[float], share: float) -> float:
    """Return the value that `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
