-- What the relay's gauges show, looked up every few seconds on a connection of its own.

-- name: unread
-- The rows that the cursor has not passed, and the age of the oldest in seconds. Rows that a transaction still
-- keeps to itself are not seen here. The offset keeps the planner from reading a day's rows for what was open.
with cursor as materialized (
  select from_snapshot, coalesce(after_xid, '0'::xid8) as after_xid, coalesce(after_seq, 0) as after_seq from aiaccount.relay_cursor
),
unread as (
  select created_at
  from cursor cross join lateral (
    select o.created_at
    from pg_snapshot_xip(cursor.from_snapshot) as was (xid)
    cross join lateral (select * from aiaccount.outbox where outbox.xid = was.xid offset 0) as o
    where (o.xid, o.seq) > (cursor.after_xid, cursor.after_seq)
    union all
    select o.created_at from aiaccount.outbox as o
    where o.xid >= pg_snapshot_xmax(cursor.from_snapshot) and (o.xid, o.seq) > (cursor.after_xid, cursor.after_seq)
  ) as o
)
select count(*), coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float8 from unread;

-- name: tasks
-- Tasks that are due now; and those that nobody sees to: due for half a minute, or handed out twice and not claimed
-- (a claim that ended is none: its holder died).
select count(*) filter (where due_at <= now()),
       count(*) filter (where due_at <= now() - interval '30 seconds' or (leases > 1 and (busy_until > now()) is not true))
from aiaccount.tasks where due_at is not null;

-- name: stopped_tenants
select count(distinct tenant_id) from aiaccount.stops;

-- name: looked
-- How long ago reconciliation last came to the end of everything; before the first time, since the installation.
select extract(epoch from clock_timestamp() - coalesce(r.finished_at, i.installed_at))::float8
from aiaccount.reconciliation as r, aiaccount.installation as i;
