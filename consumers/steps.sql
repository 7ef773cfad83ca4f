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
       calling_for = case when t.busy_until > statement_timestamp() then t.calling_for end,
       lane       = case when excluded.lane = 'live' then 'live' else t.lane end,
       leases     = 0
returning t.endpoint, t.aggregate_id, t.token;

-- name: read
-- The committed state now, what the ledger holds of the aggregate and of a refund's original, and what keeps the
-- tenant from being called: a stop, a limit, an outage, what its books lack.
select w.n, s.snapshot::text, g.digest, g.digest is distinct from t.digest as changed,
       s.original_id, owner.tenant_id as owner_id, tn.tenant_id, tn.active, tn.company_id, tn.settings_version, c.version as key_version,
       coalesce(tn.calls_per_minute, tn.calls_at_once) is not null as limited,
       extract(epoch from p.closed_until - clock_timestamp()) as closed_in,
       outage.reason as outage, extract(epoch from outage.probe_at - clock_timestamp()) as outage_probe_in,
       open.breakers::text, stop.code as stop_code, stop.reason as stop_reason, sent.entries::text, made.decisions::text
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
 cross join lateral (  -- of a row that is gone before its first delivery was released only the ledger knows the owner
    select coalesce(s.tenant_id, t.tenant_id,
                    (select d.tenant_id from aiaccount.documents d
                      where d.aggregate_id = w.aggregate_id and d.endpoint = w.endpoint
                      order by d.created_at desc limit 1)) as tenant_id) owner
  left join aiaccount.tenants tn on tn.tenant_id = owner.tenant_id
  left join aiaccount.credentials c on c.tenant_id = tn.tenant_id and c.purpose = 'aiaccount'
  left join aiaccount.paces p on p.tenant_id = tn.tenant_id
  left join aiaccount.outages outage on outage.endpoint = w.endpoint
  left join lateral (
    select json_agg(json_build_object('code', b.code, 'value', b.value, 'reason', b.reason,
                                      'probe_in', extract(epoch from b.probe_at - clock_timestamp())) order by b.code, b.value) as breakers
      from aiaccount.breakers b
     where b.tenant_id = tn.tenant_id and b.endpoint = w.endpoint and b.opened_at is not null and b.passed_at is null) open on true
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
             'next_in', case when d.verdict = 'block' and d.settings_version is distinct from tn.settings_version then null  -- learnt with others
                             else extract(epoch from d.next_at - clock_timestamp()) end) order by d.number) as entries
      from (select o.* from aiaccount.documents o
             where o.company_id = tn.company_id and o.aggregate_id = w.aggregate_id
               and o.endpoint = any (aiaccount.endpoints_of(t.aggregate_type))
             union all
            select i.* from aiaccount.documents i
             where i.company_id = tn.company_id and i.aggregate_id = s.original_id and i.endpoint = 'pos_invoice') d) sent on true
  left join lateral (
    select json_agg(json_build_object(
             'kind', d.kind, 'issue', d.issue, 'number', d.number, 'decided_at', d.decided_at, 'of_original', d.aggregate_id <> w.aggregate_id,
             'holds', d.snapshot - 'refunded' is not distinct from
                      case when d.aggregate_id = w.aggregate_id then s.snapshot
                           else (select o.snapshot from aiaccount.pos_transaction_snapshot o where o.id = s.original_id) end
                      - 'refunded') order by d.id) as decisions
      from aiaccount.decisions d
     where d.company_id = tn.company_id and d.aggregate_type = t.aggregate_type
       and d.aggregate_id in (w.aggregate_id, s.original_id)) made on true;

-- name: tenants
-- Settings and sealed keys of these tenants.
select s.tenant_id, s.settings_version, s.settings::text, c.version as key_version, c.key_id, c.nonce, c.ciphertext
  from aiaccount.tenant_settings s
  left join aiaccount.credentials c on c.tenant_id = s.tenant_id and c.purpose = 'aiaccount'
 where s.tenant_id = any (%(tenants)s);

-- name: gate_lock
-- Whoever gives out calls, or changes what they are given out by, does so one at a time and in one order: tenants'
-- paces, outages, breakers, and only then tasks. The next statement then sees what was given out before.
with paced as (
  insert into aiaccount.paces as p (tenant_id)
  select t.tenant_id from aiaccount.tenants t where t.tenant_id = any (%(tenants)s) order by t.tenant_id
  on conflict (tenant_id) do update set spent_until = p.spent_until where false
), down as (
  select from aiaccount.outages where endpoint = any (%(endpoints)s) order by endpoint for no key update
), lacking as (
  select from aiaccount.breakers where tenant_id = any (%(tenants)s) order by tenant_id, endpoint, code, value for no key update
)
select (select count(*) from down) + (select count(*) from lacking);

-- name: intend
-- Write each document exactly as it will be sent, under the token: from here on it may exist. Never over an
-- accepted row, never where the number stands for another aggregate. Attempts, and the 72 hours, are counted anew
-- where the last outcome was no failure that may pass, or the row changed. And the gate: a document of a tenant that
-- has used up its share, of an endpoint that is down or of books that lack something is not written unless it is the
-- one that may try. Live sales come before a backfill, which leaves the reserve to them. Says of each whether it was
-- written, and if not, whether the token still holds, whether the number is another's, and what keeps it for how long.
with wanted as (
  select * from json_to_recordset(%(rows)s::json) as w
    (n integer, endpoint text, aggregate_id bigint, token uuid, company_id text, tenant_id bigint, number text, document json,
     snapshot text, key_version integer, settings_version integer, lacks_code text, lacks_value text)
), moment as materialized (
  select clock_timestamp() as now
), held as materialized (
  select t.endpoint, t.aggregate_id, t.token, t.lane <> 'live' as later, t.calling_for is not null as calling
    from aiaccount.tasks t
   where (t.endpoint, t.aggregate_id, t.token) in (select endpoint, aggregate_id, token from wanted)
   order by t.endpoint, t.aggregate_id
     for no key update of t
), taken as (
  select w.endpoint, w.aggregate_id, w.number
    from wanted w
    join aiaccount.documents d on d.company_id = w.company_id and d.endpoint = w.endpoint and d.number = w.number
   where d.aggregate_id <> w.aggregate_id and (d.accepted_at is not null or d.doubt_at is not null)
), share as materialized (
  select s.*, s.calls_at_once - (select count(*) from aiaccount.tasks x
                                  where x.calling_for = s.tenant_id and x.busy_until > moment.now) as places
    from aiaccount.shares s, moment
   where s.tenant_id in (select tenant_id from wanted)
), asked as (
  select w.*, h.later, h.calling,
         row_number() over (partition by w.tenant_id order by h.later, w.n) as nth,
         count(*) filter (where not h.calling) over (partition by w.tenant_id order by h.later, w.n) as place,
         row_number() over (partition by w.endpoint order by h.later, w.n) as nth_at_endpoint,
         row_number() over (partition by w.tenant_id, w.endpoint, w.lacks_code, w.lacks_value order by h.later, w.n) as nth_lacking
    from wanted w
    join held h using (endpoint, aggregate_id, token)
), gate as materialized (
  select a.*, o.endpoint is not null as probes, s.every, s.spent_until,
         case when s.closed_until > moment.now then 'RATE_LIMITED'
              when o.probe_at > moment.now or (o.endpoint is not null and a.nth_at_endpoint > 1) then 'ENDPOINT_DOWN'
              when b.probe_at > moment.now or (b.code is not null and a.nth_lacking > 1) then b.code
              when a.place > s.places and not a.calling then 'PACED'
              when a.nth > s.calls - case when a.later then s.reserve else 0 end then 'PACED' end as kept,
         case when s.closed_until > moment.now then extract(epoch from s.closed_until - moment.now)
              when o.endpoint is not null then extract(epoch from greatest(o.probe_at - moment.now, interval '30 seconds'))
              when b.code is not null then extract(epoch from greatest(b.probe_at - moment.now, interval '15 minutes'))
              else greatest(1, extract(epoch from s.every) * (a.nth - s.calls + case when a.later then s.reserve else 0 end)) end as seconds
    from asked a
    join share s on s.tenant_id = a.tenant_id
    left join aiaccount.outages o on o.endpoint = a.endpoint
    left join aiaccount.breakers b on b.tenant_id = a.tenant_id and b.endpoint = a.endpoint and b.code = a.lacks_code
          and b.value = a.lacks_value and b.opened_at is not null and b.passed_at is null
   cross join moment
), spent as (
  update aiaccount.paces p
     set spent_until = greatest(p.spent_until, moment.now) + g.every * g.calls
    from (select tenant_id, every, count(*) as calls from gate where kept is null and every is not null group by tenant_id, every) g, moment
   where p.tenant_id = g.tenant_id
), called as (
  update aiaccount.tasks t
     set calling_for = g.tenant_id
    from gate g
    join share s on s.tenant_id = g.tenant_id and s.calls_at_once is not null
   where (t.endpoint, t.aggregate_id, t.token) = (g.endpoint, g.aggregate_id, g.token) and g.kept is null and not g.calling
), probed as (
  update aiaccount.outages o
     set probe_at = moment.now + interval '30 seconds'
    from moment
   where o.endpoint in (select endpoint from gate where kept is null)
), tried as (
  update aiaccount.breakers b
     set probe_at = moment.now + interval '15 minutes'
    from gate g, moment
   where g.kept is null and (b.tenant_id, b.endpoint, b.code, b.value) = (g.tenant_id, g.endpoint, g.lacks_code, g.lacks_value)
), written as (
  insert into aiaccount.documents as d
    (company_id, endpoint, aggregate_id, number, tenant_id, document, snapshot, doubt_at, attempts,
     first_attempt_at, last_attempt_at, key_version, settings_version)
  select w.company_id, w.endpoint, w.aggregate_id, w.number, w.tenant_id, w.document, w.snapshot::jsonb, clock_timestamp(), 1,
         clock_timestamp(), clock_timestamp(), w.key_version, w.settings_version
    from gate w
   where w.kept is null and (w.endpoint, w.aggregate_id, w.number) not in (select endpoint, aggregate_id, number from taken)
  on conflict (company_id, endpoint, aggregate_id, number) do update
     set document = excluded.document, snapshot = excluded.snapshot, tenant_id = excluded.tenant_id,
         doubt_at = excluded.doubt_at,
         attempts = case when coalesce(d.verdict, 'retry') in ('retry', 'park') and d.snapshot is not distinct from excluded.snapshot
                         then d.attempts else 0 end + 1,
         first_attempt_at = case when coalesce(d.verdict, 'retry') in ('retry', 'park') and d.snapshot is not distinct from excluded.snapshot
                                   and d.attempts > 0 then coalesce(d.first_attempt_at, excluded.first_attempt_at)
                                 else excluded.first_attempt_at end,
         last_attempt_at = excluded.last_attempt_at, key_version = excluded.key_version,
         settings_version = excluded.settings_version, updated_at = clock_timestamp()
   where d.accepted_at is null
  returning d.endpoint, d.aggregate_id, d.number
)
select w.token, w.number,
       (w.endpoint, w.aggregate_id, w.number) in (select endpoint, aggregate_id, number from written)
         and w.token in (select token from held) as written,
       w.token in (select token from held) as held,
       (w.endpoint, w.aggregate_id, w.number) in (select endpoint, aggregate_id, number from taken) as taken,
       g.kept, g.seconds::float8, coalesce(g.probes, false) as probes
  from wanted w
  left join gate g on g.token = w.token and g.number = w.number;

-- name: record_lock
-- Lock every task that this record touches, in one order, and create those that are missing: the tasks
-- released, those that an acceptance wakes, and the originals that a release waits for. A receipt or payment comes in
-- its invoice's or bill's lane: those of a backfill must not come before live sales.
insert into aiaccount.tasks as t (endpoint, aggregate_id, tenant_id, lane, due_at)
select w.endpoint, w.aggregate_id, w.tenant_id, coalesce(head.lane, 'live'), clock_timestamp()
  from (select distinct on (endpoint, aggregate_id) endpoint, aggregate_id, tenant_id
          from json_to_recordset(%(touched)s::json) as r (endpoint text, aggregate_id bigint, tenant_id bigint)
         order by endpoint, aggregate_id) as w
  left join aiaccount.tasks as head
    on head.aggregate_id = w.aggregate_id
   and head.endpoint = case w.endpoint when 'pos_receipt' then 'pos_invoice' when 'kol_payment' then 'kol_bill' end
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

-- name: record_attempts
-- What was tried, whatever the token says: a document's story is told from it.
insert into aiaccount.attempts (company_id, endpoint, aggregate_id, number, tenant_id, began_at, seconds, calls, treatment, code, reason,
                                key_version, settings_version)
select w.company_id, w.endpoint, w.aggregate_id, w.number, w.tenant_id, clock_timestamp() - w.ago * interval '1 second', w.seconds, w.calls,
       w.treatment, w.code, w.reason, w.key_version, w.settings_version
  from json_to_recordset(%(attempts)s::json) as w
       (company_id text, endpoint text, aggregate_id bigint, number text, tenant_id bigint, ago double precision, seconds real, calls integer,
        treatment text, code text, reason text, key_version integer, settings_version integer);

-- name: record_limits
-- AiAccount said: too many. All processes leave the tenant alone until then.
insert into aiaccount.paces as p (tenant_id, closed_until)
select w.tenant_id, clock_timestamp() + max(w.seconds) * interval '1 second'
  from json_to_recordset(%(limits)s::json) as w (tenant_id bigint, seconds double precision)
  join aiaccount.tenants t on t.tenant_id = w.tenant_id
 group by w.tenant_id
 order by w.tenant_id
on conflict (tenant_id) do update set closed_until = greatest(p.closed_until, excluded.closed_until);

-- name: record_outages
-- An endpoint is down, for every tenant and process, until a probe gets through.
insert into aiaccount.outages (endpoint, reason, probe_at)
select distinct on (w.endpoint) w.endpoint, w.reason, clock_timestamp() + interval '30 seconds'
  from json_to_recordset(%(outages)s::json) as w (endpoint text, reason text)
 order by w.endpoint
on conflict (endpoint) do nothing;

-- name: record_recovered
delete from aiaccount.outages where endpoint in (select endpoint from json_to_recordset(%(recovered)s::json) as w (endpoint text));

-- name: record_refusals
-- Equal refusals by a tenant's books are counted; the third opens the breaker. One that has passed, or of which nothing
-- was heard for a day, counts anew.
insert into aiaccount.breakers as b (tenant_id, endpoint, code, value, refusals, reason, opened_at, probe_at)
select w.tenant_id, w.endpoint, w.code, w.value, count(*), max(w.reason), case when count(*) >= 3 then clock_timestamp() end,
       clock_timestamp() + interval '15 minutes'
  from json_to_recordset(%(refusals)s::json) as w (tenant_id bigint, endpoint text, code text, value text, reason text)
  join aiaccount.tenants t on t.tenant_id = w.tenant_id
 group by w.tenant_id, w.endpoint, w.code, w.value
 order by w.tenant_id, w.endpoint, w.code, w.value
on conflict (tenant_id, endpoint, code, value) do update
   set refusals = b.refusals * (b.passed_at is null and b.probe_at > clock_timestamp() - interval '1 day')::int + excluded.refusals,
       opened_at = case when b.refusals * (b.passed_at is null and b.probe_at > clock_timestamp() - interval '1 day')::int + excluded.refusals >= 3
                        then coalesce(case when b.passed_at is null then b.opened_at end, clock_timestamp()) end,
       reason = excluded.reason, probe_at = excluded.probe_at, passed_at = null;

-- name: record_passed
-- A document that a breaker kept got past what was missing: the sweep lets go all that was blocked for it.
update aiaccount.breakers b
   set passed_at = clock_timestamp()
  from json_to_recordset(%(passed)s::json) as w (tenant_id bigint, endpoint text, code text, value text)
 where (b.tenant_id, b.endpoint, b.code, b.value) = (w.tenant_id, w.endpoint, w.code, w.value) and b.passed_at is null;

-- name: release
-- Release what the token still holds. Due at once where somebody asked for another look, where the original that
-- it waits for was accepted since it was read, and where the tenant's settings changed, or are being changed, since
-- a first delivery read them: that change could not yet find the task by its tenant. Else when the mapper's answer
-- says. Of a row that could not even be read, its number's view says whose it is: that tenant must hear of it.
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
   set token = null, busy_until = null, again = false, calling_for = null, digest = decode(w.digest, 'hex'),
       tenant_id = coalesce(w.tenant_id, t.tenant_id, case
         when w.trouble_code is null then null
         when t.aggregate_type = 'pos_transaction' then (select n.tenant_id from aiaccount.pos_transaction_number n where n.id = t.aggregate_id)
         else (select n.tenant_id from aiaccount.kol_settlement_number n where n.id = t.aggregate_id) end),
       trouble_code = w.trouble_code, trouble = w.trouble,
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
-- is asked for another look (busy: claimed and not released, expired or not). One at rest comes in the lane of what it
-- hangs on.
insert into aiaccount.tasks as t (endpoint, aggregate_id, tenant_id, lane, due_at)
select w.endpoint, w.aggregate_id, w.tenant_id, coalesce(head.lane, 'live'), clock_timestamp()
  from (select r.endpoint, r.aggregate_id, r.tenant_id
          from json_to_recordset(%(woken)s::json) as r (endpoint text, aggregate_id bigint, tenant_id bigint)
         union
        select 'pos_invoice', f.id, f.tenant_id
          from json_to_recordset(%(woken)s::json) as r (endpoint text, aggregate_id bigint, tenant_id bigint)
          join aiaccount.pos_transaction_snapshot f on f.original_id = r.aggregate_id
         where r.endpoint = 'pos_receipt') as w
  left join aiaccount.tasks as head
    on head.aggregate_id = w.aggregate_id
   and head.endpoint = case w.endpoint when 'pos_receipt' then 'pos_invoice' when 'kol_payment' then 'kol_bill' end
 order by w.endpoint, w.aggregate_id
on conflict (endpoint, aggregate_id) do update
   set again  = t.token is not null,
       lane   = case when t.due_at is null and t.endpoint in ('pos_receipt', 'kol_payment') then excluded.lane else t.lane end,
       due_at = case when t.token is null then least(t.due_at, excluded.due_at) else t.due_at end;
