-- The tables of AiAccount Sync. The database guards the invariants: each check says which.

create schema if not exists aiaccount;  -- Alembic's own table stands in it first
revoke all on schema aiaccount from public;

-- Which installation this is. Every process refuses one that is not its own: a copy of production never posts.
create table aiaccount.installation (
  singleton     boolean primary key default true check (singleton),
  environment   text    not null check (environment ~ '^[a-z][a-z0-9-]{0,39}$'),
  capture_mode  text    not null default 'lenient' check (capture_mode in ('lenient', 'strict')),
  installed_at  timestamptz not null default now()
);

-- What happened that an operator must hear of: a TRUNCATE, a failed capture, a re-anchored cursor.
create table aiaccount.alerts (
  id         bigint generated always as identity primary key,
  raised_at  timestamptz not null default clock_timestamp(),
  kind       text        not null,
  detail     text        not null
);

-- "This aggregate changed." Insert only; the relay reads at its right edge.
-- No foreign key, no trigger, no second index: it stands in the till's transaction.
create table aiaccount.outbox (
  xid             xid8        not null default pg_current_xact_id(),
  seq             bigint      not null generated always as identity,
  aggregate_type  text        not null check (aggregate_type in ('pos_transaction', 'kol_settlement')),
  aggregate_id    bigint      not null,
  endpoint        text        check (endpoint in ('pos_invoice', 'pos_receipt', 'kol_bill', 'kol_payment')),  -- null: all of the aggregate's
  lane            text        not null default 'live' check (lane in ('live', 'backfill')),
  created_at      timestamptz not null default clock_timestamp()
);
create index outbox_by_xid on aiaccount.outbox (xid, seq);

-- How far the relay has come: everything visible in from_snapshot was sent; between it and target_snapshot
-- everything up to (after_xid, after_seq) was. Only who holds the epoch moves it.
create table aiaccount.relay_cursor (
  singleton          boolean     primary key default true check (singleton),
  epoch              bigint      not null default 0,
  from_snapshot      pg_snapshot not null,
  target_snapshot    pg_snapshot,
  after_xid          xid8,
  after_seq          bigint,
  system_identifier  bigint      not null,   -- of the cluster whose transaction ids these are
  timeline_id        integer     not null,
  moved_at           timestamptz not null default clock_timestamp(),
  check ((after_xid is null) = (after_seq is null)),
  check (after_xid is null or target_snapshot is not null)
);

-- A blogger who subscribed, and how the blogger's books are kept. Every change raises settings_version.
create table aiaccount.tenants (
  tenant_id         bigint      primary key,          -- NS16's blogger_id
  active            boolean     not null default true,
  company_id        text,                             -- AiAccount's id, from the connection test; null: not connected yet
  company_name      text        not null check (company_name <> ''),
  kol_mode          text        not null check (kol_mode in ('single', 'multi')),
  owner_kol_id      bigint,
  home_currency     text        not null default 'MYR' check (home_currency ~ '^[A-Z]{3}$'),
  timezone          text        not null default 'Asia/Kuala_Lumpur'
                    check (timestamptz '2000-01-01 00:00+00' at time zone timezone is not null),  -- a name that PostgreSQL knows: one tenant's must not fail a read of many
  day_cutoff_hour   smallint    not null default 0 check (day_cutoff_hour between 0 and 23),
  cutover_date      date        not null,
  codes             jsonb       not null default '{}' check (jsonb_typeof(codes) = 'object'),
  settings_version  integer     not null default 1,
  created_at        timestamptz not null default now(),
  updated_at        timestamptz not null default now()
);
-- A company belongs to one active tenant: two bloggers never post into the same books.
create unique index tenants_company on aiaccount.tenants (company_id) where active and company_id is not null;

-- The dates that backfills have named, both ends included; the mapper reads them.
create table aiaccount.wanted_ranges (
  tenant_id  bigint not null references aiaccount.tenants on delete cascade,
  endpoint   text   not null check (endpoint in ('pos_invoice', 'pos_receipt', 'kol_bill', 'kol_payment')),
  from_date  date   not null,
  to_date    date   not null check (to_date >= from_date),
  primary key (tenant_id, endpoint, from_date, to_date)
);

-- A tenant's sealed API key. Write-only for people: opened for the moment of a call.
create table aiaccount.credentials (
  tenant_id   bigint      not null references aiaccount.tenants on delete cascade,
  purpose     text        not null default 'aiaccount',
  version     integer     not null check (version > 0),         -- bound into the seal
  key_id      text        not null,                             -- which master key of the ring sealed it
  nonce       bytea       not null check (length(nonce) = 12),
  ciphertext  bytea       not null,
  set_by      text        not null,
  set_at      timestamptz not null default now(),
  tested_at   timestamptz,
  primary key (tenant_id, purpose)
);

-- Who is not called until a person acts: a tenant (endpoint '*') or one endpoint of it.
-- Names the key and settings it was learnt with, so that a late answer about an old key stops nobody.
create table aiaccount.stops (
  tenant_id         bigint      not null references aiaccount.tenants on delete cascade,
  endpoint          text        not null check (endpoint in ('*', 'pos_invoice', 'pos_receipt', 'kol_bill', 'kol_payment')),
  code              text        not null,
  reason            text        not null,
  key_version       integer     not null,
  settings_version  integer     not null,
  stopped_at        timestamptz not null default clock_timestamp(),
  primary key (tenant_id, endpoint)
);

-- What is still to be done: one row for each aggregate and endpoint. Kafka only says "look now".
create table aiaccount.tasks (
  endpoint        text        not null check (endpoint in ('pos_invoice', 'pos_receipt', 'kol_bill', 'kol_payment')),
  aggregate_id    bigint      not null,
  aggregate_type  text        not null generated always as
                  (case when endpoint in ('pos_invoice', 'pos_receipt') then 'pos_transaction' else 'kol_settlement' end) stored,
  tenant_id       bigint,                          -- null until a snapshot of it was seen
  lane            text        not null default 'live' check (lane in ('live', 'backfill')),
  due_at          timestamptz,                     -- null: nothing to do until the row changes
  leases          smallint    not null default 0,  -- times it was sent out and nobody claimed it
  token           uuid,                            -- who is at it: claimed and not released, expired or not
  busy_until      timestamptz,
  again           boolean     not null default false,  -- look again: something came while it was busy
  digest          bytea,                           -- of the snapshot handled last
  trouble_code    text,                            -- why the whole row could not be handled
  trouble         text,
  created_at      timestamptz not null default clock_timestamp(),
  handled_at      timestamptz,
  primary key (endpoint, aggregate_id),
  check ((token is null) = (busy_until is null)),
  check (token is null or due_at is not null),     -- a claim whose holder died is found by the due-task sweep
  check (not again or token is not null)           -- released means looked at again
);
create index tasks_due on aiaccount.tasks (lane, due_at) where due_at is not null;
create index tasks_by_tenant on aiaccount.tasks (tenant_id, endpoint);

-- The ledger: what was sent, may have been sent, or why it was not. Facts; the state that people see is derived.
create table aiaccount.documents (
  company_id        text        not null,
  endpoint          text        not null check (endpoint in ('pos_invoice', 'pos_receipt', 'kol_bill', 'kol_payment')),
  aggregate_id      bigint      not null,
  number            text        not null,
  tenant_id         bigint      not null,
  document          json,                          -- exactly as sent; null: never attempted
  snapshot          jsonb,                         -- that it was made from
  doubt_at          timestamptz,                   -- when the last attempt of unknown outcome began; not null: it may exist
  accepted_at       timestamptz,
  remote_id         text,
  verdict           text        check (verdict in ('retry', 'wait', 'block', 'conflict', 'skip', 'park')),
  code              text,
  reason            text,
  attempts          integer     not null default 0,
  first_attempt_at  timestamptz,
  last_attempt_at   timestamptz,
  next_at           timestamptz,                   -- the next attempt, not before
  key_version       integer,
  settings_version  integer,
  created_at        timestamptz not null default clock_timestamp(),
  updated_at        timestamptz not null default clock_timestamp(),
  may_exist         boolean     not null generated always as (doubt_at is not null) stored,
  state             text        not null generated always as (case
                      when verdict = 'conflict' then 'conflict'
                      when accepted_at is not null then 'pushed'
                      when verdict = 'park' then 'parked'
                      when doubt_at is not null then 'in doubt'
                      when verdict = 'retry' then 'retrying'
                      when verdict = 'block' then 'blocked'
                      when verdict = 'skip' then 'skipped'
                      else 'waiting' end) stored,
  primary key (company_id, endpoint, aggregate_id, number),
  check ((accepted_at is null) = (remote_id is null)),
  check (accepted_at is null or doubt_at is null),                      -- accepted ends the doubt
  check (document is not null or (accepted_at is null and doubt_at is null)),
  check ((document is null) = (snapshot is null)),
  check (verdict is null or code is not null or verdict = 'wait')
);
-- A number belongs to the aggregate that first claimed it: no second row ever stands for the same document.
create unique index documents_number on aiaccount.documents (company_id, endpoint, number)
  where accepted_at is not null or doubt_at is not null;
create index documents_by_aggregate on aiaccount.documents (aggregate_id, endpoint);
create index documents_open on aiaccount.documents (tenant_id, endpoint, code)
  where accepted_at is null and verdict in ('retry', 'block', 'conflict', 'park');

-- A tenant's settings in the form that the mappers read.
create view aiaccount.tenant_settings as
select t.tenant_id, t.active, t.company_id, t.settings_version,
       jsonb_build_object(
         'tenant_id', t.tenant_id, 'company_name', t.company_name, 'kol_mode', t.kol_mode, 'owner_kol_id', t.owner_kol_id,
         'home_currency', t.home_currency, 'timezone', t.timezone, 'day_cutoff_hour', t.day_cutoff_hour,
         'cutover_date', t.cutover_date, 'codes', t.codes,
         'wanted', coalesce((select jsonb_object_agg(w.endpoint, w.ranges)
                               from (select endpoint, jsonb_agg(jsonb_build_array(from_date, to_date) order by from_date, to_date) as ranges
                                       from aiaccount.wanted_ranges r where r.tenant_id = t.tenant_id group by endpoint) w), '{}'))
         as settings
  from aiaccount.tenants t;

-- The endpoints that read an aggregate.
create function aiaccount.endpoints_of(aggregate_type text) returns text[]
  language sql immutable parallel safe
  return case aggregate_type when 'pos_transaction' then array['pos_invoice', 'pos_receipt']
                             else array['kol_bill', 'kol_payment'] end;
