"""Measure in a process of its own, so that neither side of a comparison pays for the other's garbage."""

import multiprocessing
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from tests.bench.usage import MEGABYTE, Usage

Given = TypeVar("Given")


@dataclass(frozen=True)
class Isolated(Generic[Given]):
    """What a function gave, and what its process took while it ran (the starting of Python left out)."""

    value: Given
    used: Usage


def isolated(function: Callable[..., Given], *arguments: object) -> Isolated[Given]:
    """Call a module's function in a fresh Python process; arguments and result are pickled."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        result: Isolated[Given] = pool.apply(_measured, (function, *arguments))
    return result


def _measured(function: Callable[..., Given], *arguments: Any) -> Isolated[Given]:
    before = time.process_time()
    value = function(*arguments)
    taken = time.process_time() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Isolated(value, Usage(taken, peak / MEGABYTE))
