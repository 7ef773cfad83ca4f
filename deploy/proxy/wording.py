"""Toxics in words, for people: `latency seconds=0.2 jitter=0.1 upstream`."""

from dataclasses import MISSING, fields
from typing import Any

from deploy.proxy.toxics import (
    Bandwidth,
    Direction,
    Down,
    Latency,
    Limit,
    Reset,
    Slicer,
    SlowClose,
    Timeout,
    Toxic,
)

TOXICS: dict[str, type[Toxic]] = {
    "latency": Latency,
    "down": Down,
    "timeout": Timeout,
    "reset": Reset,
    "slow-close": SlowClose,
    "bandwidth": Bandwidth,
    "slicer": Slicer,
    "limit": Limit,
}
_NAMES = {kind: name for name, kind in TOXICS.items()}


class ToxicInvalidError(ValueError):
    """The words describe no toxic; the message says what is wrong with them."""


def read_toxic(words: str) -> tuple[Toxic, Direction]:
    """Read a toxic and where it is put, both directions where that is not said.

    Raises:
        ToxicInvalidError: The name, a field, a number or the direction is none.
    """
    name, *rest = words.split() or [""]
    if name not in TOXICS:
        raise ToxicInvalidError(f"{name!r} is no toxic: there are {', '.join(TOXICS)}")
    kind, direction, given = TOXICS[name], Direction.BOTH, dict[str, Any]()
    for word in rest:
        key, has_value, value = word.partition("=")
        if has_value:
            given[key] = _number(kind, key, value)
        elif word in {half.value for half in Direction}:
            direction = Direction(word)
        else:
            raise ToxicInvalidError(f"{word!r} is neither upstream, downstream or both nor name=number")
    for field in fields(kind):
        if field.default is MISSING and field.name not in given:
            raise ToxicInvalidError(f"{name} needs {field.name}=NUMBER")
    return kind(**given), direction


def _number(kind: type[Toxic], key: str, value: str) -> float:
    known = {field.name: field.type for field in fields(kind)}
    if key not in known:
        raise ToxicInvalidError(f"{_NAMES[kind]} has no {key}: it has {', '.join(known) or 'nothing to set'}")
    whole = known[key] is int
    try:
        number = int(value) if whole else float(value)
    except ValueError:
        raise ToxicInvalidError(f"{key}={value} is not a {'whole ' if whole else ''}number") from None
    if not number >= whole:
        raise ToxicInvalidError(f"{key}={value} is too small")
    return number


def tell_toxic(toxic: Toxic, direction: Direction = Direction.BOTH) -> str:
    """Say a toxic in the words that `read_toxic` reads."""
    given = [
        f"{field.name}={value:g}"
        for field in fields(toxic)
        if (value := getattr(toxic, field.name)) != field.default
    ]
    half = [] if direction is Direction.BOTH else [direction.value]
    return " ".join([_NAMES[type(toxic)], *given, *half])
