-- Runs: what is asked for, found, queued, taken back and told.

-- name: ask
insert into aiaccount.runs (asked_by, from_date, to_date) values (%(asked_by)s, %(from)s, %(to)s) returning id;

-- name: rehearse
-- The same, to be rolled back: under an id that nobody else has, and that is missing in no list.
insert into aiaccount.runs (id, asked_by, from_date, to_date) overriding system value
values (-pg_current_xact_id()::text::bigint, %(asked_by)s, %(from)s, %(to)s) returning id;

-- name: parts
insert into aiaccount.run_parts (run_id, tenant_id, endpoint, company_id)
select %(run)s, t.tenant_id, e.endpoint, t.company_id
  from aiaccount.tenants as t
 cross join unnest(%(endpoints)s::text[]) as e (endpoint)
 where t.tenant_id = any (%(tenants)s) and t.company_id is not null;

-- name: find
-- Every row that these tenants own and whose business date, by the view, lies in the range: the date of the sale, or the
-- end of the settlement's period. It decides whether a row is posted, so receipts and payments go by it too. Asked again
-- once the dates are wanted: what came in between was perhaps looked at before that, and left out.
insert into aiaccount.run_tasks (run_id, endpoint, aggregate_id, tenant_id)
select p.run_id, p.endpoint, s.id, s.tenant_id
  from aiaccount.run_parts as p
  join aiaccount.runs as r on r.id = p.run_id
  join aiaccount.pos_transaction_digest as s
    on s.tenant_id = p.tenant_id and s.business_date between r.from_date and r.to_date
 where p.run_id = %(run)s and p.endpoint = any (aiaccount.endpoints_of('pos_transaction'))
 union all
select p.run_id, p.endpoint, s.id, s.tenant_id
  from aiaccount.run_parts as p
  join aiaccount.runs as r on r.id = p.run_id
  join aiaccount.kol_settlement_digest as s
    on s.tenant_id = p.tenant_id and s.business_date between r.from_date and r.to_date
 where p.run_id = %(run)s and p.endpoint = any (aiaccount.endpoints_of('kol_settlement'))
 order by 2, 3
on conflict do nothing;

-- name: rows
select tenant_id, endpoint, aggregate_id from aiaccount.run_tasks where run_id = %(run)s;

-- name: lock_tenants
-- In one order; who changes settings locks the same rows.
select count(*) from (select from aiaccount.tenants
                       where tenant_id in (select tenant_id from aiaccount.run_parts where run_id = %(run)s)
                       order by tenant_id for no key update) as locked;

-- name: want
-- From here on the mappers read these dates as wanted; not for a tenant that has just gone to another company.
with fresh as (
  insert into aiaccount.wanted_ranges (tenant_id, endpoint, from_date, to_date)
  select p.tenant_id, p.endpoint, r.from_date, r.to_date
    from aiaccount.run_parts as p
    join aiaccount.runs as r on r.id = p.run_id
    join aiaccount.tenants as t on t.tenant_id = p.tenant_id and t.company_id = p.company_id
   where p.run_id = %(run)s
   order by 1, 2
  on conflict do nothing
  returning tenant_id, endpoint
)
update aiaccount.run_parts as p
   set widened = true
  from fresh as f
 where p.run_id = %(run)s and p.tenant_id = f.tenant_id and p.endpoint = f.endpoint
returning p.tenant_id;

-- name: unwant
-- A cancelled run's dates, unless another run wants the same ones, or they were there before any run. What a run wanted
-- in books that the tenant has left went when it left them.
delete from aiaccount.wanted_ranges as w
 using aiaccount.run_parts as p
  join aiaccount.runs as r on r.id = p.run_id
  join aiaccount.tenants as t on t.tenant_id = p.tenant_id and t.company_id = p.company_id
 where p.run_id = %(run)s and w.tenant_id = p.tenant_id and w.endpoint = p.endpoint
   and (w.from_date, w.to_date) = (r.from_date, r.to_date)
   and exists (select from aiaccount.run_parts as first
                 join aiaccount.runs as f on f.id = first.run_id
                where first.widened and first.tenant_id = p.tenant_id and first.endpoint = p.endpoint
                  and first.company_id = p.company_id
                  and (f.from_date, f.to_date) = (r.from_date, r.to_date))
   and not exists (select from aiaccount.run_parts as other
                     join aiaccount.runs as o on o.id = other.run_id
                    where o.cancelled_at is null and other.tenant_id = p.tenant_id and other.endpoint = p.endpoint
                      and other.company_id = p.company_id
                      and (o.from_date, o.to_date) = (r.from_date, r.to_date))
returning w.tenant_id;

-- name: keep_stops
-- A change of the wanted dates mends nothing: who was stopped stays stopped, under the version that comes.
update aiaccount.stops as s
   set settings_version = t.settings_version + 1
  from aiaccount.tenants as t
 where t.tenant_id = any (%(tenants)s) and s.tenant_id = t.tenant_id and s.settings_version = t.settings_version;

-- name: raise_versions
-- Processes keep a tenant's settings by their version.
update aiaccount.tenants set settings_version = settings_version + 1, updated_at = now() where tenant_id = any (%(tenants)s);

-- name: lock_run
-- Who asks for a run's end waits for the page that is being queued.
select finished_at, cancelled_at, cancelled_by from aiaccount.runs where id = %(run)s for no key update;

-- name: cancel
update aiaccount.runs
   set cancelled_at = clock_timestamp(), cancelled_by = %(cancelled_by)s, after_endpoint = null, after_id = null
 where id = %(run)s;

-- name: listed
-- The newest runs, each in a line.
select r.id, r.asked_by, r.asked_at, r.from_date as first, r.to_date as last, r.queued_at, r.finished_at, r.cancelled_at, r.cancelled_by,
       (select array_agg(distinct p.tenant_id order by p.tenant_id) from aiaccount.run_parts as p where p.run_id = r.id) as tenants,
       (select array_agg(distinct p.endpoint order by p.endpoint) from aiaccount.run_parts as p where p.run_id = r.id) as endpoints
  from aiaccount.runs as r
 where (%(run)s::bigint is null or r.id = %(run)s)
   and (not %(open)s or r.finished_at is null)
   and (%(tenant)s::bigint is null
        or exists (select from aiaccount.run_parts as p where p.run_id = r.id and p.tenant_id = %(tenant)s))
 order by r.id desc
 limit %(last)s;

-- name: counts
-- How a run's rows stand, by tenant, kind, state and reason; parts without a row as well.
select p.tenant_id, p.endpoint, s.state, case when s.state in ('blocked', 'failed') then s.code end as code, count(s.aggregate_id) as rows
  from aiaccount.run_parts as p
  left join aiaccount.run_standings as s
    on s.run_id = p.run_id and s.tenant_id = p.tenant_id and s.endpoint = p.endpoint
 where p.run_id = %(run)s
 group by 1, 2, 3, 4;

-- name: motion
-- What becomes of what is left: due and not taken, handed out and not claimed, being looked at, or to come later. A claim
-- that ended is not being looked at: its holder died.
select count(*) filter (where t.due_at <= clock_timestamp()) as due,
       count(*) filter (where (t.busy_until > clock_timestamp()) is not true and t.leases > 0 and t.due_at > clock_timestamp()) as handed_out,
       count(*) filter (where t.busy_until > clock_timestamp()) as busy
  from aiaccount.run_tasks as q
  join aiaccount.tasks as t on t.endpoint = q.endpoint and t.aggregate_id = q.aggregate_id
 where q.run_id = %(run)s and q.queued_at is not null;
