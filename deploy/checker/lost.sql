-- Documents that should stand in the books and neither do nor are named with a true reason.

-- name: find_lost
insert into finding
select 'lost', s.company_id, s.endpoint, s.number, 'the ledger has it as accepted, the books have not'
from sent s
where s.accepted and s.n is null
  and not exists (select from stored x where x.endpoint = s.endpoint and x.number = s.number
                  and x.aggregate_id = s.aggregate_id);

-- Reversals that are due.
create temp table missing as
select l.company_id, l.tenant_id, l.endpoint, l.aggregate_id, l.number || '-V1' as number, 'push' as call, null as code,
       l.base_number as row_number
from live l
left join pos_version p on l.is_pos and p.v = l.now_v
left join kol_version k on not l.is_pos and k.v = l.now_v
where l.endpoint in ('pos_invoice', 'kol_bill') and l.state = 'pushed'
  and (p.status = 'voided' and p.refunded = 0 and p.source in ('pos', 'live_pos') and p.platform_order_id is null
       or k.status = 'cancelled')
union all
select l.company_id, l.tenant_id, l.endpoint, l.aggregate_id, l.number || 'X', 'push', null, l.base_number
from live l
join pos_version p on p.v = l.now_v and p.status = 'voided' and p.source in ('pos', 'live_pos') and p.platform_order_id is null
where l.endpoint = 'pos_receipt' and l.state = 'pushed'
  and exists (select from sent x where x.company_id = l.company_id and x.endpoint = 'pos_invoice'
              and x.aggregate_id = l.aggregate_id and x.role = 'reversal' and x.accepted)
union all
select l.company_id, l.tenant_id, l.endpoint, l.aggregate_id, l.number || 'X', 'push', null, l.base_number
from live l
join kol_version k on k.v = l.now_v and k.status in ('approved', 'paid', 'cancelled')
where l.endpoint = 'kol_payment' and l.state = 'pushed'
  and (k.status = 'cancelled' or not exists (select from entry e where e.v = k.v and e.seq = l.seq));

insert into missing
select t.company_id, e.tenant_id, e.endpoint, e.aggregate_id, e.number, e.call, e.code,
       case when e.endpoint in ('pos_invoice', 'kol_bill') then e.number else e.parent_number end
from expected e
join aiaccount.tenants t on t.tenant_id = e.tenant_id and t.active
where e.is_now and e.call <> 'skip'
  and not exists (select from sent s where s.company_id = t.company_id and s.endpoint = e.endpoint
                  and s.aggregate_id = e.aggregate_id and s.number = e.number and (s.n is not null or s.accepted))
  and not exists (select from sent s where s.endpoint = e.endpoint and s.number = e.number
                  and s.aggregate_id = e.aggregate_id and s.n is not null
                  and exists (select from finding f where f.kind = 'misdirected'
                              and (f.company_id, f.endpoint, f.number) = (s.company_id, s.endpoint, s.number)));

create temp table weighed as
select m.*, l.state, l.code as said,
  case
    when l.state = 'skipped' then 'false'
    when l.state = 'blocked' and m.call = 'push'
      and l.code in ('NUMBER_TOO_LONG', 'NO_LINES', 'CURRENCY_PRECISION', 'SOURCE_TOTAL_MISMATCH', 'REFUND_OF_REFUND',
                     'ORIGINAL_VOIDED', 'REFUND_EXCEEDS_ORIGINAL', 'TENDER_MISMATCH', 'TAX_CODE_UNMAPPED',
                     'PAYMENT_METHOD_UNMAPPED', 'ACCOUNT_UNMAPPED') then 'false'
    when l.state in ('waiting', 'in doubt') or l.code is not null then 'named'
    when m.company_id is null then 'NO_COMPANY'
    when x.code is not null then x.code
    when k.trouble_code is not null then k.trouble_code
    when renumbered then 'RENUMBERED'
    else 'lost'
  end as outcome
from missing m
left join ledger l on l.company_id = m.company_id and l.endpoint = m.endpoint
 and l.aggregate_id = m.aggregate_id and l.number = m.number
left join lateral (select code from aiaccount.stops s where s.tenant_id = m.tenant_id
                   and s.endpoint in ('*', m.endpoint) order by s.endpoint limit 1) x on true
left join aiaccount.tasks k on k.endpoint = m.endpoint and k.aggregate_id = m.aggregate_id
cross join lateral (select exists (
  select from ledger c where c.company_id = m.company_id and c.aggregate_id = m.aggregate_id and c.accepted
  and c.endpoint in ('pos_invoice', 'kol_bill') and c.endpoint in (m.endpoint, replace(replace(m.endpoint,
    'pos_receipt', 'pos_invoice'), 'kol_payment', 'kol_bill'))
  and c.state = 'conflict' and regexp_replace(c.number, '-V1$', '') <> m.row_number) as renumbered) r;

insert into finding
select case outcome when 'lost' then 'lost' else 'wrong' end, company_id, endpoint, number,
       case when outcome = 'lost' and call = 'block' then 'not in the books, and the ledger does not name it: ' || code
            when outcome = 'lost' then 'not in the books, and the ledger does not name it'
            else 'the ledger says ' || state || ' ' || said || ', the row does not' end
from weighed where outcome in ('lost', 'false');

insert into held select endpoint, number, outcome from weighed where outcome not in ('lost', 'false', 'named');

-- A skip of what the row does not call for is true with the row's own reason only.
insert into finding
select 'wrong', l.company_id, l.endpoint, l.number, 'the ledger says skipped ' || l.code || ', the row ' || e.code
from ledger l
join expected e on e.is_now and e.aggregate_id = l.aggregate_id and e.endpoint = l.endpoint and e.number = l.number
join aiaccount.tenants t on t.tenant_id = e.tenant_id and t.company_id = l.company_id
where l.state = 'skipped' and e.call = 'skip' and l.code not in (e.code, 'SUPERSEDED');

-- name: find_unknown
insert into finding
select 'unknown', s.company_id, s.endpoint, s.number,
       coalesce('stands in the books, the ledger says ' || s.state || ' ' || coalesce(s.code, ''),
                'stands in the books, the ledger does not know it')
from sent s
where s.n is not null and not s.accepted and not s.may_exist and s.state is distinct from 'conflict'
  and not exists (select from finding f where (f.company_id, f.endpoint, f.number) = (s.company_id, s.endpoint, s.number));
