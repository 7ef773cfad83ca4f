-- How a run is carried: its rows become due tasks, and go back where it is cancelled. A page a transaction.

-- name: settle
-- Every statement here looks some rows up by an index, whatever the statistics say of tables that were just filled.
select set_config('jit', 'off', false), set_config('enable_seqscan', 'off', false),
       set_config('enable_hashjoin', 'off', false), set_config('enable_mergejoin', 'off', false),
       set_config('statement_timeout', '60s', false);

-- name: next_run
-- The next run that is not at its end, and that nobody else carries just now.
select id, case when cancelled_at is null and queued_at is null and after_id is null then 'find'
                when cancelled_at is null and queued_at is null then 'queue'
                when cancelled_at is not null and taken_back_at is null then 'take back'
                else 'watch' end as step
  from aiaccount.runs
 where finished_at is null and id > %(after)s
 order by id
 limit 1
   for no key update skip locked;

-- name: at_leisure
-- A whole range is not some rows: it is read as the statistics say, and takes its time.
select set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true),
       set_config('enable_mergejoin', 'on', true), set_config('statement_timeout', '0', true);

-- name: however_long
-- A very large run is looked over to its end all the same.
select set_config('statement_timeout', '0', true);

-- name: page
-- Where the next page ends, and how many rows it has.
select endpoint, aggregate_id, count(*) over ()
  from (select q.endpoint, q.aggregate_id
          from aiaccount.runs as r
          join aiaccount.run_tasks as q
            on q.run_id = r.id
           and (q.endpoint, q.aggregate_id) > (coalesce(r.after_endpoint, ''), coalesce(r.after_id, 0))
         where r.id = %(run)s
         order by q.endpoint, q.aggregate_id
         limit %(rows)s) as page
 order by endpoint desc, aggregate_id desc
 limit 1;

-- name: queue
-- Due now, in the one order in which tasks are locked. What is at rest, or would be tried again only later, comes behind
-- live sales; what is due keeps its lane; a busy one is asked for another look. What is handed out will be looked at.
with made as (
  insert into aiaccount.tasks as task (endpoint, aggregate_id, tenant_id, lane, due_at)
  select q.endpoint, q.aggregate_id, q.tenant_id, 'backfill', clock_timestamp()
    from aiaccount.run_tasks as q
    join aiaccount.runs as r on r.id = q.run_id
   where q.run_id = %(run)s
     and (q.endpoint, q.aggregate_id) > (coalesce(r.after_endpoint, ''), coalesce(r.after_id, 0))
     and (q.endpoint, q.aggregate_id) <= (%(endpoint)s, %(aggregate)s)
   order by q.endpoint, q.aggregate_id
  on conflict (endpoint, aggregate_id) do update
     set lane   = case when task.due_at is null
                         or (task.due_at > excluded.due_at and task.token is null and task.leases = 0) then 'backfill' else task.lane end,
         due_at = case when task.token is null and task.leases = 0 then least(task.due_at, excluded.due_at) else task.due_at end,
         again  = task.token is not null
  returning task.endpoint, task.aggregate_id, task.xmax = 0 as created
)
update aiaccount.run_tasks as q
   set queued_at = clock_timestamp(), created = m.created
  from made as m
 where q.run_id = %(run)s and q.endpoint = m.endpoint and q.aggregate_id = m.aggregate_id;

-- name: untouched
-- Tasks of a page that nobody had before the run, and that nobody has looked at: locked, in the one order.
select count(*)
  from (select from aiaccount.runs as r
          join aiaccount.run_tasks as q on q.run_id = r.id
          join aiaccount.tasks as t on t.endpoint = q.endpoint and t.aggregate_id = q.aggregate_id
         where r.id = %(run)s and q.created
           and (q.endpoint, q.aggregate_id) > (coalesce(r.after_endpoint, ''), coalesce(r.after_id, 0))
           and (q.endpoint, q.aggregate_id) <= (%(endpoint)s, %(aggregate)s)
         order by t.endpoint, t.aggregate_id
           for update of t) as locked;

-- name: take_back
-- As if the run had never been: the tasks of rows that no other run wants and of which nothing was sent, so that nothing
-- hangs on them. One in the live lane is a live sale's. What stays is looked at, and the mappers decide as always.
delete from aiaccount.tasks as t
 using aiaccount.run_tasks as q
  join aiaccount.runs as r on r.id = q.run_id
 where q.run_id = %(run)s and q.created
   and (q.endpoint, q.aggregate_id) > (coalesce(r.after_endpoint, ''), coalesce(r.after_id, 0))
   and (q.endpoint, q.aggregate_id) <= (%(endpoint)s, %(aggregate)s)
   and t.endpoint = q.endpoint and t.aggregate_id = q.aggregate_id
   and t.lane = 'backfill' and t.token is null and t.leases = 0 and t.handled_at is null
   and not exists (select from aiaccount.documents as d
                    where d.aggregate_id = t.aggregate_id and d.endpoint = any (aiaccount.endpoints_of(t.aggregate_type)))
   and not exists (select from aiaccount.runs as o
                     join aiaccount.run_tasks as x
                       on x.run_id = o.id and x.endpoint = t.endpoint and x.aggregate_id = t.aggregate_id
                    where o.cancelled_at is null and o.finished_at is null);

-- name: move
update aiaccount.runs set after_endpoint = %(endpoint)s, after_id = %(aggregate)s where id = %(run)s;

-- name: queued
update aiaccount.runs set queued_at = clock_timestamp() where id = %(run)s;

-- name: taken_back
update aiaccount.runs set taken_back_at = clock_timestamp() where id = %(run)s;

-- name: moving
-- The first of a run's rows, from one on, that still moves.
select endpoint, aggregate_id
  from aiaccount.run_standings
 where run_id = %(run)s and state in ('found', 'left') and (endpoint, aggregate_id) >= (%(endpoint)s, %(aggregate)s)
 order by endpoint, aggregate_id
 limit 1;

-- name: finish
update aiaccount.runs set finished_at = clock_timestamp() where id = %(run)s;

-- name: forget_rows
-- Some rows of runs that ended long ago: their audit stays, and the documents.
delete from aiaccount.run_tasks
 where ctid = any (array(
   select q.ctid from aiaccount.runs as r join aiaccount.run_tasks as q on q.run_id = r.id
    where r.finished_at < clock_timestamp() - make_interval(secs => %(seconds)s)
    limit %(rows)s));

-- name: forget_runs
delete from aiaccount.runs as r
 where r.finished_at < clock_timestamp() - make_interval(secs => %(seconds)s)
   and not exists (select from aiaccount.run_tasks as q where q.run_id = r.id);
