-- What people asked to be synced again, so that a run goes on whoever dies, and its counts are derived and true.

-- A backfill that somebody asked for: business dates, both ends included. Its rows are found when it is recorded, and
-- become due tasks page by page: `after` is where the last page ended, in the order of run_tasks' key. A cancelled run
-- goes over them once more, to take back what nobody has looked at.
create table aiaccount.runs (
  id              bigint      generated always as identity primary key,
  asked_by        text        not null check (asked_by <> ''),      -- the user of the machine, as the command line saw it
  role            text        not null default session_user,        -- the database's word for who it was
  asked_at        timestamptz not null default clock_timestamp(),   -- what is accepted from now on, the run has sent
  from_date       date        not null,
  to_date         date        not null check (to_date >= from_date),
  after_endpoint  text,
  after_id        bigint,
  queued_at       timestamptz,                     -- all that was found is a due task
  finished_at     timestamptz,                     -- nothing moves any more: what is left waits for somebody
  cancelled_at    timestamptz,
  cancelled_by    text,
  taken_back_at   timestamptz,                     -- all that could be taken back was
  check ((after_endpoint is null) = (after_id is null)),
  check ((cancelled_at is null) = (cancelled_by is null)),
  check (taken_back_at is null or cancelled_at is not null)
);
create index runs_open on aiaccount.runs (id) where finished_at is null;

-- For whom, and which kind of document; into which company's books.
create table aiaccount.run_parts (
  run_id      bigint  not null references aiaccount.runs on delete cascade,
  tenant_id   bigint  not null references aiaccount.tenants on delete cascade,
  endpoint    text    not null check (endpoint in ('pos_invoice', 'pos_receipt', 'kol_bill', 'kol_payment')),
  company_id  text    not null,
  widened     boolean not null default false,      -- it was the first to want these dates: cancelled, it takes that back
  primary key (run_id, tenant_id, endpoint)
);

-- Each row that it found, for each kind of document.
create table aiaccount.run_tasks (
  run_id        bigint  not null,
  endpoint      text    not null,
  aggregate_id  bigint  not null,
  tenant_id     bigint  not null,
  queued_at     timestamptz,                       -- a look from then on is the run's
  created       boolean not null default false,    -- nobody had a task of it before
  primary key (run_id, endpoint, aggregate_id),
  foreign key (run_id, tenant_id, endpoint) references aiaccount.run_parts on delete cascade
);

-- How each of a run's rows stands now, by what tasks and documents say. `code` is why it is blocked or failed.
--   found      not a task yet                      sent      accepted since the run was asked for
--   left       due, busy, or tried again soon      there     accepted before
--   cancelled  taken back, or never queued         nothing   calls for no document
--   waiting    hangs on a document that is not accepted
--   blocked    the tenant must mend something, or is inactive, or keeps its books in another company by now
--   failed     a conflict, parked, or it failed four times and goes on trying
-- What the gate keeps was not tried, and did not fail. Of a finished run a task that is due again is no news.
create view aiaccount.run_standings as
select q.run_id, q.tenant_id, q.endpoint, q.aggregate_id,
       case when q.queued_at is null then case when r.cancelled_at is null then 'found' else 'cancelled' end
            when t.endpoint is null then 'cancelled'
            when gone.code is not null then 'blocked'
            when t.handled_at is null or t.handled_at < q.queued_at then 'left'
            when r.finished_at is null
             and (t.token is not null or t.leases > 0 or t.due_at <= clock_timestamp() or d.goes_again) then 'left'
            when t.trouble_code is not null or d.failed or d.goes_again then 'failed'
            when d.blocked then 'blocked'
            when d.waits then 'waiting'
            when d.accepted_at >= r.asked_at then 'sent'
            when d.accepted_at is not null then 'there'
            else 'nothing' end as state,
       coalesce(gone.code, t.trouble_code, d.code) as code
  from aiaccount.run_tasks as q
  join aiaccount.runs as r on r.id = q.run_id
  join aiaccount.run_parts as p on p.run_id = q.run_id and p.tenant_id = q.tenant_id and p.endpoint = q.endpoint
  join aiaccount.tenants as n on n.tenant_id = q.tenant_id
  left join aiaccount.tasks as t on t.endpoint = q.endpoint and t.aggregate_id = q.aggregate_id
 cross join lateral (
   select max(o.accepted_at) as accepted_at,
          bool_or(o.verdict in ('conflict', 'park') or (o.failing and o.attempts > 3)) as failed,
          bool_or(o.verdict = 'retry' and not (o.failing and o.attempts > 3)) as goes_again,
          bool_or(o.verdict = 'block') as blocked,
          bool_or(o.verdict = 'wait') as waits,
          (array_agg(o.code order by o.verdict in ('conflict', 'park') desc, o.failing desc, o.number)
             filter (where o.verdict in ('conflict', 'park', 'block', 'retry')))[1] as code
     from (select x.*, x.verdict = 'retry' and x.code not in ('PACED', 'RATE_LIMITED', 'ENDPOINT_DOWN') as failing
             from aiaccount.documents as x
            where x.company_id = p.company_id and x.endpoint = q.endpoint and x.aggregate_id = q.aggregate_id) as o) as d
 cross join lateral (  -- nobody sends for it what is not accepted: no look says more
   select case when d.accepted_at is not null and not coalesce(d.goes_again or d.blocked or d.waits, false) then null
               when not n.active then 'TENANT_INACTIVE'
               when n.company_id is distinct from p.company_id then 'COMPANY_LEFT' end as code) as gone;
