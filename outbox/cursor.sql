-- How the relay reads the outbox and moves its cursor.

-- name: read_chunk
-- The next rows that are visible in the target and not in the snapshot that was handled last, in their order.
-- Without a target it is now; each row carries it, and with no rows one row does.
-- Two branches, so that each reads the index (xid, seq) at its right place only: what was still open in the
-- snapshot handled last, and what came after it. The row (start_xid, start_seq) is the later of that
-- snapshot's end and of the row handled last: two lower bounds would make the index scan begin at either.
with target as materialized (
  select coalesce(%(target)s::pg_snapshot, pg_current_snapshot()) as snapshot
)
select target.snapshot::text, c.xid::text, c.seq, c.aggregate_type, c.aggregate_id, c.endpoint, c.lane, c.created_at
from target
left join lateral (
  (select o.*
   from unnest(%(open)s::xid8[]) as was (xid)
   cross join lateral (
     select * from aiaccount.outbox
     where outbox.xid = was.xid
       and outbox.seq > case was.xid when %(after_xid)s::xid8 then %(after_seq)s else %(least_seq)s end::bigint
     order by outbox.seq
     limit %(rows)s
   ) as o
   where pg_visible_in_snapshot(was.xid, target.snapshot)
   order by o.xid, o.seq
   limit %(rows)s)
  union all
  (select * from aiaccount.outbox
   where (xid, seq) > (%(start_xid)s::xid8, %(start_seq)s::bigint)
     and xid < pg_snapshot_xmax(target.snapshot)
     and pg_visible_in_snapshot(xid, target.snapshot)
   order by xid, seq
   limit %(rows)s)
  order by xid, seq
  limit %(rows)s
) as c on true
order by c.xid, c.seq;

-- name: move
-- The fence: no row is touched once another relay has raised the epoch. The row is found by where its last
-- version stands, for while an old transaction keeps the dead versions, the index leads through all of them.
update aiaccount.relay_cursor
set from_snapshot = %(from)s::pg_snapshot, target_snapshot = %(target)s::pg_snapshot,
    after_xid = %(after_xid)s::xid8, after_seq = %(after_seq)s, moved_at = clock_timestamp()
where ctid = %(ctid)s::tid and epoch = %(epoch)s
returning ctid::text;

-- name: find
-- Where the cursor's row stands, as long as the epoch is ours: something may have moved it, such as VACUUM FULL.
select ctid::text from aiaccount.relay_cursor where epoch = %(epoch)s;

-- name: note_topics
-- Note which topics the rows went to, under the epoch. Of one that bears another id than before, say so in an alert:
-- what the old one held and nobody had read is gone, and reconciliation finds it.
with was as (
  select topics from aiaccount.relay_cursor where epoch = %(epoch)s
),
changed as (
  select found.key as name, was.topics ->> found.key as old_id, found.value as new_id
  from was cross join jsonb_each_text(%(topics)s::jsonb) as found
  where was.topics ->> found.key is distinct from found.value
),
noted as (
  update aiaccount.relay_cursor set topics = topics || %(topics)s::jsonb
  where epoch = %(epoch)s and exists (select from changed)
),
alerted as (
  insert into aiaccount.alerts (kind, detail)
  select 'topic_recreated', format('the topic %%s was %%s and is %%s: it was deleted and made anew', name, old_id, new_id)
  from changed where old_id is not null
)
select name from changed where old_id is not null order by name;

-- name: prune
-- A batch of rows that every later cursor has passed too, and that are older than a day. Only the first rows of the
-- index are looked at, so that a day's rows that are still young are not read again and again.
delete from aiaccount.outbox
where ctid = any (array(
  select first.ctid
  from (
    select ctid, created_at from aiaccount.outbox
    where xid < (select pg_snapshot_xmin(from_snapshot) from aiaccount.relay_cursor)
    order by xid, seq
    limit %(rows)s
  ) as first
  where first.created_at < now() - make_interval(secs => %(seconds)s)
));
