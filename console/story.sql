-- What `explain` reads of one row: which row has a number, what the ledger holds of it, what was tried, what holds it.

-- name: sight
-- What this login may read beside the ledger: rows, decisions, the record, paces, what is on its way.
select has_table_privilege('aiaccount.pos_transaction_number', 'select') as rows,
       has_table_privilege('aiaccount.decisions', 'select') as decisions,
       has_table_privilege('aiaccount.audit', 'select') as record,
       has_table_privilege('aiaccount.paces', 'select') as paces,
       has_table_privilege('aiaccount.outbox', 'select') as outbox;

-- name: numbered
-- The tenants' rows of these numbers, by NS16's index of blogger and number.
select 'pos_transaction' as aggregate, n.id, n.tenant_id, n.number, n.status, n.owned
  from aiaccount.tenants t
  join aiaccount.pos_transaction_number n on n.tenant_id = t.tenant_id and n.number = any (%(numbers)s)
union all
select 'kol_settlement', n.id, n.tenant_id, n.number, n.status, n.owned
  from aiaccount.tenants t
  join aiaccount.kol_settlement_number n on n.tenant_id = t.tenant_id and n.number = any (%(numbers)s);

-- name: numbered_anywhere
-- Rows of these numbers, also of bloggers who did not subscribe: asked only where nothing else was found.
select 'pos_transaction' as aggregate, id, tenant_id, number, status, owned
  from aiaccount.pos_transaction_number where number = any (%(numbers)s)
union all
select 'kol_settlement', id, tenant_id, number, status, owned
  from aiaccount.kol_settlement_number where number = any (%(numbers)s);

-- name: in_ledger
select distinct case when endpoint in ('pos_invoice', 'pos_receipt') then 'pos_transaction' else 'kol_settlement' end as aggregate,
       aggregate_id as id, tenant_id, number, null as status, true as owned
  from aiaccount.documents where number = %(number)s;

-- name: row
-- A row that was found by a document's number, as it stands; none where it is gone.
select 'pos_transaction' as aggregate, id, tenant_id, number, status, owned
  from aiaccount.pos_transaction_number where %(aggregate)s = 'pos_transaction' and id = %(id)s
union all
select 'kol_settlement', id, tenant_id, number, status, owned
  from aiaccount.kol_settlement_number where %(aggregate)s = 'kol_settlement' and id = %(id)s;

-- name: business_date
select business_date::text from aiaccount.pos_transaction_snapshot where %(aggregate)s = 'pos_transaction' and id = %(id)s
union all
select business_date::text from aiaccount.kol_settlement_snapshot where %(aggregate)s = 'kol_settlement' and id = %(id)s;

-- name: tenant
select company_name, timezone, active, company_id, settings_version from aiaccount.tenants where tenant_id = %(tenant)s;

-- name: documents
-- Of every company that the tenant has posted to.
select d.company_id, d.endpoint, d.number, d.state, d.document::text as document, d.doubt_at, d.accepted_at, d.remote_id, d.code,
       d.reason, d.next_at
  from aiaccount.documents d
 where d.aggregate_id = %(id)s and d.endpoint = any (aiaccount.endpoints_of(%(aggregate)s)) and d.tenant_id = %(tenant)s
 order by d.company_id, d.created_at, d.number;

-- name: attempts
select a.company_id, a.endpoint, a.number, a.began_at, a.seconds, a.calls, a.treatment, a.code, a.reason
  from aiaccount.attempts a
 where a.company_id = any (%(companies)s) and a.endpoint = any (aiaccount.endpoints_of(%(aggregate)s))
   and a.number = any (%(numbers)s) and a.aggregate_id = %(id)s
 order by a.id;

-- name: tasks
select endpoint, lane, due_at, busy_until, trouble_code, trouble, handled_at
  from aiaccount.tasks
 where aggregate_id = %(id)s and endpoint = any (aiaccount.endpoints_of(%(aggregate)s));

-- name: stops
-- One that named older settings stops nobody.
select s.endpoint, s.code, s.reason, s.stopped_at
  from aiaccount.stops s
  join aiaccount.tenants t on t.tenant_id = s.tenant_id and t.settings_version = s.settings_version
 where s.tenant_id = %(tenant)s order by s.endpoint;

-- name: breakers
select endpoint, code, value, reason, opened_at, probe_at
  from aiaccount.breakers where tenant_id = %(tenant)s and opened_at is not null and passed_at is null order by code, value;

-- name: outages
select endpoint, reason, began_at, probe_at from aiaccount.outages where endpoint = any (aiaccount.endpoints_of(%(aggregate)s));

-- name: closed_until
select closed_until from aiaccount.paces where tenant_id = %(tenant)s and closed_until > clock_timestamp();

-- name: on_its_way
-- The last change of the row that the relay may not have sent yet.
select max(created_at) from aiaccount.outbox where aggregate_type = %(aggregate)s and aggregate_id = %(id)s;

-- name: deeds
-- What people did about these numbers.
select at, actor, action, succeeded from aiaccount.audit
 where tenant_id = %(tenant)s and subject = any (%(numbers)s) order by id;
