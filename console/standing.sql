-- How each tenant's documents are doing, read by whoever may see the tenant; none of these reads what is settled, but for
-- the counts of `ledger`. Tenants: null for all that may be seen.

-- name: settle
-- Each of these has one right plan, whatever the statistics say of tables that were just filled: look-ups by an index.
select set_config('jit', 'off', false), set_config('enable_seqscan', 'off', false),
       set_config('enable_bitmapscan', 'off', false);

-- name: unseen
-- Which of these are no tenants, or none that this login may see.
select id from unnest(%(tenants)s::bigint[]) as id where id not in (select tenant_id from aiaccount.tenants) order by id;

-- name: way
-- The way that all tenants share, an endpoint a row; and whether this login is one that sees the pipeline.
select clock_timestamp() as now, e.endpoint, p.captures, p.leads, p.moved_at, p.led_by, p.led_at, p.unread_since,
       u.since as unheard_since, o.began_at as down_since,
       has_table_privilege('aiaccount.relay_cursor', 'select') as operator
  from aiaccount.pulse as p
 cross join unnest(array['pos_invoice', 'pos_receipt', 'kol_bill', 'kol_payment']) with ordinality as e (endpoint, nth)
  left join aiaccount.unheard as u on u.endpoint = e.endpoint
  left join aiaccount.outages as o on o.endpoint = e.endpoint
 order by e.nth;

-- name: endpoints
-- Each tenant and endpoint: what stops it, when its last document was accepted, and how many were that day (in the
-- tenant's zone; no more are counted than are shown).
select t.tenant_id, t.company_name, t.company_id is not null as connected, t.active, t.timezone, e.endpoint,
       stop.code as stop_code, last.accepted_at, coalesce(day.rows, 0) as rows
  from aiaccount.tenants as t
 cross join unnest(array['pos_invoice', 'pos_receipt', 'kol_bill', 'kol_payment']) with ordinality as e (endpoint, nth)
  left join lateral (
    select s.code from aiaccount.stops as s
     where s.tenant_id = t.tenant_id and s.endpoint in ('*', e.endpoint) and s.settings_version = t.settings_version
     order by s.endpoint limit 1) as stop on true
  left join lateral (
    select d.accepted_at from aiaccount.documents as d
     where d.tenant_id = t.tenant_id and d.company_id = t.company_id and d.endpoint = e.endpoint and d.state = 'pushed'
     order by d.accepted_at desc limit 1) as last on true
  left join lateral (
    select count(*) as rows
      from (select from aiaccount.documents as d
             where d.tenant_id = t.tenant_id and d.company_id = t.company_id and d.endpoint = e.endpoint and d.state = 'pushed'
               and d.accepted_at >= date_trunc('day', last.accepted_at, t.timezone)
             limit %(most)s) as counted) as day on last.accepted_at is not null
 where %(tenants)s::bigint[] is null or t.tenant_id = any (%(tenants)s)
 order by t.tenant_id, e.nth;

-- name: unsettled
-- Documents that do not go by themselves, by reason, and those that wait, by code: how many, since when (what was sent and
-- is in conflict, since that was found), the oldest one's number, and how many of them no task looks at just now.
select d.tenant_id, d.endpoint, d.verdict, d.state, d.code, case when d.verdict = 'block' then d.reason end as reason,
       count(*) as documents, min(case when d.accepted_at is null then d.created_at else d.updated_at end) as since,
       (array_agg(d.number order by d.created_at, d.number))[1] as number,
       count(*) filter (where d.verdict in ('retry', 'wait') and not exists (
         select from aiaccount.tasks as k
          where k.endpoint = d.endpoint and k.aggregate_id = d.aggregate_id
            and (k.due_at <= statement_timestamp() or k.token is not null or k.leases > 0))) as idle
  from aiaccount.documents as d
  join aiaccount.tenants as t on t.tenant_id = d.tenant_id and t.company_id = d.company_id
 where d.verdict in ('retry', 'wait', 'block', 'conflict', 'park')
   and (%(tenants)s::bigint[] is null or d.tenant_id = any (%(tenants)s))
 group by d.tenant_id, d.endpoint, d.verdict, d.state, d.code, case when d.verdict = 'block' then d.reason end
 order by d.tenant_id, d.endpoint, documents desc;

-- name: troubled
-- Rows that could not be handled as a whole.
select k.tenant_id, k.endpoint, k.trouble_code, count(*) as rows, min(k.handled_at) as since
  from aiaccount.tasks as k
 where k.trouble_code is not null and k.tenant_id is not null
   and (%(tenants)s::bigint[] is null or k.tenant_id = any (%(tenants)s))
 group by k.tenant_id, k.endpoint, k.trouble_code;

-- name: tasks
-- Tasks that are due, or under way: how many, since when the oldest, and whether any moves. What was handed out was due
-- before each of its leases. A claim is being handled until it ends, and one that ended waits since then: its holder died.
-- What was handed out once more, and still not claimed, does not move.
with due as (
  select t.tenant_id, k.endpoint, k.due_at as since, false as moves
    from aiaccount.tenants as t
   cross join unnest(array['live', 'backfill']) as lane (name)
   cross join lateral (select k.endpoint, k.due_at from aiaccount.tasks as k
                        where k.tenant_id = t.tenant_id and k.lane = lane.name and k.due_at <= statement_timestamp()) as k
   where %(tenants)s::bigint[] is null or t.tenant_id = any (%(tenants)s)
), under_way as (
  select k.tenant_id, k.endpoint,
         case when k.busy_until > statement_timestamp() then null
              when k.token is not null then k.busy_until
              else aiaccount.due_since(k.due_at, k.leases) end as since,
         coalesce(k.busy_until > statement_timestamp(), false)
           or (k.leases = 1 and k.due_at > statement_timestamp() + interval '4 minutes') as moves
    from aiaccount.tasks as k
   where (k.token is not null or k.leases > 0) and k.due_at > statement_timestamp() and k.tenant_id is not null
     and (%(tenants)s::bigint[] is null or k.tenant_id = any (%(tenants)s))
)
select tenant_id, endpoint, count(*) as tasks, min(since) as since, bool_or(moves) as moves
  from (select * from due union all select * from under_way) as waiting
 group by tenant_id, endpoint;

-- name: ledger
-- Documents by state, from two indexes alone, of all companies that the tenants ever posted to; those whose first attempt is
-- under way are in neither.
select d.state, count(*) as documents from aiaccount.documents as d
 where d.state in ('pushed', 'skipped')
 group by d.state
 union all
select d.state, count(*) from aiaccount.documents as d
 where d.verdict in ('retry', 'wait', 'block', 'conflict', 'park') and d.state not in ('pushed', 'skipped')
 group by d.state;
