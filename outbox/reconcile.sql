-- Reconciliation: which aggregates were not handled as they stand now. The one place that says so.

-- name: settle
-- Every statement here looks some rows up by an index, whatever the statistics say of tables that were just filled.
select set_config('jit', 'off', false), set_config('enable_seqscan', 'off', false),
       set_config('enable_hashjoin', 'off', false), set_config('enable_mergejoin', 'off', false),
       set_config('statement_timeout', '60s', false);

-- name: page_end
-- The id at which a page ends: so many rows, or so many tasks of one endpoint, after `after`; null where fewer are left.
select least(
  (select id from aiaccount.pos_transaction_digest
    where %(aggregate)s = 'pos_transaction' and id > %(after)s and id <= %(last)s order by id offset %(rows)s - 1 limit 1),
  (select id from aiaccount.kol_settlement_digest
    where %(aggregate)s = 'kol_settlement' and id > %(after)s and id <= %(last)s order by id offset %(rows)s - 1 limit 1),
  (select min(nth.aggregate_id)
     from unnest(aiaccount.endpoints_of(%(aggregate)s)) as e (endpoint)
    cross join lateral (
      select t.aggregate_id from aiaccount.tasks as t
       where t.endpoint = e.endpoint and t.aggregate_id > %(after)s and t.aggregate_id <= %(last)s
       order by t.aggregate_id offset %(rows)s - 1 limit 1) as nth));

-- name: compare
-- Each aggregate of a page at each of its endpoints, and how it stands:
--   handled   the task's digest is that of the snapshot
--   underway  it is not, and the change is on its way: just captured, found by a run, due, handed out or busy
--   missing   there is no task
--   changed   the task's digest is another one
--   refund    as `changed`, of a refund: it shows its sale too, which may change without the refund being captured
--   orphaned  the row has left the view, and the task's digest is not that of null
-- Only tenants that are active. A row of before its tenant's cut-over, in no range that a backfill named, need not
-- have a task. `differing` leaves out what is handled. With dates, rows without one are left out.
with page as (
  select id, tenant_id, business_date, digest, original_id
    from aiaccount.pos_transaction_digest
   where %(aggregate)s = 'pos_transaction' and id > %(after)s and id <= %(upto)s
  union all
  select id, tenant_id, business_date, digest, original_id
    from aiaccount.kol_settlement_digest
   where %(aggregate)s = 'kol_settlement' and id > %(after)s and id <= %(upto)s
),
there as materialized (
  select p.id, p.tenant_id, p.business_date, p.original_id is not null as refunds, asked.inside,
         case when asked.inside then p.digest end as digest
    from page as p
   cross join lateral (
     select (%(from)s::date is null or p.business_date between %(from)s and %(to)s)
        and (%(tenants)s::bigint[] is null or p.tenant_id = any (%(tenants)s)) is true as inside) as asked
),
captured as materialized (
  select o.aggregate_id
    from (select aggregate_type, aggregate_id, created_at from aiaccount.outbox order by xid desc, seq desc limit 20000) as o
   where o.aggregate_type = %(aggregate)s and o.created_at > clock_timestamp() - make_interval(secs => %(grace)s)
),
seen as (
  select e.endpoint, s.id, s.tenant_id, s.business_date, s.digest, s.refunds, false as gone
    from there as s
   cross join unnest(aiaccount.endpoints_of(%(aggregate)s)) as e (endpoint)
   where s.inside
  union all
  select t.endpoint, t.aggregate_id, t.tenant_id, null, sha256(convert_to('null'::jsonb::text, 'UTF8')), false, true
    from unnest(aiaccount.endpoints_of(%(aggregate)s)) as e (endpoint)
    join aiaccount.tasks as t
      on t.endpoint = e.endpoint and t.aggregate_id > %(after)s and t.aggregate_id <= %(upto)s
   where t.aggregate_id not in (select id from there)
     and (%(tenants)s::bigint[] is null or t.tenant_id = any (%(tenants)s))
),
standing as (
  select s.endpoint, s.id, s.tenant_id, s.business_date,
         case
           when t.digest = s.digest then 'handled'
           when t.token is not null or t.leases > 0 or t.due_at <= clock_timestamp() then 'underway'
           when s.id in (select aggregate_id from captured) then 'underway'
           when exists (select from aiaccount.runs as r
                          join aiaccount.run_tasks as q on q.run_id = r.id and q.endpoint = s.endpoint and q.aggregate_id = s.id
                         where r.finished_at is null and r.cancelled_at is null and q.queued_at is null) then 'underway'
           when s.gone then 'orphaned'
           when t.endpoint is null then 'missing'
           when s.refunds then 'refund'
           else 'changed'
         end as verdict
    from seen as s
    left join aiaccount.tasks as t on t.endpoint = s.endpoint and t.aggregate_id = s.id
    left join aiaccount.tenants as n on n.tenant_id = s.tenant_id
    left join aiaccount.tenants as was on was.tenant_id = t.tenant_id
   where (n.active or was.active or (s.gone and t.tenant_id is null))
     and (t.endpoint is not null or s.business_date is null or s.business_date >= n.cutover_date
          or exists (select from aiaccount.wanted_ranges as w
                      where w.tenant_id = s.tenant_id and w.endpoint = s.endpoint
                        and s.business_date between w.from_date and w.to_date))
)
select endpoint, id, tenant_id, business_date, verdict
  from standing
 where verdict <> 'handled' or not %(differing)s
 order by endpoint, id;

-- name: make_due
-- Due now, in the one order in which tasks are locked; a busy one is asked for another look.
insert into aiaccount.tasks as task (endpoint, aggregate_id, tenant_id, lane, due_at)
select w.endpoint, w.aggregate_id, w.tenant_id, 'backfill', clock_timestamp()
  from json_to_recordset(%(rows)s::json) as w (endpoint text, aggregate_id bigint, tenant_id bigint)
 order by w.endpoint, w.aggregate_id
on conflict (endpoint, aggregate_id) do update
set due_at = case when task.token is null then clock_timestamp() else task.due_at end,
    again = task.token is not null,
    leases = 0;

-- name: progress
-- Where the look at everything stands, and the newest alert that asks for one.
select r.aggregate_type, r.after_id, r.under_way, r.urgent, r.alert_id,
       coalesce((select max(id) from aiaccount.alerts where id > r.alert_id and kind = any (%(kinds)s)), 0) as newest_alert,
       extract(epoch from clock_timestamp() - r.began_at)::float8 as began_ago,
       extract(epoch from clock_timestamp() - r.urgent_at)::float8 as urgent_ago
  from aiaccount.reconciliation as r;

-- name: begin
-- A look at everything from the first row on. What is alerted from now on asks for another one.
update aiaccount.reconciliation
   set aggregate_type = 'pos_transaction', after_id = null, under_way = true, urgent = %(alert)s > alert_id,
       alert_id = greatest(alert_id, %(alert)s), began_at = clock_timestamp(),
       urgent_at = case when %(alert)s > alert_id then clock_timestamp() else urgent_at end;

-- name: move
update aiaccount.reconciliation set aggregate_type = %(aggregate)s, after_id = %(after)s;

-- name: finish
update aiaccount.reconciliation set under_way = false, urgent = false, after_id = null, finished_at = clock_timestamp();

-- name: alert
insert into aiaccount.alerts (kind, detail) values (%(kind)s, %(detail)s);

-- name: mark
-- Note the greatest id, once an hour.
insert into aiaccount.reconciliation_marks (aggregate_type, greatest_id)
select a.type, coalesce(a.greatest, 0)
  from (select 'pos_transaction' as type, (select id from aiaccount.pos_transaction_digest order by id desc limit 1) as greatest
        union all
        select 'kol_settlement', (select id from aiaccount.kol_settlement_digest order by id desc limit 1)) as a
 where not exists (select from aiaccount.reconciliation_marks as m
                    where m.aggregate_type = a.type and m.marked_at > clock_timestamp() - interval '1 hour');

-- name: forget
-- Marks older than the newest one that is old enough to begin with.
delete from aiaccount.reconciliation_marks as m
 where exists (select from aiaccount.reconciliation_marks as later
                where later.aggregate_type = m.aggregate_type and later.marked_at > m.marked_at
                  and later.marked_at <= clock_timestamp() - make_interval(secs => %(seconds)s));

-- name: recent
-- After which id the rows of the last days come; after the first mark, where there is none that old.
select coalesce(
  (select greatest_id from aiaccount.reconciliation_marks
    where aggregate_type = %(aggregate)s and marked_at <= clock_timestamp() - make_interval(secs => %(seconds)s)
    order by marked_at desc limit 1),
  (select greatest_id from aiaccount.reconciliation_marks
    where aggregate_type = %(aggregate)s order by marked_at limit 1),
  0);
