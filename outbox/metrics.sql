-- What the relay's gauges show, looked up every few seconds on a connection of its own.

-- name: unread
-- The rows that the cursor has not passed, and the age of the oldest in seconds. Rows that a transaction still
-- keeps to itself are not seen here.
with cursor as materialized (
  select from_snapshot, coalesce(after_xid, '0'::xid8) as after_xid, coalesce(after_seq, 0) as after_seq from aiaccount.relay_cursor
),
unread as (
  select created_at
  from cursor cross join lateral (
    select o.created_at
    from pg_snapshot_xip(cursor.from_snapshot) as was (xid)
    join aiaccount.outbox as o on o.xid = was.xid
    where (o.xid, o.seq) > (cursor.after_xid, cursor.after_seq)
    union all
    select o.created_at from aiaccount.outbox as o
    where o.xid >= pg_snapshot_xmax(cursor.from_snapshot) and (o.xid, o.seq) > (cursor.after_xid, cursor.after_seq)
  ) as o
)
select count(*), coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float8 from unread;

-- name: tasks
-- Tasks that are due now; and those that nobody sees to: due for half a minute, or handed out twice and not claimed.
select count(*) filter (where due_at <= now()),
       count(*) filter (where due_at <= now() - interval '30 seconds' or (leases > 1 and token is null))
from aiaccount.tasks where due_at is not null;

-- name: stopped_tenants
select count(distinct tenant_id) from aiaccount.stops;
