-- The rows in one shape: as they are now, and as the ledger says they were when a document was made.

-- name: read_rows
create temp view pos_shape as
select id, blogger_id, store_code, receipt_no, txn_type, original_txn_id, source, platform_order_id, status,
       customer_id, customer_name, currency::text as currency, exchange_rate, tax_inclusive, tax_type, tax_rate,
       subtotal, order_discount, service_charge, tax_amount, tip_amount, rounding_adjustment, total_amount,
       amount_paid, payment_method, tenders, completed_at, paid_at, voided_at
from pos_transactions;

create temp view pos_item_shape as
select line_no, sku, description, quantity, unit_price, line_discount, line_total, tax_type, tax_rate, tax_amount
from pos_transaction_items;

create temp view kol_shape as
select id, blogger_id, settlement_no, payer_type, payer_id, payee_kol_id, payee_name, period_start, period_end,
       commission_amount, adjustments, net_payable, wht_amount, currency::text as currency, exchange_rate, status,
       payment_method, payment_reference, payments, paid_at, cancelled_at, updated_at
from kol_settlements;

create temp table ledger as
select company_id, endpoint, aggregate_id, number, tenant_id, content,
       accepted_at is not null as accepted, may_exist, state, code, remote_id, settings_version,
       endpoint in ('pos_invoice', 'pos_receipt') as is_pos, md5(snapshot::text) as snapshot_md5, state = 'conflict' as named
from entered;
create index on ledger (company_id, endpoint, number);
create index on ledger (aggregate_id, endpoint);
analyze ledger;

-- Each snapshot once, though an invoice and its receipts were made from the same.
create temp table made_from as
select d.aggregate_id, l.is_pos, l.snapshot_md5, d.snapshot
from (select company_id, endpoint, aggregate_id, number, is_pos, snapshot_md5,
             row_number() over (partition by is_pos, aggregate_id, snapshot_md5) as place
      from ledger where snapshot_md5 is not null) l
join entered d using (company_id, endpoint, aggregate_id, number)
where l.place = 1;

-- What was given back of each sale.
create temp table refunded as
select r.original_txn_id as id, sum(r.total_amount - r.rounding_adjustment) as amount
from pos_transactions r
join pos_transactions o on o.id = r.original_txn_id and o.blogger_id = r.blogger_id
where r.txn_type = 'refund' and r.status in ('completed', 'paid', 'partially_refunded', 'refunded')
group by r.original_txn_id;
create unique index on refunded (id);

create temp table pos_now as
select row_number() over () as v, p, p.id,
       coalesce(i.items, '{}') as items,
       coalesce(r.amount, 0) as refunded,
       o.id is not null as has_original,
       o.receipt_no as original_receipt_no,
       coalesce(o.txn_type = 'refund', false) as original_is_refund,
       coalesce(o.status = 'voided', false) as original_voided,
       coalesce(o.blogger_id = p.blogger_id and o.source in ('pos', 'live_pos') and o.platform_order_id is null, true) as original_owned,
       o.completed_at as original_completed_at,
       coalesce(ro.amount > o.total_amount - o.rounding_adjustment, false) as exceeds_original
from pos_shape p
left join (select transaction_id,
                  array_agg(row(line_no, sku, description, quantity, unit_price, line_discount, line_total,
                                tax_type, tax_rate, tax_amount)::pos_item_shape order by line_no) as items
           from pos_transaction_items group by transaction_id) i on i.transaction_id = p.id
left join refunded r on r.id = p.id
left join pos_transactions o on o.id = p.original_txn_id
left join refunded ro on ro.id = o.id;
create unique index on pos_now (id);
analyze pos_now;

create temp table pos_then as
select 1000000000 + row_number() over () as v, aggregate_id as id, snapshot_md5,
       jsonb_populate_record(null::pos_shape, snapshot->'pos_transaction') as p,
       array(select i from jsonb_populate_recordset(null::pos_item_shape, case jsonb_typeof(snapshot->'items')
               when 'array' then snapshot->'items' else '[]' end) i order by i.line_no) as items,
       coalesce((snapshot->>'refunded')::numeric, 0) as refunded,
       jsonb_typeof(snapshot->'original') = 'object' as has_original,
       snapshot #>> '{original,receipt_no}' as original_receipt_no,
       coalesce(snapshot #>> '{original,txn_type}' = 'refund', false) as original_is_refund,
       coalesce(snapshot #>> '{original,status}' = 'voided', false) as original_voided,
       coalesce((snapshot #>> '{original,owned}')::boolean, true) as original_owned,
       (snapshot #>> '{original,completed_at}')::timestamptz as original_completed_at,
       coalesce((snapshot #>> '{original,refunded}')::numeric > (snapshot #>> '{original,refundable}')::numeric,
                false) as exceeds_original
from made_from where is_pos and jsonb_typeof(snapshot->'pos_transaction') = 'object';

-- Which version of its row each snapshot is: the one of now where nothing that counts has changed.
create temp table pos_seen as
select t.id, t.snapshot_md5, coalesce(n.v, t.v) as v
from pos_then t
left join pos_now n
  on n.id = t.id and n.p is not distinct from t.p and n.items is not distinct from t.items
 and (n.has_original, n.original_is_refund, n.original_voided, n.original_owned, n.exceeds_original, n.refunded = 0)
   = (t.has_original, t.original_is_refund, t.original_voided, t.original_owned, t.exceeds_original, t.refunded = 0);
create index on pos_seen (id, snapshot_md5);

create temp table pos_version as
select v, true as is_now, (p).*, items, refunded, has_original, original_receipt_no, original_is_refund,
       original_voided, original_owned, original_completed_at, exceeds_original
from pos_now
union all
select v, false, (p).*, items, refunded, has_original, original_receipt_no, original_is_refund,
       original_voided, original_owned, original_completed_at, exceeds_original
from pos_then where v in (select v from pos_seen);
create unique index on pos_version (v);
create index on pos_version (id) where is_now;
analyze pos_version;

create temp table kol_now as
select 2000000000 + row_number() over () as v, k, k.id from kol_shape k;
create unique index on kol_now (id);

create temp table kol_then as
select 3000000000 + row_number() over () as v, aggregate_id as id, snapshot_md5,
       jsonb_populate_record(null::kol_shape, snapshot->'kol_settlement') as k
from made_from where not is_pos and jsonb_typeof(snapshot->'kol_settlement') = 'object';

create temp table kol_seen as
select t.id, t.snapshot_md5, coalesce(n.v, t.v) as v
from kol_then t left join kol_now n on n.id = t.id and n.k is not distinct from t.k;
create index on kol_seen (id, snapshot_md5);

create temp table kol_version as
select v, true as is_now, (k).* from kol_now
union all
select v, false, (k).* from kol_then where v in (select v from kol_seen);
create unique index on kol_version (v);
create index on kol_version (id) where is_now;
analyze kol_version;

-- A difference that a person accepted is named as well as a conflict is, while the row says what it said then.
update ledger l set named = true
from decision d
left join pos_now p on d.is_pos and p.id = d.aggregate_id
left join kol_now k on not d.is_pos and k.id = d.aggregate_id
where l.code in ('DIFFERENCE_ACCEPTED', 'ADOPTED') and l.state = 'pushed' and d.kind = 'accept'
  and d.company_id = l.company_id and d.is_pos = l.is_pos and d.aggregate_id = l.aggregate_id
  and d.issue = coalesce((select r.issue from reissued r where r.company_id = d.company_id and r.is_pos = d.is_pos
                          and r.aggregate_id = d.aggregate_id), 0)
  and case
        when d.snapshot is null then coalesce((p.p).source not in ('pos', 'live_pos') or (p.p).platform_order_id is not null,
                                              (k.k).payer_type <> 'blogger' or (k.k).payer_id <> (k.k).blogger_id, true)
        when d.is_pos then p.p is not distinct from jsonb_populate_record(null::pos_shape, d.snapshot->'pos_transaction')
          and p.items = array(select i from jsonb_populate_recordset(null::pos_item_shape, d.snapshot->'items') i order by i.line_no)
        else k.k is not distinct from jsonb_populate_record(null::kol_shape, d.snapshot->'kol_settlement') end;

-- Every document that stands in the books or that the ledger believes was, or may have been, sent.
create temp table sent as
select coalesce(s.company_id, l.company_id) as company_id,
       coalesce(s.endpoint, l.endpoint) as endpoint,
       coalesce(s.number, l.number) as number,
       coalesce(s.aggregate_id, l.aggregate_id) as aggregate_id,
       coalesce(s.endpoint, l.endpoint) in ('pos_invoice', 'pos_receipt') as is_pos,
       s.n, s.content, s.document_id,
       l.aggregate_id is not null as in_ledger,
       coalesce(l.accepted, false) as accepted,
       coalesce(l.may_exist, false) as may_exist,
       coalesce(l.named, false) as named, l.state, l.code, l.remote_id, l.settings_version, l.tenant_id as ledger_tenant_id,
       l.content as ledger_content,
       l.snapshot_md5
from (select * from stored where copy = 1) s
full join (select * from ledger where accepted or may_exist) l
  on l.company_id = s.company_id and l.endpoint = s.endpoint and l.number = s.number
 and l.aggregate_id = s.aggregate_id;

-- A document that the ledger names and does not take for sent, though it stands in the books.
create index on sent (aggregate_id, endpoint);
update sent set in_ledger = true, state = l.state, code = l.code, settings_version = l.settings_version,
                ledger_tenant_id = l.tenant_id, snapshot_md5 = l.snapshot_md5
from ledger l
where not sent.in_ledger and l.company_id = sent.company_id and l.endpoint = sent.endpoint
  and l.number = sent.number and l.aggregate_id = sent.aggregate_id;

alter table sent rename to sent_bare;
create temp table sent as
select s.*,
       case when number ~ case endpoint when 'pos_receipt' then '-R[0-9]+X$' when 'kol_payment' then '-P[0-9]+[A-WYZ]?X$'
                                        else '-V1$' end then 'reversal' else 'original' end as role,
       case when endpoint in ('pos_receipt', 'kol_payment') then regexp_replace(number, 'X$', '')
            else regexp_replace(number, '-V1$', '') end as base_number,
       case when endpoint in ('pos_receipt', 'kol_payment')
            then (regexp_match(number, '-[RP]([0-9]{1,9})[A-Z]*$'))[1]::int else 0 end as seq,
       v.v,
       v.v is not distinct from coalesce(pn.v, kn.v) and v.v is not null as is_now,
       coalesce(pv.blogger_id, kv.blogger_id, s.ledger_tenant_id) as tenant_id
from sent_bare s
left join pos_now pn on s.is_pos and pn.id = s.aggregate_id
left join kol_now kn on not s.is_pos and kn.id = s.aggregate_id
left join pos_seen ps on s.is_pos and ps.id = s.aggregate_id and ps.snapshot_md5 = s.snapshot_md5
left join kol_seen ks on not s.is_pos and ks.id = s.aggregate_id and ks.snapshot_md5 = s.snapshot_md5
cross join lateral (select coalesce(ps.v, ks.v, pn.v, kn.v) as v) v
left join pos_version pv on pv.v = v.v
left join kol_version kv on kv.v = v.v;
drop table sent_bare, made_from;
create unique index on sent (n);
create index on sent (company_id, endpoint, number);
create index on sent (aggregate_id, endpoint);
create index on sent (v, endpoint);
analyze sent;

-- What a person had adopted: AiAccount's own document, which is neither made from the row nor requested as it stands.
create temp table adopted as
select s.company_id, s.endpoint, s.number
from sent s
where s.code = 'ADOPTED' and s.state = 'pushed' and s.content = s.ledger_content
  and exists (select from decision d where d.kind = 'accept' and d.company_id = s.company_id
              and d.is_pos = s.is_pos and d.aggregate_id = s.aggregate_id);
