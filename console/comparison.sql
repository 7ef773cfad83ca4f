-- What a reconciliation by hand reads beside the comparison itself: the rows' money, and the ledger's.

-- name: sales
select id, tenant_id, (snapshot -> 'pos_transaction')::text from aiaccount.pos_transaction_snapshot where id = any (%(ids)s);

-- name: settlements
select id, tenant_id, (snapshot -> 'kol_settlement')::text from aiaccount.kol_settlement_snapshot where id = any (%(ids)s);

-- name: ledger
-- Of the company that each tenant posts to now.
select d.endpoint, d.aggregate_id, d.tenant_id, d.number, d.state, d.code, d.accepted_at is not null,
       d.document ->> 'currency', coalesce(d.document -> 'totals' ->> 'total', d.document ->> 'amount'), d.document ->> 'date'
  from aiaccount.documents as d
  join aiaccount.tenants as t on t.tenant_id = d.tenant_id and t.company_id = d.company_id
 where d.aggregate_id = any (%(ids)s) and d.endpoint = any (aiaccount.endpoints_of(%(aggregate)s))
 order by d.number;

-- name: troubles
select endpoint, aggregate_id, trouble_code from aiaccount.tasks
 where aggregate_id = any (%(ids)s) and endpoint = any (aiaccount.endpoints_of(%(aggregate)s)) and trouble_code is not null;

-- name: greatest
-- How far there is to go.
select greatest((select id from aiaccount.pos_transaction_digest where %(aggregate)s = 'pos_transaction' order by id desc limit 1),
                (select id from aiaccount.kol_settlement_digest where %(aggregate)s = 'kol_settlement' order by id desc limit 1),
                (select max(aggregate_id) from aiaccount.tasks where endpoint = any (aiaccount.endpoints_of(%(aggregate)s))), 0);

-- name: unknown_tenants
select id from unnest(%(ids)s::bigint[]) as id where id not in (select tenant_id from aiaccount.tenants) order by id;

-- name: document
-- A document that was attempted, to be asked for at AiAccount.
select document::text, accepted_at is not null, doubt_at is not null from aiaccount.documents
 where tenant_id = %(tenant)s and endpoint = %(endpoint)s and aggregate_id = %(aggregate_id)s and number = %(number)s
   and company_id = (select company_id from aiaccount.tenants where tenant_id = %(tenant)s)
   and document is not null and (accepted_at is not null or state <> 'conflict');

-- name: company
-- The name that is asked for, and how often in a minute; null for as often as one likes.
select company_name, calls_per_minute from aiaccount.tenants where tenant_id = %(tenant)s;
