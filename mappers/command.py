"""Plan JSON lines: the tool for whoever adapts settings or snapshot views."""

import argparse
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import BinaryIO, TextIO

from mappers.document import canonical
from mappers.endpoints import ENDPOINTS
from mappers.plan import plan
from mappers.sent import Sent
from mappers.settings import Settings

_FIELDS = ("endpoint", "settings", "snapshot", "sent")
_EPILOG = """\
Each line is one JSON object with four fields:

  endpoint  pos_invoice, pos_receipt, kol_bill or kol_payment
  settings  the tenant's, complete: tenant_id, company_name, kol_mode (multi or single), owner_kol_id,
            home_currency, timezone, day_cutoff_hour, cutover_date, wanted (dates by endpoint), codes
  snapshot  {"pos_transaction", "items", "refunded", "original"} or {"kol_settlement"}, as the views
            aiaccount.pos_transaction_snapshot and aiaccount.kol_settlement_snapshot give it; null: no row
  sent      a list of {"endpoint", "number", "state" (pushed or in_doubt), "document", "snapshot"?,
            "of_original"?}: what the ledger holds; [] at first

For each line one line is printed, a list of outcomes; [] means that there is nothing to do:

  {"push": document}                      send it
  {"skip": code, "number"}                not the tenant's to post, or nothing to post
  {"block": code, "number", "key"?}       a person must mend the row or, with a key, the settings
  {"wait": number}                        it hangs on a document that was not sent yet
  {"conflict": code, "number"}            it was sent and the row says something else now

A line that cannot be read prints {"error": sentence} in its place and its number on standard error; the exit
status is then 1. Blank lines are passed over.

example:
  echo '{"endpoint": "pos_invoice", "settings": {...}, "snapshot": {...}, "sent": []}' | python -m mappers
"""


def main(arguments: Sequence[str], source: BinaryIO, target: BinaryIO, errors: TextIO) -> int:
    """Plan each line of `source`; 0 when every line could be read, else 1."""
    parser = argparse.ArgumentParser(
        prog="python -m mappers",
        description="Say which documents should be sent for a row. Reads one JSON object a line.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args(arguments)
    status = 0
    for number, line in enumerate(source, 1):
        if not line.strip():
            continue
        try:
            answer = canonical(_planned(line))
        except (ValueError, TypeError, RecursionError) as error:
            status = 1
            message = f"line {number}: {_sentence(error)}"
            print(message.encode("ascii", "backslashreplace").decode(), file=errors)
            answer = canonical({"error": message.encode(errors="backslashreplace").decode()})
        target.write(answer + b"\n")
        target.flush()
    return status


def _planned(line: bytes) -> list[dict[str, object]]:
    request = json.loads(line.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_refuse)
    if not isinstance(request, dict):
        raise ValueError("a line must be a JSON object")  # noqa: TRY004  # bad input is one kind of error
    if unknown := set(request) - set(_FIELDS):
        raise ValueError(f"{min(unknown)!r} is not a known field: use {', '.join(_FIELDS)}")
    if missing := [field for field in _FIELDS if field not in request]:
        raise ValueError(f"{missing[0]} is missing")
    endpoint, snapshot, sent = request["endpoint"], request["snapshot"], request["sent"]
    if endpoint not in ENDPOINTS:
        raise ValueError(f"endpoint must be one of {', '.join(ENDPOINTS)}, not {endpoint!r}")
    if snapshot is not None and not isinstance(snapshot, dict):
        raise ValueError("snapshot must be an object or null")
    if not isinstance(sent, list):
        raise ValueError("sent must be a list")  # noqa: TRY004  # the same
    settings = Settings.from_json(request["settings"])
    outcomes = plan(endpoint, settings, snapshot, [Sent.from_json(entry) for entry in sent])
    return [outcome.to_json() for outcome in outcomes]


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not a number")


def _sentence(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error.msg} at column {error.colno}"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return str(error)
