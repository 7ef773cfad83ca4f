-- How tasks that are due come into the outbox, and so onto the one path that everything takes.

-- name: take_due
-- Live tasks before those of a backfill. What is taken is due again when its lease runs out: after five minutes,
-- doubled for each time that nobody claimed it, up to an hour.
with live as (
  select endpoint, aggregate_id from aiaccount.tasks
  where due_at <= now() and lane = 'live'
  order by due_at
  limit %(tasks)s
  for no key update skip locked
),
backfill as (
  select endpoint, aggregate_id from aiaccount.tasks
  where due_at <= now() and lane = 'backfill'
  order by due_at
  limit (select %(tasks)s - count(*) from live)
  for no key update skip locked
),
taken as (
  update aiaccount.tasks as task
  set due_at = clock_timestamp() + least(interval '5 minutes' * 2 ^ least(task.leases, 10), interval '1 hour'),
      leases = least(task.leases + 1, 100)
  from (select * from live union all select * from backfill) as due
  where task.endpoint = due.endpoint and task.aggregate_id = due.aggregate_id
  returning task.aggregate_type, task.aggregate_id, task.endpoint, task.lane
)
insert into aiaccount.outbox (aggregate_type, aggregate_id, endpoint, lane)
select aggregate_type, aggregate_id, endpoint, lane from taken;
