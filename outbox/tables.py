"""Tables of the migrations as SQLAlchemy Core, for the questions that people ask.

The migrations are the truth and make the tables; this mirrors those of which a query is put together from
what a person filters by. A test compares the two column by column.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Computed,
    Date,
    ForeignKey,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    TableClause,
    Text,
    Uuid,
    column,
    table,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from outbox.endpoints import Aggregate

metadata = MetaData(schema="aiaccount")


def _moment(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, TIMESTAMP(timezone=True), nullable=nullable)


def _text(name: str, *, nullable: bool = False, primary_key: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable, primary_key=primary_key)


def _tenant_id() -> Column[int]:
    return Column("tenant_id", BigInteger, ForeignKey("aiaccount.tenants.tenant_id"), primary_key=True)


tenants = Table(
    "tenants",
    metadata,
    Column("tenant_id", BigInteger, primary_key=True, autoincrement=False),
    Column("active", Boolean, nullable=False),
    _text("company_id", nullable=True),
    _text("company_name"),
    _text("kol_mode"),
    Column("owner_kol_id", BigInteger),
    _text("home_currency"),
    _text("timezone"),
    Column("day_cutoff_hour", SmallInteger, nullable=False),
    Column("cutover_date", Date, nullable=False),
    Column("codes", JSONB, nullable=False),
    Column("settings_version", Integer, nullable=False),
    _moment("created_at"),
    _moment("updated_at"),
    Column("calls_per_minute", Integer),
    Column("calls_at_once", Integer),
)

wanted_ranges = Table(
    "wanted_ranges",
    metadata,
    _tenant_id(),
    _text("endpoint", primary_key=True),
    Column("from_date", Date, primary_key=True),
    Column("to_date", Date, primary_key=True),
)

credentials = Table(
    "credentials",
    metadata,
    _tenant_id(),
    _text("purpose", primary_key=True),
    Column("version", Integer, nullable=False),
    _text("key_id"),
    Column("nonce", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    _text("set_by"),
    _moment("set_at"),
    _moment("tested_at", nullable=True),
)

stops = Table(
    "stops",
    metadata,
    _tenant_id(),
    _text("endpoint", primary_key=True),
    _text("code"),
    _text("reason"),
    Column("key_version", Integer, nullable=False),
    Column("settings_version", Integer, nullable=False),
    _moment("stopped_at"),
)

breakers = Table(
    "breakers",
    metadata,
    _tenant_id(),
    _text("endpoint", primary_key=True),
    _text("code", primary_key=True),
    _text("value", primary_key=True),
    Column("refusals", Integer, nullable=False),
    _text("reason"),
    _moment("opened_at", nullable=True),
    _moment("probe_at"),
    _moment("passed_at", nullable=True),
)

tasks = Table(
    "tasks",
    metadata,
    _text("endpoint", primary_key=True),
    Column("aggregate_id", BigInteger, primary_key=True, autoincrement=False),
    Column("aggregate_type", Text, Computed("of the endpoint", persisted=True), nullable=False),
    Column("tenant_id", BigInteger),
    _text("lane"),
    _moment("due_at", nullable=True),
    Column("leases", SmallInteger, nullable=False),
    Column("token", Uuid),
    _moment("busy_until", nullable=True),
    Column("again", Boolean, nullable=False),
    Column("digest", LargeBinary),
    _text("trouble_code", nullable=True),
    _text("trouble", nullable=True),
    _moment("created_at"),
    _moment("handled_at", nullable=True),
    Column("calling_for", BigInteger),
)

documents = Table(
    "documents",
    metadata,
    _text("company_id", primary_key=True),
    _text("endpoint", primary_key=True),
    Column("aggregate_id", BigInteger, primary_key=True, autoincrement=False),
    _text("number", primary_key=True),
    Column("tenant_id", BigInteger, nullable=False),
    Column("document", JSON),
    Column("snapshot", JSONB),
    _moment("doubt_at", nullable=True),
    _moment("accepted_at", nullable=True),
    _text("remote_id", nullable=True),
    _text("verdict", nullable=True),
    _text("code", nullable=True),
    _text("reason", nullable=True),
    Column("attempts", Integer, nullable=False),
    _moment("first_attempt_at", nullable=True),
    _moment("last_attempt_at", nullable=True),
    _moment("next_at", nullable=True),
    Column("key_version", Integer),
    Column("settings_version", Integer),
    _moment("created_at"),
    _moment("updated_at"),
    Column("may_exist", Boolean, Computed("of doubt_at", persisted=True), nullable=False),
    Column("state", Text, Computed("of the facts", persisted=True), nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    _moment("at"),
    _text("actor"),
    _text("role"),
    _text("action"),
    Column("tenant_id", BigInteger),
    _text("subject", nullable=True),
    Column("detail", JSONB, nullable=False),
    Column("succeeded", Boolean, nullable=False),
)

# A view: a tenant's settings in the form that the mappers read.
tenant_settings = table(
    "tenant_settings", column("tenant_id", BigInteger), column("settings", JSONB), schema="aiaccount"
)


def _snapshots(name: str) -> TableClause:
    columns = (column("id", BigInteger), column("tenant_id", BigInteger), column("business_date", Date))
    others = (column("original_id", BigInteger), column("snapshot", JSONB))
    return table(name, *columns, *others, schema="aiaccount")


# The snapshot views: rows that a tenant owns, by what they are.
snapshot_views = {
    Aggregate.POS_TRANSACTION: _snapshots("pos_transaction_snapshot"),
    Aggregate.KOL_SETTLEMENT: _snapshots("kol_settlement_snapshot"),
}
