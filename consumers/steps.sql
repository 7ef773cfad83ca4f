-- name: claim
-- Take each task, or, where somebody is at it, ask for another look. An expired claim may be taken.
-- due_at := busy_until, so that the due-task sweep finds a claim whose holder died. The clock is read once,
-- before any wait for a row's lock: a wait only shortens the claim.
insert into aiaccount.tasks as t (endpoint, aggregate_id, lane, due_at, token, busy_until)
select w.endpoint, w.aggregate_id, w.lane, b.busy_until, w.token, b.busy_until
  from json_to_recordset(%(rows)s::json) as w (endpoint text, aggregate_id bigint, lane text, token uuid),
       (select statement_timestamp() + %(seconds)s * interval '1 second' as busy_until) as b
 order by w.endpoint, w.aggregate_id
on conflict (endpoint, aggregate_id) do update
   set token      = case when t.busy_until > statement_timestamp() then t.token else excluded.token end,
       busy_until = case when t.busy_until > statement_timestamp() then t.busy_until else excluded.busy_until end,
       due_at     = case when t.busy_until > statement_timestamp() then t.due_at else excluded.due_at end,
       again      = coalesce(t.busy_until > statement_timestamp(), false),
       lane       = case when excluded.lane = 'live' then 'live' else t.lane end,
       leases     = 0
returning t.endpoint, t.aggregate_id, t.token;

-- name: read
-- The committed state now, and what the ledger holds of the aggregate and of a refund's original.
select w.n, s.snapshot::text, g.digest, g.digest is distinct from t.digest as changed,
       s.original_id, coalesce(s.tenant_id, t.tenant_id) as owner_id, tn.tenant_id, tn.active, tn.company_id, tn.settings_version, c.version as key_version,
       stop.code as stop_code, stop.reason as stop_reason, sent.entries::text
  from json_to_recordset(%(rows)s::json) as w (n integer, endpoint text, aggregate_id bigint)
  join aiaccount.tasks t on t.endpoint = w.endpoint and t.aggregate_id = w.aggregate_id
  left join lateral (
    select p.tenant_id, p.original_id, p.snapshot
      from aiaccount.pos_transaction_snapshot p
     where p.id = w.aggregate_id and t.aggregate_type = 'pos_transaction'
    union all
    select k.tenant_id, null, k.snapshot
      from aiaccount.kol_settlement_snapshot k
     where k.id = w.aggregate_id and t.aggregate_type = 'kol_settlement') s on true
 cross join lateral (select sha256(convert_to(coalesce(s.snapshot, 'null'::jsonb)::text, 'UTF8')) as digest) g
  left join aiaccount.tenants tn on tn.tenant_id = coalesce(s.tenant_id, t.tenant_id)
  left join aiaccount.credentials c on c.tenant_id = tn.tenant_id and c.purpose = 'aiaccount'
  left join lateral (
    select x.code, x.reason
      from aiaccount.stops x
     where x.tenant_id = tn.tenant_id and x.endpoint in ('*', w.endpoint)
       and x.settings_version = tn.settings_version and x.key_version = c.version
     limit 1) stop on true
  left join lateral (
    select json_agg(json_build_object(
             'endpoint', d.endpoint, 'aggregate_id', d.aggregate_id, 'number', d.number, 'document', d.document,
             'snapshot', d.snapshot::text, 'doubt_age', extract(epoch from clock_timestamp() - d.doubt_at),
             'remote_id', d.remote_id, 'verdict', d.verdict, 'code', d.code, 'reason', d.reason, 'attempts', d.attempts,
             'first_age', extract(epoch from clock_timestamp() - d.first_attempt_at),
             'next_in', extract(epoch from d.next_at - clock_timestamp())) order by d.number) as entries
      from (select o.* from aiaccount.documents o
             where o.company_id = tn.company_id and o.aggregate_id = w.aggregate_id
               and o.endpoint = any (aiaccount.endpoints_of(t.aggregate_type))
             union all
            select i.* from aiaccount.documents i
             where i.company_id = tn.company_id and i.aggregate_id = s.original_id and i.endpoint = 'pos_invoice') d) sent on true;

-- name: tenants
-- Settings and sealed keys of these tenants.
select s.tenant_id, s.settings_version, s.settings::text, c.version as key_version, c.key_id, c.nonce, c.ciphertext
  from aiaccount.tenant_settings s
  left join aiaccount.credentials c on c.tenant_id = s.tenant_id and c.purpose = 'aiaccount'
 where s.tenant_id = any (%(tenants)s);

-- name: intend
-- Write each document exactly as it will be sent, under the token: from here on it may exist. Never over an
-- accepted row, never where the number stands for another aggregate. Says of each whether it was written, and
-- if not, whether the token still holds and whether the number is another's.
with wanted as (
  select * from json_to_recordset(%(rows)s::json) as w
    (endpoint text, aggregate_id bigint, token uuid, company_id text, tenant_id bigint, number text, document json,
     snapshot text, key_version integer, settings_version integer)
), held as materialized (
  select t.endpoint, t.aggregate_id, t.token
    from aiaccount.tasks t
   where (t.endpoint, t.aggregate_id, t.token) in (select endpoint, aggregate_id, token from wanted)
   order by t.endpoint, t.aggregate_id
     for no key update of t
), taken as (
  select w.endpoint, w.aggregate_id, w.number
    from wanted w
    join aiaccount.documents d on d.company_id = w.company_id and d.endpoint = w.endpoint and d.number = w.number
   where d.aggregate_id <> w.aggregate_id and (d.accepted_at is not null or d.doubt_at is not null)
), written as (
  insert into aiaccount.documents as d
    (company_id, endpoint, aggregate_id, number, tenant_id, document, snapshot, doubt_at, attempts,
     first_attempt_at, last_attempt_at, key_version, settings_version)
  select w.company_id, w.endpoint, w.aggregate_id, w.number, w.tenant_id, w.document, w.snapshot::jsonb, clock_timestamp(), 1,
         clock_timestamp(), clock_timestamp(), w.key_version, w.settings_version
    from wanted w
    join held using (endpoint, aggregate_id, token)
   where (w.endpoint, w.aggregate_id, w.number) not in (select endpoint, aggregate_id, number from taken)
  on conflict (company_id, endpoint, aggregate_id, number) do update
     set document = excluded.document, snapshot = excluded.snapshot, tenant_id = excluded.tenant_id,
         doubt_at = excluded.doubt_at, attempts = d.attempts + 1,
         first_attempt_at = coalesce(d.first_attempt_at, excluded.first_attempt_at),
         last_attempt_at = excluded.last_attempt_at, key_version = excluded.key_version,
         settings_version = excluded.settings_version, updated_at = clock_timestamp()
   where d.accepted_at is null
  returning d.endpoint, d.aggregate_id, d.number
)
select w.token, w.number,
       (w.endpoint, w.aggregate_id, w.number) in (select endpoint, aggregate_id, number from written)
         and w.token in (select token from held) as written,
       w.token in (select token from held) as held,
       (w.endpoint, w.aggregate_id, w.number) in (select endpoint, aggregate_id, number from taken) as taken
  from wanted w;

-- name: record_lock
-- Lock every task that this record touches, in one order, and create those that are missing: the tasks
-- released, those that an acceptance wakes, and the originals that a release waits for.
insert into aiaccount.tasks as t (endpoint, aggregate_id, tenant_id, due_at)
select w.endpoint, w.aggregate_id, w.tenant_id, clock_timestamp()
  from (select distinct on (endpoint, aggregate_id) endpoint, aggregate_id, tenant_id
          from json_to_recordset(%(touched)s::json) as r (endpoint text, aggregate_id bigint, tenant_id bigint)
         order by endpoint, aggregate_id) as w
 order by w.endpoint, w.aggregate_id
on conflict (endpoint, aggregate_id) do update set lane = t.lane where false;

-- name: record_accepted
-- An acceptance is a fact: it is recorded whatever the token says, with what this attempt sent.
update aiaccount.documents d
   set document = w.document, snapshot = w.snapshot::jsonb, accepted_at = clock_timestamp(), remote_id = w.remote_id,
       doubt_at = null, verdict = null, code = null, reason = null, next_at = null, updated_at = clock_timestamp()
  from json_to_recordset(%(accepted)s::json) as w
       (company_id text, endpoint text, aggregate_id bigint, number text, document json, snapshot text, remote_id text)
 where (d.company_id, d.endpoint, d.aggregate_id, d.number) = (w.company_id, w.endpoint, w.aggregate_id, w.number)
   and d.accepted_at is null;

-- name: record_look
-- An acceptance under a token that was lost makes its own task due: whoever has it now must look again.
update aiaccount.tasks t
   set again  = t.token is not null,
       due_at = case when t.token is null then clock_timestamp() else t.due_at end
  from json_to_recordset(%(accepted)s::json) as w (endpoint text, aggregate_id bigint, token uuid)
 where (t.endpoint, t.aggregate_id) = (w.endpoint, w.aggregate_id) and t.token is distinct from w.token;

-- name: record_new
-- Documents that the ledger did not know and that are not pushed: only their reason, under the token.
insert into aiaccount.documents
  (company_id, endpoint, aggregate_id, number, tenant_id, verdict, code, reason, next_at)
select w.company_id, w.endpoint, w.aggregate_id, w.number, w.tenant_id, w.verdict, w.code, w.reason,
       clock_timestamp() + w.next_in * interval '1 second'
  from json_to_recordset(%(fresh)s::json) as w
       (company_id text, endpoint text, aggregate_id bigint, token uuid, tenant_id bigint, number text,
        verdict text, code text, reason text, next_in double precision)
  join aiaccount.tasks t on (t.endpoint, t.aggregate_id, t.token) = (w.endpoint, w.aggregate_id, w.token)
on conflict (company_id, endpoint, aggregate_id, number) do nothing;

-- name: record_noted
-- Every outcome but an acceptance needs the token, and leaves alone what was accepted since it was read.
update aiaccount.documents d
   set verdict = w.verdict, code = w.code, reason = w.reason, attempts = w.attempts,
       doubt_at = clock_timestamp() - w.doubt_age * interval '1 second',
       next_at = clock_timestamp() + w.next_in * interval '1 second', updated_at = clock_timestamp()
  from json_to_recordset(%(noted)s::json) as w
       (company_id text, endpoint text, aggregate_id bigint, token uuid, number text, accepted boolean, verdict text,
        code text, reason text, attempts integer, doubt_age double precision, next_in double precision)
  join aiaccount.tasks t on (t.endpoint, t.aggregate_id, t.token) = (w.endpoint, w.aggregate_id, w.token)
 where (d.company_id, d.endpoint, d.aggregate_id, d.number) = (w.company_id, w.endpoint, w.aggregate_id, w.number)
   and (d.accepted_at is not null) = w.accepted;

-- name: record_stops
-- Stop a tenant, or one endpoint of it, if the key and the settings are still those it was learnt with: a late
-- answer about an old key stops nobody.
insert into aiaccount.stops as s (tenant_id, endpoint, code, reason, key_version, settings_version)
select distinct on (w.tenant_id, w.stopped) w.tenant_id, w.stopped, w.code, w.reason, w.key_version, w.settings_version
  from json_to_recordset(%(stops)s::json) as w
       (tenant_id bigint, stopped text, code text, reason text, key_version integer, settings_version integer)
  join aiaccount.tenants t on t.tenant_id = w.tenant_id and t.settings_version = w.settings_version
  join aiaccount.credentials c on c.tenant_id = w.tenant_id and c.purpose = 'aiaccount' and c.version = w.key_version
 order by w.tenant_id, w.stopped
on conflict (tenant_id, endpoint) do update
   set code = excluded.code, reason = excluded.reason, key_version = excluded.key_version,
       settings_version = excluded.settings_version, stopped_at = clock_timestamp();

-- name: release
-- Release what the token still holds. Due at once where somebody asked for another look, where the original that
-- it waits for was accepted since it was read, and where the tenant's settings changed, or are being changed, since
-- a first delivery read them: that change could not yet find the task by its tenant. Else when the mapper's answer
-- says.
with wanted as (
  select * from json_to_recordset(%(released)s::json) as w
    (endpoint text, aggregate_id bigint, token uuid, tenant_id bigint, settings_version integer, digest text,
     trouble_code text, trouble text, due_in double precision, company_id text, original_id bigint,
     original_accepted integer)
), unchanged as materialized (
  select n.tenant_id, n.settings_version
    from aiaccount.tenants n
   where n.tenant_id in (select w.tenant_id from wanted w
                           join aiaccount.tasks t
                             on (t.endpoint, t.aggregate_id, t.token) = (w.endpoint, w.aggregate_id, w.token)
                          where t.tenant_id is null)
     for share skip locked
)
update aiaccount.tasks t
   set token = null, busy_until = null, again = false, digest = decode(w.digest, 'hex'),
       tenant_id = coalesce(w.tenant_id, t.tenant_id), trouble_code = w.trouble_code, trouble = w.trouble,
       handled_at = clock_timestamp(),
       due_at = case when t.again or o.accepted <> w.original_accepted
                       or (t.tenant_id is null and w.settings_version is not null
                           and (w.tenant_id, w.settings_version) not in (select tenant_id, settings_version from unchanged))
                     then clock_timestamp()
                     else clock_timestamp() + w.due_in * interval '1 second' end
  from wanted w
 cross join lateral (
    select count(*) as accepted
      from aiaccount.documents d
     where d.endpoint = 'pos_invoice' and d.aggregate_id = w.original_id and d.company_id = w.company_id
       and d.accepted_at is not null) o
 where (t.endpoint, t.aggregate_id, t.token) = (w.endpoint, w.aggregate_id, w.token)
returning w.token;

-- name: wake
-- What hangs on an acceptance looks again: the tasks named, and the refunds of an accepted invoice. A busy one
-- is asked for another look (busy: claimed and not released, expired or not).
insert into aiaccount.tasks as t (endpoint, aggregate_id, tenant_id, due_at)
select w.endpoint, w.aggregate_id, w.tenant_id, clock_timestamp()
  from (select r.endpoint, r.aggregate_id, r.tenant_id
          from json_to_recordset(%(woken)s::json) as r (endpoint text, aggregate_id bigint, tenant_id bigint)
         union
        select 'pos_invoice', f.id, f.tenant_id
          from json_to_recordset(%(woken)s::json) as r (endpoint text, aggregate_id bigint, tenant_id bigint)
          join aiaccount.pos_transaction_snapshot f on f.original_id = r.aggregate_id
         where r.endpoint = 'pos_receipt') as w
 order by w.endpoint, w.aggregate_id
on conflict (endpoint, aggregate_id) do update
   set again  = t.token is not null,
       due_at = case when t.token is null then least(t.due_at, excluded.due_at) else t.due_at end;
