"""Every worked case of the mapping, for each endpoint, with amounts as strings and as JSON numbers."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mappers import Sent, Settings, plan

_FILE = json.loads(
    (Path(__file__).parents[2] / "vectors" / "mapping.json").read_text(encoding="utf-8"), parse_float=Decimal
)
_VECTORS: list[dict[str, Any]] = _FILE["vectors"]
_NUMBER = re.compile(r"-?[0-9]+\.[0-9]+").fullmatch


def _as_numbers(value: object) -> object:
    """Turn every amount of a snapshot into the number that a JSON parser gives."""
    if isinstance(value, dict):
        return {key: _as_numbers(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_as_numbers(part) for part in value]
    if isinstance(value, str) and _NUMBER(value):
        return Decimal(value)
    return value


def _assert_matches(expected: object, got: object, where: str) -> None:
    if isinstance(expected, dict):
        assert isinstance(got, dict), where
        for key, part in expected.items():
            assert key in got, f"{where}.{key}"
            _assert_matches(part, got[key], f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(expected) == len(got), where
        for index, (part, got_part) in enumerate(zip(expected, got, strict=True)):
            _assert_matches(part, got_part, f"{where}[{index}]")
    else:
        assert expected == got, where


def _number_of(outcome: dict[str, Any]) -> str:
    if "push" in outcome:
        return str(outcome["push"]["number"])
    return str(outcome.get("wait") or outcome["number"])


@pytest.mark.parametrize("spelling", ["strings", "numbers"])
@pytest.mark.parametrize("vector", _VECTORS, ids=[f"{case['id']}: {case['about']}" for case in _VECTORS])
def test_the_vector_holds(vector: dict[str, Any], spelling: str) -> None:
    settings = Settings.from_json({**_FILE["settings"], **vector["settings"]})
    spell = _as_numbers if spelling == "numbers" else (lambda value: value)
    sent = [Sent.from_json({**entry, "snapshot": spell(entry.get("snapshot"))}) for entry in vector["sent"]]
    for endpoint, expected in vector["expect"].items():
        outcomes = [
            outcome.to_json() for outcome in plan(endpoint, settings, spell(vector["snapshot"]), sent)
        ]
        got = {_number_of(outcome): outcome for outcome in outcomes}
        assert len(got) == len(outcomes)
        assert set(got) == {_number_of(outcome) for outcome in expected}
        for outcome in expected:
            number = _number_of(outcome)
            if "push" not in outcome:
                assert outcome == got[number]
            _assert_matches(outcome, got[number], f"{endpoint} {number}")


def test_the_file_holds_all_87_vectors() -> None:
    assert len({case["id"] for case in _VECTORS}) == 87
