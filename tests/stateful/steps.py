"""Which function does what a statement of `consumers/steps.sql` does, by the statement's name.

The parameters and the rows are those of the SQL. `test_stand_in.py` holds the two against each other.
"""

from collections.abc import Callable
from typing import Any

from tests.stateful import claims, gate, records
from tests.stateful.database import Database, Given

Statement = Callable[[Database, Given], list[dict[str, Any]]]
STATEMENTS: dict[str, Statement] = {
    "claim": claims.claim,
    "read": claims.read,
    "tenants": claims.tenants,
    "gate_lock": gate.gate_lock,
    "intend": gate.intend,
    "record_lock": records.record_lock,
    "record_accepted": records.record_accepted,
    "record_look": records.record_look,
    "record_new": records.record_new,
    "record_noted": records.record_noted,
    "record_attempts": gate.record_attempts,
    "record_limits": gate.record_limits,
    "record_outages": gate.record_outages,
    "record_recovered": gate.record_recovered,
    "record_refusals": gate.record_refusals,
    "record_passed": gate.record_passed,
    "record_stops": records.record_stops,
    "release": records.release,
    "wake": records.wake,
}
