-- What the verdict tells.

-- name: findings
select kind, coalesce(endpoint, '') as endpoint, number,
       concat_ws(' ', endpoint, 'in ' || company_id) || ': ' || string_agg(distinct detail, '; ') as detail
from finding
group by kind, company_id, endpoint, number
order by kind, number, endpoint

-- name: documents
select endpoint, state, count(*) from ledger group by endpoint, state
union all
select endpoint, 'in the books', count(*) from stored group by endpoint
order by 1, 2

-- name: reasons
-- What is not posted, and why.
select state || coalesce(' ' || code, '') as reason, count(*) from ledger where state not in ('pushed', 'in doubt')
group by 1
union all
select 'held ' || reason, count(*) from held group by 1
order by 1

-- name: pending
-- What should still move: not what hangs on a document that a person must free, and not what a stop holds back.
select count(*) filter (where not held) as pending, count(*) filter (where held) + (select count(*) from held) as held
from (
  select l.state = 'waiting' and exists (
           select from ledger b
           where b.company_id = l.company_id and b.is_pos = l.is_pos and b.state in ('blocked', 'conflict', 'parked')
           and b.aggregate_id in (l.aggregate_id, (select (n.p).original_txn_id from pos_now n
                                                   where l.is_pos and n.id = l.aggregate_id)))
         or exists (select from aiaccount.stops s where s.tenant_id = l.tenant_id and s.endpoint in ('*', l.endpoint))
         or not exists (select from aiaccount.tenants t where t.tenant_id = l.tenant_id and t.active) as held
  from ledger l
  where l.state in ('waiting', 'retrying', 'in doubt')) open

-- name: notes
select concat_ws(' ', endpoint, number) || ' in ' || company_id || ', sent under earlier settings: ' || string_agg(detail, '; ')
from note group by company_id, endpoint, number order by 1
