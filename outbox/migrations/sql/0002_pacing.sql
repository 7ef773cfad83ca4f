-- How often each tenant may be called, what is missing in whose books, which endpoints are down, and every attempt.

-- A tenant's share of AiAccount; null: without a limit of ours.
alter table aiaccount.tenants
  add column calls_per_minute  integer default 60 check (calls_per_minute between 1 and 60000),
  add column calls_at_once     integer default 5  check (calls_at_once between 1 and 10000);

-- What a tenant has used of its share, for all processes together.
create table aiaccount.paces (
  tenant_id     bigint      primary key references aiaccount.tenants on delete cascade,
  spent_until   timestamptz not null default 'epoch',  -- when the calls given out are made up for
  closed_until  timestamptz not null default 'epoch'   -- AiAccount said: too many, wait
);

-- What each tenant may still call at this moment. A bucket (GCRA): `burst` calls at once, then one `every` so often,
-- so that no window of a minute ever holds more than calls_per_minute. Backfills leave the last `reserve` to live sales.
create view aiaccount.shares as
select t.tenant_id, t.calls_at_once, p.spent_until, p.closed_until, s.burst, s.every, s.burst / 2 as reserve,
       floor(extract(epoch from s.burst * s.every - greatest(p.spent_until - clock_timestamp(), interval '0'))
             / extract(epoch from s.every))::bigint as calls
  from aiaccount.tenants t
  left join aiaccount.paces p on p.tenant_id = t.tenant_id
 cross join lateral (select b.burst, interval '1 minute' / (t.calls_per_minute - b.burst + 1) as every
                       from (select greatest(1, t.calls_per_minute / 12) as burst) b) s;

-- What is missing in a tenant's books: equal refusals for one code and value. Open after three: from then on only one
-- document in a while probes. Passed: a probe got through, and what was blocked for it is being let go.
create table aiaccount.breakers (
  tenant_id  bigint      not null references aiaccount.tenants on delete cascade,
  endpoint   text        not null check (endpoint in ('pos_invoice', 'pos_receipt', 'kol_bill', 'kol_payment')),
  code       text        not null,
  value      text        not null,                 -- what is missing, such as the tax code; '': not said
  refusals   integer     not null default 1,
  reason     text        not null,
  opened_at  timestamptz,
  probe_at   timestamptz not null,                 -- when the next document may try
  passed_at  timestamptz,
  primary key (tenant_id, endpoint, code, value)
);

-- An endpoint of AiAccount that is down, for all tenants and processes: one call in a while probes.
create table aiaccount.outages (
  endpoint  text        primary key check (endpoint in ('pos_invoice', 'pos_receipt', 'kol_bill', 'kol_payment')),
  reason    text        not null,
  began_at  timestamptz not null default clock_timestamp(),
  probe_at  timestamptz not null
);

-- Every attempt to push a document, with its quick retries: what a document's story is told from.
create table aiaccount.attempts (
  id                bigint      primary key generated always as identity,
  company_id        text        not null,
  endpoint          text        not null,
  aggregate_id      bigint      not null,
  number            text        not null,
  tenant_id         bigint      not null,
  began_at          timestamptz not null,
  seconds           real        not null,
  calls             integer     not null check (calls > 0),
  treatment         text        not null,
  code              text        not null,
  reason            text        not null,
  key_version       integer,
  settings_version  integer
);
create index attempts_by_document on aiaccount.attempts (company_id, endpoint, number, id);

-- Who is in the middle of a call counts against the tenant's calls at once.
alter table aiaccount.tasks
  add column calling_for  bigint,                   -- the tenant; tenant_id stays null until the first release
  add check (calling_for is null or token is not null);
create index tasks_calling on aiaccount.tasks (calling_for) where calling_for is not null;
-- The sweep goes from tenant to tenant, and counts what is out already.
create index tasks_due_by_tenant on aiaccount.tasks (tenant_id, lane, due_at) where due_at is not null;
create index tasks_under_way on aiaccount.tasks (tenant_id, lane) where token is not null or leases > 0;
drop index aiaccount.tasks_due;
create index documents_blocked on aiaccount.documents (tenant_id, endpoint, code) where accepted_at is null and verdict = 'block';
