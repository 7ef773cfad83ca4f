"""Who may do what, written a second time: what the tests hold every table, view and function against.

r select, a insert, w update, d delete; in brackets the columns, where it is not all of them. What is not
named here may do nothing. A table that a migration adds has a line here, or the tests fail.
"""

from collections.abc import Mapping

TENANT_COLUMNS = (
    "active calls_at_once calls_per_minute company_id company_name created_at cutover_date day_cutoff_hour"
    " home_currency kol_mode owner_kol_id settings_version tenant_id timezone updated_at"
)
TABLES: Mapping[str, Mapping[str, str]] = {
    "alembic_version": {},
    "alerts": {"capture": "a", "relay": "ra", "admin": "r", "reader": "r"},
    "attempts": {"consumer": "a", "admin": "r", "reader": "r"},
    "audit": {"admin": "ra"},
    "breakers": {
        "relay": "d r(code endpoint passed_at tenant_id value) w(passed_at)",
        "consumer": "raw",
        "admin": "rd",
        "reader": "r",
    },
    "credentials": {
        "consumer": "r",
        "admin": "aw r(key_id purpose set_at set_by tenant_id tested_at version)",
        "keys": "r",
    },
    "decisions": {"consumer": "r", "admin": "ra"},
    "documents": {
        "relay": "r(accepted_at aggregate_id code endpoint next_at tenant_id verdict) w(next_at updated_at)",
        "consumer": "raw",
        "admin": "rw",
        "reader": "r",
    },
    "installation": {"relay": "r", "consumer": "r", "admin": "r", "reader": "r"},
    "kol_settlement_digest": {"relay": "r", "admin": "r"},
    "kol_settlement_number": {"consumer": "r", "admin": "r"},
    "kol_settlement_snapshot": {"consumer": "r", "admin": "r"},
    "outages": {"relay": "r(endpoint probe_at)", "consumer": "rawd", "admin": "r", "reader": "r"},
    "outbox": {"capture": "a", "relay": "rad", "admin": "r"},
    "paces": {"consumer": "raw", "admin": "r"},
    "pos_transaction_digest": {"relay": "r", "admin": "r"},
    "pos_transaction_number": {"consumer": "r", "admin": "r"},
    "pos_transaction_snapshot": {"consumer": "r", "admin": "r"},
    "pulse": {"admin": "r", "reader": "r"},
    "readable": {"reader": "r"},
    "readers": {"admin": "rad"},
    "reconciliation": {"relay": "rw"},
    "reconciliation_marks": {"relay": "rad"},
    "relay_cursor": {"relay": "rw", "admin": "r"},
    "run_parts": {"relay": "r", "admin": "ra w(widened)"},
    "run_standings": {"relay": "r", "admin": "r"},
    "run_tasks": {"relay": "rad w(created queued_at)", "admin": "ra"},
    "runs": {
        "relay": "rd w(after_endpoint after_id finished_at queued_at taken_back_at)",
        "admin": "raw",
    },
    "shares": {"relay": "r", "consumer": "r", "admin": "r"},
    "stops": {"relay": "r(endpoint tenant_id)", "consumer": "raw", "admin": "rwd", "reader": "r"},
    "tasks": {"relay": "rawd", "consumer": "raw", "admin": "raw", "reader": "r"},
    "tenant_settings": {"consumer": "r", "admin": "r"},
    "tenants": {
        "relay": "r(active calls_at_once calls_per_minute cutover_date tenant_id)",
        "consumer": "r w(updated_at)",
        "admin": "raw",
        "reader": f"r({TENANT_COLUMNS})",
    },
    "unheard": {"admin": "r", "reader": "r"},
    "wanted_ranges": {"relay": "r", "admin": "rad", "reader": "r"},
}
NS16_TABLES: Mapping[str, Mapping[str, str]] = {
    "pos_transactions": {"owner": "r"},
    "pos_transaction_items": {"owner": "r"},
    "kol_settlements": {"owner": "r"},
    "orders": {},
    "commissions": {},
}
FUNCTIONS: Mapping[str, frozenset[str]] = {
    "capture_kol_settlements": frozenset({"capture"}),
    "capture_pos_transaction_items": frozenset({"capture"}),
    "capture_pos_transactions": frozenset({"capture"}),
    "capture_truncate": frozenset({"capture"}),
    "due_since": frozenset({"owner", "admin", "reader"}),
    "endpoints_of": frozenset({"owner", "relay", "consumer", "admin", "reader"}),
    "lease_of": frozenset({"owner", "relay", "admin", "reader"}),
    "raise_alert": frozenset({"capture"}),
    "record_changes": frozenset({"capture"}),
    "refuse_change": frozenset({"owner"}),
    "utc": frozenset({"owner", "relay", "consumer", "admin"}),
}
SEEN_BY_TENANT = {
    "attempts",
    "breakers",
    "documents",
    "stops",
    "tasks",
    "tenants",
    "wanted_ranges",
}
SEEN_BY_READERS_OF_EVERY_TENANT = {"alerts"}
SEEN_BY_EVERY_READER = {
    "installation",
    "outages",
    "pulse",
    "readable",
    "unheard",
}  # they hold nothing of a tenant's
