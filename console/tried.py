"""The attempts at a document in words, 80 columns wide: pure."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from console.figures import MINUTE, exact, span
from console.layout import fact
from console.story import Attempt, Story

_TREATED = {
    "accepted": "accepted",
    "unknown": "no clear answer",
    "busy": "still at work",
    "limited": "called too often",
    "retry": "not yet",
    "block": "refused",
    "conflict": "in conflict",
    "park": "refused for good",
    "stop endpoint": "refused, and the endpoint stopped",
    "stop tenant": "refused, and the tenant stopped",
}
_FIRST, _LAST = 2, 8


def tried(story: Story, attempts: Sequence[Attempt]) -> Iterator[str]:
    """List the attempts; of very many the first and the last."""
    zone = story.owner.timezone if story.owner else "UTC"
    left_out = len(attempts) - _FIRST - _LAST
    for at, one in enumerate(attempts):
        if left_out > 0 and _FIRST <= at < _FIRST + left_out:
            if at == _FIRST:
                yield from fact("", f"... {left_out} more attempts ...")
            continue
        treated = _TREATED.get(one.treatment, one.treatment)
        calls = "" if one.calls == 1 else f", {one.calls} calls"
        long = timedelta(seconds=one.seconds)
        took = f"{one.seconds:.1f} s" if long < MINUTE else span(long)
        yield from fact(
            "tried" if not at else "", f"{exact(one.began_at, zone)}  {treated}, {one.code} ({took}{calls})"
        )
        if one.reason and one.reason != one.code:
            yield from fact("", f"  {one.reason}")
