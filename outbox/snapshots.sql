-- Snapshot views: an aggregate's committed state as one jsonb, for rows that the tenant owns. With capture.sql the only place that knows
-- NS16's column names: another schema is met by replacing the views; `migrate` leaves a view alone that it did not write.
--
-- Columns are named one by one, so that a new column of NS16 changes no digest. Numbers are text, exactly as stored; times are UTC with `Z`,
-- whatever the session's zone and date style. NS16 cannot change the type of, or drop, a column that a view names: drop the view first (`cascade`: its digests stand
-- on it), then migrate.

-- name: utc
create or replace function aiaccount.utc(moment timestamptz) returns text
language sql stable parallel safe as $body$ select (to_jsonb(moment at time zone 'UTC') #>> '{}') || 'Z' $body$;

-- name: pos_transaction_snapshot
create or replace view aiaccount.pos_transaction_snapshot as
select
  t.id,
  t.blogger_id as tenant_id,
  (t.completed_at at time zone tenant.timezone - make_interval(hours => tenant.day_cutoff_hour))::date as business_date,
  t.original_txn_id as original_id,
  jsonb_build_object(
    'pos_transaction', jsonb_build_object(
      'id', t.id,
      'blogger_id', t.blogger_id,
      'store_code', t.store_code,
      'receipt_no', t.receipt_no,
      'txn_type', t.txn_type,
      'original_txn_id', t.original_txn_id,
      'source', t.source,
      'platform_order_id', t.platform_order_id,
      'status', t.status,
      'customer_id', t.customer_id,
      'customer_name', t.customer_name,
      'customer_tin', t.customer_tin,
      'currency', t.currency::text,
      'exchange_rate', t.exchange_rate::text,
      'tax_inclusive', t.tax_inclusive,
      'tax_type', t.tax_type,
      'tax_rate', t.tax_rate::text,
      'subtotal', t.subtotal::text,
      'order_discount', t.order_discount::text,
      'service_charge', t.service_charge::text,
      'tax_amount', t.tax_amount::text,
      'tip_amount', t.tip_amount::text,
      'rounding_adjustment', t.rounding_adjustment::text,
      'total_amount', t.total_amount::text,
      'amount_paid', t.amount_paid::text,
      'payment_method', t.payment_method,
      'tenders', t.tenders,
      'cashier_id', t.cashier_id,
      'completed_at', aiaccount.utc(t.completed_at),
      'paid_at', aiaccount.utc(t.paid_at),
      'voided_at', aiaccount.utc(t.voided_at),
      'void_reason', t.void_reason,
      'created_at', aiaccount.utc(t.created_at),
      'updated_at', aiaccount.utc(t.updated_at)),
    'items', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'id', i.id,
        'transaction_id', i.transaction_id,
        'line_no', i.line_no,
        'item_kind', i.item_kind,
        'sku', i.sku,
        'description', i.description,
        'quantity', i.quantity::text,
        'unit_price', i.unit_price::text,
        'line_discount', i.line_discount::text,
        'line_total', i.line_total::text,
        'tax_type', i.tax_type,
        'tax_rate', i.tax_rate::text,
        'tax_amount', i.tax_amount::text) order by i.line_no), '[]')
      from pos_transaction_items as i where i.transaction_id = t.id),
    -- What was refunded of it: its refund rows that are completed and not voided, without their rounding.
    'refunded', (
      select coalesce(sum(r.total_amount - r.rounding_adjustment), 0.00)::text
      from pos_transactions as r
      where r.original_txn_id = t.id and r.txn_type = 'refund' and r.blogger_id = t.blogger_id
        and r.status in ('completed', 'paid', 'partially_refunded', 'refunded')),
    -- Of a refund the sale it refunds. Another tenant's sale is not owned.
    'original', (
      select jsonb_build_object(
        'receipt_no', o.receipt_no,
        'txn_type', o.txn_type,
        'status', o.status,
        'owned', o.blogger_id = t.blogger_id and o.source in ('pos', 'live_pos') and o.platform_order_id is null,
        'completed_at', aiaccount.utc(o.completed_at),
        'refundable', (o.total_amount - o.rounding_adjustment)::text,
        'refunded', (
          select coalesce(sum(r.total_amount - r.rounding_adjustment), 0.00)::text
          from pos_transactions as r
          where r.original_txn_id = o.id and r.txn_type = 'refund' and r.blogger_id = o.blogger_id
            and r.status in ('completed', 'paid', 'partially_refunded', 'refunded')))
      from pos_transactions as o where o.id = t.original_txn_id and t.txn_type = 'refund')
  ) as snapshot
from pos_transactions as t
left join aiaccount.tenants as tenant on tenant.tenant_id = t.blogger_id
where t.source in ('pos', 'live_pos') and t.platform_order_id is null;

-- name: kol_settlement_snapshot
create or replace view aiaccount.kol_settlement_snapshot as
select
  k.id,
  k.blogger_id as tenant_id,
  k.period_end as business_date,
  null::bigint as original_id,
  jsonb_build_object(
    'kol_settlement', jsonb_build_object(
      'id', k.id,
      'blogger_id', k.blogger_id,
      'settlement_no', k.settlement_no,
      'payer_type', k.payer_type,
      'payer_id', k.payer_id,
      'payee_kol_id', k.payee_kol_id,
      'payee_name', k.payee_name,
      'payee_tin', k.payee_tin,
      'period_start', k.period_start,
      'period_end', k.period_end,
      'gross_sales', k.gross_sales::text,
      'commission_rate', k.commission_rate::text,
      'commission_amount', k.commission_amount::text,
      'adjustments', k.adjustments,
      'net_payable', k.net_payable::text,
      'wht_amount', k.wht_amount::text,
      'currency', k.currency::text,
      'exchange_rate', k.exchange_rate::text,
      'status', k.status,
      'payment_method', k.payment_method,
      'payment_reference', k.payment_reference,
      'payments', k.payments,
      'approved_at', aiaccount.utc(k.approved_at),
      'paid_at', aiaccount.utc(k.paid_at),
      'cancelled_at', aiaccount.utc(k.cancelled_at),
      'created_at', aiaccount.utc(k.created_at),
      'updated_at', aiaccount.utc(k.updated_at))) as snapshot
from kol_settlements as k
where k.payer_type = 'blogger' and k.payer_id = k.blogger_id;

-- name: pos_transaction_digest
-- The digests stand for the snapshots where only "is it still the one that was handled" is asked: who compares reads no sale.
create or replace view aiaccount.pos_transaction_digest as
select id, tenant_id, business_date, sha256(convert_to(coalesce(snapshot, 'null'::jsonb)::text, 'UTF8')) as digest, original_id
from aiaccount.pos_transaction_snapshot;

-- name: kol_settlement_digest
create or replace view aiaccount.kol_settlement_digest as
select id, tenant_id, business_date, sha256(convert_to(coalesce(snapshot, 'null'::jsonb)::text, 'UTF8')) as digest, original_id
from aiaccount.kol_settlement_snapshot;

-- name: pos_transaction_number
-- Which row has a number, the tenant's own or not: by it a person finds a row, and hears why nothing of it is posted. Says nothing more.
create or replace view aiaccount.pos_transaction_number as
select id, blogger_id as tenant_id, receipt_no as number, status, source in ('pos', 'live_pos') and platform_order_id is null as owned
from pos_transactions;

-- name: kol_settlement_number
create or replace view aiaccount.kol_settlement_number as
select id, blogger_id as tenant_id, settlement_no as number, status, payer_type = 'blogger' and payer_id = blogger_id as owned
from kol_settlements;
