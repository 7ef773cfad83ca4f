-- What a sale or a refund calls for: the invoice, and a receipt for each tender.

-- name: expect_sales
create function pg_temp.floor_div(a numeric, b numeric) returns numeric immutable language sql
return div(a, b) - (mod(a, b) <> 0 and sign(a) <> sign(b))::int;

-- ISO 4217: the decimals of a currency.
create function pg_temp.minor(currency text) returns int immutable language sql
return case when currency in ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI',
                              'VND', 'VUV', 'XAF', 'XOF', 'XPF') then 0
            when currency in ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') then 3 else 2 end;

create function pg_temp.finer(amount numeric, minor int) returns boolean immutable language sql
return coalesce(scale(trim_scale(amount)) > minor, false);

create temp table expected (
  v             bigint not null,
  endpoint      text   not null,
  seq           int    not null,
  tenant_id     bigint not null,
  aggregate_id  bigint not null,
  is_now        boolean not null,
  number        text   not null,
  call          text   not null,   -- push, skip or block
  code          text,
  document_type text,
  date          date,
  own_time      boolean,           -- the date is the tender's or entry's own
  currency      text,
  exchange_rate text,
  contact_code  text,
  contact_name  text,
  contact_type  text,
  parent_number text,              -- whose contact it takes and what it is allocated to
  needs_parent  boolean,           -- a refund whose original is known and is not of before the cut-over
  content       text,              -- its lines or its allocations
  codes         text,              -- accounts, tax codes, bank account
  totals        text,
  amount        numeric,
  reference     text,
  outlet        text,
  material      text               -- what may not change once it was sent
);

create temp table sale as
select pv.*, t.home_currency, t.cutover_date, t.codes, t.timezone, t.day_cutoff_hour,
       case txn_type when 'refund' then -1 else 1 end as s,
       pg_temp.minor(currency) as minor,
       case pg_temp.minor(currency) when 0 then 1 when 2 then 100 else 1000 end::numeric as units,
       source in ('pos', 'live_pos') and platform_order_id is null as owned,
       ((completed_at at time zone timezone) - make_interval(hours => day_cutoff_hour))::date as date
from pos_version pv
join aiaccount.tenants t on t.tenant_id = pv.blogger_id
where pv.status <> 'open';
create unique index on sale (v);
analyze sale;

create temp table sale_item as
with item as (
  select sale.v, sale.units, sale.order_discount, sale.tax_amount as header_tax, sale.tax_inclusive, sale.s, sale.minor,
         i.line_no, i.sku, left(i.description, 255) as description, i.quantity, i.unit_price, i.line_discount,
         i.line_total, i.tax_amount,
         coalesce(i.tax_type, sale.tax_type) as tax_type,
         case when coalesce(i.tax_type, sale.tax_type) = 'none' then 0
              else coalesce(i.tax_rate, sale.tax_rate) end as tax_rate
  from sale cross join lateral unnest(sale.items) i
), weighed as (
  select item.*, order_discount * units as to_share, case when line_total > 0 then line_total end as weight,
         sum(line_total) filter (where line_total > 0) over (partition by v) as weights
  from item
), floored as (
  select weighed.*, case when weight is not null then pg_temp.floor_div(to_share * weight, weights) end as floored
  from weighed
), ranked as (
  select floored.*,
         row_number() over (partition by v order by case when weight is null then 1 else 0 end,
                            abs(to_share * weight - floored * weights) desc, line_no) as place,
         to_share - sum(floored) over (partition by v) as left_over
  from floored
), discounted as (
  select ranked.*,
         coalesce((floored + (place <= left_over)::int) / units, 0) as share,
         order_discount <> 0 and (weights is null or sign(order_discount) <> sign(weights)) as bad_discount
  from ranked
), tax_weighed as (
  select discounted.*,
         (header_tax - coalesce(sum(tax_amount) over (partition by v), 0)) * units as tax_to_share,
         case when tax_amount is null and tax_type <> 'none' then line_total - share end as tax_weight,
         sum(case when tax_amount is null and tax_type <> 'none' then line_total - share end)
           over (partition by v) as tax_weights,
         min(tax_rate) filter (where tax_amount is null and tax_type <> 'none') over (partition by v) as lowest_rate,
         max(tax_rate) filter (where tax_amount is null and tax_type <> 'none') over (partition by v) as highest_rate
  from discounted
), tax_floored as (
  select tax_weighed.*,
         case when tax_weight is not null and tax_weights <> 0
              then pg_temp.floor_div(tax_to_share * tax_weight, tax_weights) end as tax_floored
  from tax_weighed
), tax_ranked as (
  select tax_floored.*,
         row_number() over (partition by v order by case when tax_weight is null then 1 else 0 end,
                            abs(tax_to_share * tax_weight - tax_floored * tax_weights) desc, line_no) as tax_place,
         tax_to_share - sum(tax_floored) over (partition by v) as tax_left_over
  from tax_floored
), taxed as (
  select tax_ranked.*,
         coalesce(tax_amount, (tax_floored + (tax_place <= tax_left_over)::int) / units, 0) as tax
  from tax_ranked
)
select v, line_no, sku, description, quantity * s as quantity, unit_price, (line_discount + share) * s as discount,
       (line_total - share - case when tax_inclusive then tax else 0 end) * s as amount, tax * s as tax, minor,
       'tax:' || tax_type || ':' || trim_scale(tax_rate)::text as tax_key, 'account:sales' as account_key,
       line_total,
       bad_discount or tax_to_share <> 0 and (coalesce(tax_weights, 0) = 0 or sign(tax_to_share) <> sign(tax_weights)
                                              or lowest_rate <> highest_rate) as bad_share,
       pg_temp.finer(line_discount, minor) or pg_temp.finer(line_total, minor)
         or pg_temp.finer(tax_amount, minor) as too_fine
from taxed;

create temp table sale_line as
select v, row_number() over (partition by v order by line_no) as line_no, sku, description, quantity, unit_price,
       discount, amount, tax, minor, tax_key, account_key
from (select v, line_no::bigint, sku, description, quantity, unit_price, discount, amount, tax, minor, tax_key, account_key
      from sale_item
      union all
      select v, 3000000000, null, 'Service charge', s, service_charge, 0, service_charge * s, 0, minor,
             'tax:none:0', 'account:service_charge' from sale where service_charge <> 0
      union all
      select v, 3000000001, null, 'Tip', s, tip_amount, 0, tip_amount * s, 0, minor,
             'tax:none:0', 'account:tips' from sale where tip_amount <> 0) line;

create temp table sale_sum as
select l.v,
       sum(l.amount) as net, sum(l.tax) as tax,
       string_agg(concat_ws('|', l.line_no, l.sku, l.description, trim_scale(l.quantity), round(l.unit_price, 4),
                            round(l.discount, l.minor), round(l.amount, l.minor), round(l.tax, l.minor)),
                  E'\n' order by l.line_no) as content,
       string_agg((sale.codes->>l.account_key) || '|' || (sale.codes->>l.tax_key), E'\n' order by l.line_no) as codes,
       string_agg(l.account_key || '|' || l.tax_key, E'\n' order by l.line_no) as keys,
       (array_agg(case when not sale.codes ? l.tax_key then 'TAX_CODE_UNMAPPED'
                       when not sale.codes ? l.account_key then 'ACCOUNT_UNMAPPED' end order by l.line_no)
          filter (where not (sale.codes ? l.tax_key and sale.codes ? l.account_key)))[1] as missing
from sale_line l join sale on sale.v = l.v
group by l.v;
create unique index on sale_sum (v);

create temp table sale_check as
select i.v, count(*) as items, sum(i.line_total) as line_totals, bool_or(i.bad_share) as bad_share,
       bool_or(i.too_fine) as too_fine
from sale_item i group by i.v;
create unique index on sale_check (v);

-- Sales whose every tax code comes to nothing.
create temp table sale_zero as
select v from (select v, sum(amount) as amount, sum(tax) as tax from sale_line group by v, tax_key) by_code
group by v having bool_and(amount = 0 and tax = 0);
create unique index on sale_zero (v);
analyze sale_sum; analyze sale_check; analyze sale_zero;

insert into expected
select v, 'pos_invoice', 0, blogger_id, id, is_now, receipt_no,
       case when skip is not null then 'skip' when block is not null or missing is not null then 'block' else 'push' end,
       coalesce(skip, block, missing),
       document_type, date, true, currency, rate,
       case when customer_id is null then 'POS-WALKIN' else 'C' || customer_id end,
       case when customer_id is null then 'POS Walk-in' else coalesce(customer_name, 'C' || customer_id) end,
       'customer',
       original_receipt_no, needs_parent, content, all_codes, totals, s * total_amount, null, store_code,
       concat_ws(E'\n', document_type, date, currency, rate, tax_inclusive, content, keys, totals)
from (
  select sale.*, m.content,
    m.codes || case when rounding_adjustment <> 0 then '/' || (sale.codes->>'account:rounding') else '' end as all_codes, m.keys,
    case when txn_type = 'refund' or total_amount < 0 then 'credit_note' else 'invoice' end as document_type,
    case when currency <> home_currency then trim_scale(sale.exchange_rate)::text end as rate,
    concat_ws('|', round(m.net, minor), round(s * tax_amount, minor), round(s * rounding_adjustment, minor),
              round(s * total_amount, minor)) as totals,
    has_original and ((original_completed_at at time zone timezone) - make_interval(hours => day_cutoff_hour))::date
                     >= cutover_date as needs_parent,
    coalesce(m.missing, case when rounding_adjustment <> 0 and not sale.codes ? 'account:rounding'
                             then 'ACCOUNT_UNMAPPED' end) as missing,
    case when currency <> home_currency and sale.exchange_rate is null and bad is null
         then 'EXCHANGE_RATE_MISSING' else bad end as block,
    case when not owned or txn_type = 'refund' and not original_owned then 'NOT_OWNED'
         when status = 'voided' then 'VOIDED_BEFORE_PUSH'
         when date < cutover_date and not exists (
                select from aiaccount.wanted_ranges w where w.tenant_id = sale.blogger_id
                and w.endpoint = 'pos_invoice' and sale.date between w.from_date and w.to_date) then 'BEFORE_CUTOVER'
         when bad is null and total_amount = 0 and sale.v in (select v from sale_zero) then 'ZERO_TOTAL' end as skip
  from (
    select sale.*,
      case when char_length(receipt_no) + 3 > 20 then 'NUMBER_TOO_LONG'
           when c.items is null then 'NO_LINES'
           when c.too_fine or pg_temp.finer(subtotal, minor) or pg_temp.finer(order_discount, minor)
             or pg_temp.finer(service_charge, minor) or pg_temp.finer(tax_amount, minor)
             or pg_temp.finer(tip_amount, minor) or pg_temp.finer(rounding_adjustment, minor)
             or pg_temp.finer(total_amount, minor) then 'CURRENCY_PRECISION'
           when c.bad_share or c.line_totals <> subtotal
             or total_amount <> subtotal - order_discount + service_charge
                  + case when tax_inclusive then 0 else tax_amount end + tip_amount + rounding_adjustment
             or txn_type = 'refund' and total_amount < 0 then 'SOURCE_TOTAL_MISMATCH'
           when txn_type <> 'refund' then null
           when original_is_refund then 'REFUND_OF_REFUND'
           when original_voided then 'ORIGINAL_VOIDED'
           when exceeds_original then 'REFUND_EXCEEDS_ORIGINAL' end as bad
    from sale left join sale_check c on c.v = sale.v
  ) sale left join sale_sum m on m.v = sale.v
) called;

-- The tenders of each version; `so_far` is what was paid up to and with each.
create temp table tender as
select sale.v, t.seq, t.method, t.amount, t.ref, t.paid_at,
       sum(t.amount) over (partition by sale.v order by t.seq) as so_far
from sale
cross join lateral jsonb_to_recordset(case jsonb_typeof(tenders) when 'array' then tenders else '[]' end)
  as t (seq int, method text, amount numeric, ref text, paid_at timestamptz);
create index on tender (v, seq);
analyze tender;

-- Rows whose payments do not fit their total.
create temp table tender_check as
select sale.v, t.v is null as shortcut,
       coalesce(t.repeated, false)
         or coalesce(t.bad_sign, amount_paid <> 0 and sign(amount_paid) <> sign(total_amount))
         or abs(coalesce(t.paid, amount_paid)) > abs(total_amount)
         or status = 'paid' and abs(coalesce(t.paid, amount_paid)) < abs(total_amount) as mismatch
from sale
left join (select tender.v, sum(amount) as paid, count(*) > count(distinct seq) as repeated,
                  bool_or(amount <> 0 and sign(amount) <> sign(total_amount)) as bad_sign
           from tender join sale on sale.v = tender.v group by tender.v) t on t.v = sale.v;
create unique index on tender_check (v);
analyze tender_check;

-- Receipts of rows without tenders: each brings what was paid since the one before it.
create temp table shortcut_sent as
select s.v, s.aggregate_id, s.seq, s.company_id,
       case when c.shortcut then p.amount_paid else t.so_far end as so_far,
       lag(case when c.shortcut then p.amount_paid else t.so_far end, 1, 0)
         over (partition by s.company_id, s.aggregate_id order by s.seq) as before,
       c.shortcut
from sent s
join sale p on p.v = s.v
join tender_check c on c.v = s.v
left join tender t on t.v = s.v and t.seq = s.seq
where s.endpoint = 'pos_receipt' and s.role = 'original';

insert into tender (v, seq, method, amount, ref, paid_at)
select distinct on (ss.v, ss.seq) ss.v, ss.seq, sale.payment_method, ss.so_far - ss.before, null, null::timestamptz
from shortcut_sent ss join sale on sale.v = ss.v
where ss.shortcut and ss.so_far <> ss.before;

insert into tender (v, seq, method, amount, ref, paid_at)
select sale.v, coalesce(last.seq, 0) + 1, sale.payment_method, sale.amount_paid - coalesce(last.so_far, 0), null, null
from sale
join tender_check c on c.v = sale.v and c.shortcut
left join (select distinct on (ss.aggregate_id) ss.aggregate_id, ss.seq, ss.so_far
           from shortcut_sent ss
           join sale on sale.id = ss.aggregate_id and sale.is_now
           join aiaccount.tenants t on t.tenant_id = sale.blogger_id and t.company_id = ss.company_id
           order by ss.aggregate_id, ss.seq desc) last on last.aggregate_id = sale.id
where sale.is_now
  and ((sale.amount_paid - coalesce(last.so_far, 0)) * sign(sale.total_amount) > 0
       or last.seq is null and (sale.amount_paid <> 0 or c.mismatch));
analyze tender;

insert into expected
select distinct on (sale.v, t.seq)
       sale.v, 'pos_receipt', t.seq, sale.blogger_id, sale.id, sale.is_now, d.number,
       case when i.call = 'skip' or block is null and zero then 'skip' when block is not null then 'block' else 'push' end,
       case when i.call = 'skip' then i.code when block is null and zero then 'ZERO_TOTAL' else block end,
       case i.document_type when 'credit_note' then 'refund' else 'receipt' end,
       d.date, t.paid_at is not null, sale.currency, i.exchange_rate, i.contact_code, i.contact_name, 'customer',
       sale.receipt_no, true, sale.receipt_no || '|' || wire, sale.codes->>method_key, wire, t.amount * s, t.ref, null,
       concat_ws(E'\n', i.document_type, sale.currency, i.exchange_rate, method_key, wire)
from sale
join tender t on t.v = sale.v
join tender_check c on c.v = sale.v
join expected i on i.v = sale.v and i.endpoint = 'pos_invoice'
cross join lateral (
  select sale.receipt_no || '-R' || t.seq as number,
         round(t.amount * s, minor)::text as wire, t.amount = 0 and not c.mismatch as zero,
         'payment:' || coalesce(t.method, 'none') || ':' || sale.currency as method_key,
         ((coalesce(t.paid_at, sale.paid_at, sale.completed_at) at time zone sale.timezone)
           - make_interval(hours => sale.day_cutoff_hour))::date as date) d
cross join lateral (
  select case when char_length(d.number) + 1 > 20 then 'NUMBER_TOO_LONG'
              when pg_temp.finer(t.amount, minor) then 'CURRENCY_PRECISION'
              when c.mismatch then 'TENDER_MISMATCH'
              when sale.currency <> sale.home_currency and sale.exchange_rate is null then 'EXCHANGE_RATE_MISSING'
              when not sale.codes ? method_key then 'PAYMENT_METHOD_UNMAPPED' end as block) b
order by sale.v, t.seq;
