"""Make bad input out of good: seeded, so that a seed and a number give the same bytes again."""

import re
from collections.abc import Callable, Sequence
from random import Random

SEPARATOR = b"\x1e"
"""Between the parts of an input that has several."""
_LONGEST = 20_000
_VALUE = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null')
_DIGITS = re.compile(rb"\d+")
_VALUES: Sequence[bytes] = (
    *(b"null", b"true", b"false", b"0", b"-1", b"1e999", b"NaN", b"-Infinity", b"1.5", b"[]", b"{}", b'""'),
    *(b'" "', b'"\\u0000"', b'"\\ud800"', b'"\\u202e"', b'"\xe5\xb0\x8f"', b'"2026-02-30"', b'"0001-01-01"'),
    *(
        b'"9999-12-31"',
        b'"x"',
        b'["2026-01-01","2026-01-31"]',
        b"9" * 400,
        b"9223372036854775808",
        b"[[[[]]]]",
    ),
    b'"' + b"y" * 1000 + b'"',
)
_BITS: Sequence[bytes] = (
    *(
        b"\0",
        b"\xff",
        b"\xe5\xb0\x8f",
        b"\xed\xa0\x80",
        b"\r\n",
        b" ",
        b"\t",
        b"-",
        b"+",
        b":",
        b",",
        b"=",
        b"\\",
    ),
    *(
        b'"',
        b"'",
        b"{",
        b"[",
        b"}",
        b"]",
        SEPARATOR,
        b"00",
        b"1" * 25,
        b"e5",
        b".",
        b"\xe2\x80\xa8",
        b"\xc2\xa0",
    ),
)


def mutated(seeds: Sequence[bytes], random: Random) -> bytes:
    """Return one of the seeds changed in up to four places; now and then as it is."""
    data = random.choice(seeds)
    for _ in range(random.choice((0, 1, 1, 1, 2, 2, 3, 4))):
        data = random.choice(_CHANGES)(data, seeds, random)[:_LONGEST]
    return data


def _flip(data: bytes, _: Sequence[bytes], random: Random) -> bytes:
    place = random.randrange(len(data) + 1)
    return data[:place] + random.randbytes(1) + data[place + 1 :]


def _insert(data: bytes, _: Sequence[bytes], random: Random) -> bytes:
    place = random.randrange(len(data) + 1)
    return data[:place] + random.choice(_BITS) + data[place:]


def _cut(data: bytes, _: Sequence[bytes], random: Random) -> bytes:
    first, last = sorted(random.randrange(len(data) + 1) for _ in range(2))
    return data[:first] + data[last:]


def _repeat(data: bytes, _: Sequence[bytes], random: Random) -> bytes:
    first, last = sorted(random.randrange(len(data) + 1) for _ in range(2))
    return data[:last] + data[first:last] * random.choice((1, 2, 50)) + data[last:]


def _replace(data: bytes, _: Sequence[bytes], random: Random) -> bytes:
    return _at_one(_VALUE, data, random.choice(_VALUES), random)


def _count(data: bytes, _: Sequence[bytes], random: Random) -> bytes:
    number = random.choice((0, 1, 7, 255, 256, 2**31, 2**63 - 1, 2**63, 10**19, random.randrange(10**6)))
    return _at_one(_DIGITS, data, b"%d" % number, random)


def _splice(data: bytes, seeds: Sequence[bytes], random: Random) -> bytes:
    other = random.choice(seeds)
    return data[: random.randrange(len(data) + 1)] + other[random.randrange(len(other) + 1) :]


def _take_value(data: bytes, seeds: Sequence[bytes], random: Random) -> bytes:
    found = _VALUE.findall(random.choice(seeds))
    return _at_one(_VALUE, data, random.choice(found), random) if found else data


def _nest(data: bytes, _: Sequence[bytes], random: Random) -> bytes:
    deep = random.choice((2, 900, 3000))
    return _at_one(_VALUE, data, b"[" * deep + b"]" * deep, random)


def _at_one(pattern: re.Pattern[bytes], data: bytes, new: bytes, random: Random) -> bytes:
    """Put `new` where the pattern matches, in one place of those."""
    places = [match.span() for match in pattern.finditer(data)]
    if not places:
        return data
    first, last = random.choice(places)
    return data[:first] + new + data[last:]


_CHANGES: Sequence[Callable[[bytes, Sequence[bytes], Random], bytes]] = (
    *(_flip, _insert, _cut, _repeat, _replace, _replace, _count, _splice, _take_value, _take_value, _nest),
)
