"""Settings: what is read is complete and says the same when written, or one sentence names the field."""

import json
from dataclasses import fields
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from consumers.reply import json_object
from mappers import Settings

_GOOD: dict[str, Any] = {
    "tenant_id": 1,
    "company_name": "Mei Live Sdn Bhd",
    "kol_mode": "multi",
    "owner_kol_id": 10,
    "home_currency": "MYR",
    "timezone": "Asia/Kuala_Lumpur",
    "day_cutoff_hour": 6,
    "cutover_date": "2026-01-01",
    "wanted": {"pos_invoice": [["2025-01-01", "2025-12-31"]], "kol_bill": []},
    "codes": {"tax:none:0": "NT", "payment:cash:MYR": "12100", "account:sales": "40000"},
}
SEEDS = [json.dumps(_GOOD | change).encode() for change in ({}, {"owner_kol_id": None, "kol_mode": "single"})]


def check(data: bytes) -> None:
    """Read settings from JSON."""
    value = json_object(data)
    try:
        read = Settings.from_json(value)
    except ValueError as error:
        assert str(error).startswith("settings"), "the sentence names the field"
        return
    assert value.keys() == {field.name for field in fields(Settings)}
    written = _written(read)
    assert Settings.from_json(written) == read
    assert {name: written[name] for name in written if name not in ("cutover_date", "wanted")} == {
        name: value[name] for name in written if name not in ("cutover_date", "wanted")
    }, "nothing is made up"
    assert read.kol_mode in ("multi", "single")
    assert 0 <= read.day_cutoff_hour <= 23
    assert ZoneInfo(read.timezone).key == read.timezone
    assert all(first <= last for ranges in read.wanted.values() for first, last in ranges)


def _written(read: Settings) -> dict[str, Any]:
    def text(day: date) -> str:
        return day.isoformat()

    value = {field.name: getattr(read, field.name) for field in fields(read)}
    wanted = {
        endpoint: [[text(first), text(last)] for first, last in ranges]
        for endpoint, ranges in read.wanted.items()
    }
    return {**value, "cutover_date": text(read.cutover_date), "wanted": wanted, "codes": dict(read.codes)}
