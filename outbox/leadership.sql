-- How one relay comes to lead.

-- name: recovering
select pg_is_in_recovery();

-- name: backend
select pg_backend_pid();

-- name: settle
-- The relay's few statements each have one right plan, whatever the statistics say of a table that was just filled
-- or emptied. Why its commits do not wait for the disk stands in cursor.py.
select set_config('synchronous_commit', 'off', false), set_config('jit', 'off', false),
       set_config('enable_seqscan', 'off', false), set_config('enable_bitmapscan', 'off', false);

-- name: unsettle
-- For the statements that read whole tables.
select set_config('enable_seqscan', 'on', true), set_config('enable_bitmapscan', 'on', true);

-- name: try_lead
select pg_try_advisory_lock(%(lock)s);

-- name: holds_lead
-- Whether this very server process holds the lock: a pool that hands out another one for each transaction is found.
select exists (
  select from pg_locks
  where locktype = 'advisory' and granted and pid = pg_backend_pid()
    and database = (select oid from pg_database where datname = current_database())
    and (classid::bigint << 32) | objid::bigint = %(lock)s and objsubid = 1
);

-- name: now
-- Taken before this transaction has an id: a transaction's own snapshot counts its own id as finished, and rows that
-- it writes afterwards would be passed over.
select pg_current_snapshot()::text;

-- name: cursor
select system_identifier, timeline_id from aiaccount.relay_cursor for update;

-- name: cluster
-- Which cluster's and timeline's transaction ids hold now.
select system_identifier, ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer
from pg_control_system();

-- name: raise_epoch
update aiaccount.relay_cursor set epoch = epoch + 1, led_by = %(machine)s, led_at = clock_timestamp()
returning epoch, ctid::text, from_snapshot::text, target_snapshot::text, after_xid::text, after_seq;

-- name: anchor
update aiaccount.relay_cursor
set from_snapshot = %(now)s::pg_snapshot, target_snapshot = null, after_xid = null, after_seq = null,
    system_identifier = %(system)s, timeline_id = %(timeline)s, moved_at = clock_timestamp();

-- name: alert
insert into aiaccount.alerts (kind, detail) values (%(kind)s, %(detail)s);

-- name: send_again
-- Rows with another cluster's transaction ids mean nothing here, so each becomes a row of now.
with gone as (
  delete from aiaccount.outbox
  returning aggregate_type, aggregate_id, endpoint, lane, created_at
)
insert into aiaccount.outbox (aggregate_type, aggregate_id, endpoint, lane, created_at)
select aggregate_type, aggregate_id, endpoint, max(lane), min(created_at)  -- 'live' is the greater
from gone
group by aggregate_type, aggregate_id, endpoint;
