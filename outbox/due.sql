-- How tasks that are due come into the outbox, and so onto the one path that everything takes.

-- name: take_due
-- From tenant to tenant, so that none stands in another's way: as many tasks as its share of AiAccount lets it use now,
-- four times over, since many have nothing to send, but just so many while documents wait for their call; live ones
-- before those of a backfill, of which there is a bound in all. Nothing of a tenant that AiAccount told to wait, nothing
-- of an endpoint that is down but what may probe.
-- What is taken is due again when its lease runs out: after five minutes, doubled for each time that nobody claimed
-- it, up to an hour.
with recursive owing (tenant_id) as (
  (select tenant_id from aiaccount.tasks where due_at is not null and tenant_id is not null order by tenant_id limit 1)
  union all
  select (select t.tenant_id from aiaccount.tasks t
           where t.due_at is not null and t.tenant_id > o.tenant_id order by t.tenant_id limit 1)
    from owing o where o.tenant_id is not null
),
working as materialized (
  select endpoint from unnest(array['pos_invoice', 'pos_receipt', 'kol_bill', 'kol_payment']) as endpoint
   where not exists (select from aiaccount.outages o where o.endpoint = endpoint.endpoint and o.probe_at > now())
),
room as materialized (
  select greatest(%(backfill)s - count(*), 0) as backfill
    from (select from aiaccount.tasks
           where lane = 'backfill' and (token is not null or leases > 0) and due_at > now() limit %(backfill)s) as under_way
),
share as materialized (
  select o.tenant_id, s.calls, s.reserve, s.calls_at_once,
         coalesce(s.calls, s.calls_at_once) is not null
           and exists (select from unnest(array['pos_invoice', 'pos_receipt', 'kol_bill', 'kol_payment']) as e (endpoint)
                         join aiaccount.documents d on d.tenant_id = o.tenant_id and d.endpoint = e.endpoint and d.code = 'PACED'
                        where d.verdict = 'retry' and d.accepted_at is null and d.next_at > now() - interval '10 minutes') as queued,
         case when s.closed_until > now() then 0
              else least(coalesce(4 * s.calls + 1, %(tasks)s) , coalesce(4 * s.calls_at_once + 1, %(tasks)s)) * (coalesce(s.calls, 1) > 0)::int end as live,
         case when s.closed_until > now() then 0
              else least(coalesce(4 * (s.calls - s.reserve) + 1, %(tasks)s), coalesce(4 * s.calls_at_once + 1, %(tasks)s)) * (coalesce(s.calls - s.reserve, 1) > 0)::int end as backfill
    from owing o
    left join aiaccount.shares s on s.tenant_id = o.tenant_id
   where o.tenant_id is not null
),
-- How many more each tenant may have under way. What was handed out and not claimed for ten seconds asks for no call soon.
busy as materialized (
  select s.tenant_id,
         case when s.queued then least(s.calls, s.calls_at_once - u.calling) - u.asking else s.live - u.tasks end as live,
         case when s.queued then least(s.calls - s.reserve, s.calls_at_once - u.calling) - u.asking else s.backfill - u.tasks end as backfill
    from share s
   cross join lateral (select count(*) as tasks, count(under_way.calling_for) as calling,
                              count(*) filter (where under_way.calling_for is null and under_way.soon) as asking
                         from (select t.calling_for,
                                      t.token is not null
                                        or t.due_at > now() - interval '10 seconds' + aiaccount.lease_of(t.leases - 1) as soon
                                 from aiaccount.tasks t
                                where t.tenant_id = s.tenant_id and (t.token is not null or t.leases > 0) and t.due_at > now()
                                limit greatest(s.live, s.backfill)) as under_way) as u
   where s.live > 0 or s.backfill > 0
),
live as materialized (
  select l.*
    from busy o
   cross join lateral (select t.endpoint, t.aggregate_id, t.tenant_id from aiaccount.tasks t
                        where t.tenant_id = o.tenant_id and t.lane = 'live' and t.due_at <= now()
                          and t.endpoint in (select endpoint from working)
                        order by t.due_at limit greatest(o.live, 0)
                          for no key update skip locked) as l
   limit %(tasks)s
),
unknown as materialized (
  select endpoint, aggregate_id from aiaccount.tasks
   where tenant_id is null and due_at <= now()
   order by lane desc, due_at limit %(tasks)s - (select count(*) from live)
     for no key update skip locked
),
filling as materialized (
  select o.*, r.backfill / count(*) over () + 1 as part
    from busy o, room r
   where o.backfill > 0 and exists (select from aiaccount.tasks t where t.tenant_id = o.tenant_id and t.lane = 'backfill' and t.due_at <= now())
),
backfill as materialized (
  select b.*
    from filling o
   cross join lateral (select t.endpoint, t.aggregate_id from aiaccount.tasks t
                        where t.tenant_id = o.tenant_id and t.lane = 'backfill' and t.due_at <= now()
                          and t.endpoint in (select endpoint from working)
                        order by t.due_at
                        limit least(greatest(o.backfill - (select count(*) from live where live.tenant_id = o.tenant_id), 0), o.part)
                          for no key update skip locked) as b
   limit greatest(least((select backfill from room), %(tasks)s - (select count(*) from live) - (select count(*) from unknown)), 0)
),
taken as (
  update aiaccount.tasks as task
  set due_at = clock_timestamp() + aiaccount.lease_of(task.leases),
      leases = least(task.leases + 1, 100)
  from (select endpoint, aggregate_id from live
        union all select endpoint, aggregate_id from unknown
        union all select endpoint, aggregate_id from backfill) as due
  where task.endpoint = due.endpoint and task.aggregate_id = due.aggregate_id
  returning task.aggregate_type, task.aggregate_id, task.endpoint, task.lane
)
insert into aiaccount.outbox (aggregate_type, aggregate_id, endpoint, lane)
select aggregate_type, aggregate_id, endpoint, lane from taken;

-- name: passed_breaker
-- A breaker that a probe has passed, and of which blocked documents may be left.
select tenant_id, endpoint, code, value from aiaccount.breakers where passed_at is not null limit 1 for no key update skip locked;

-- name: let_go
-- Some of what was blocked for that reason: due now, whatever its own deadline was.
with blocked as materialized (
  select endpoint, aggregate_id
    from (select distinct d.endpoint, d.aggregate_id
            from aiaccount.documents d
           where d.tenant_id = %(tenant)s and d.endpoint = %(endpoint)s and d.code = %(code)s
             and d.accepted_at is null and d.verdict = 'block' and d.next_at > clock_timestamp()
           limit %(tasks)s) as kept
), locked as materialized (
  select t.endpoint, t.aggregate_id
    from aiaccount.tasks t
    join blocked b on b.endpoint = t.endpoint and b.aggregate_id = t.aggregate_id
   order by t.endpoint, t.aggregate_id
     for no key update of t
), freed as (
  update aiaccount.documents d
     set next_at = null, updated_at = clock_timestamp()
    from locked l
   where d.endpoint = l.endpoint and d.aggregate_id = l.aggregate_id and d.tenant_id = %(tenant)s
     and d.code = %(code)s and d.accepted_at is null and d.verdict = 'block'
), woken as (
  update aiaccount.tasks t
     set again  = t.token is not null,
         due_at = case when t.token is null then least(t.due_at, clock_timestamp()) else t.due_at end,
         leases = 0
    from locked l
   where t.endpoint = l.endpoint and t.aggregate_id = l.aggregate_id
  returning t.endpoint
)
select count(*) from woken;

-- name: forget_breaker
delete from aiaccount.breakers
 where tenant_id = %(tenant)s and endpoint = %(endpoint)s and code = %(code)s and value = %(value)s and passed_at is not null;
