-- What a KOL settlement calls for: the bill, and a payment for each entry.

-- name: expect_settlements
create temp table settlement as
select kv.*, t.home_currency, t.cutover_date, t.codes, t.timezone, t.day_cutoff_hour,
       pg_temp.minor(currency) as minor,
       net_payable - wht_amount as total,
       case when currency <> t.home_currency then trim_scale(kv.exchange_rate)::text end as rate,
       case when payer_type <> 'blogger' or payer_id <> blogger_id then 'NOT_OWNED'
            when t.kol_mode <> 'multi' then 'KOL_MODE_SINGLE'
            when payee_kol_id = t.owner_kol_id then 'SELF_PAYEE'
            when status = 'cancelled' then 'CANCELLED_BEFORE_PUSH'
            when period_end < t.cutover_date and not exists (
                   select from aiaccount.wanted_ranges w where w.tenant_id = kv.blogger_id
                   and w.endpoint = 'kol_bill' and kv.period_end between w.from_date and w.to_date)
              then 'BEFORE_CUTOVER' end as skip
from kol_version kv
join aiaccount.tenants t on t.tenant_id = kv.blogger_id
where kv.status <> 'draft';
create unique index on settlement (v);

create temp table bill_line as
select v, row_number() over (partition by v order by place) as line_no, description, amount, account_key, minor
from (
  select v, 0::bigint as place, 'KOL commission ' || period_start || ' to ' || period_end as description,
         commission_amount as amount, 'account:expense' as account_key, minor
  from settlement
  union all
  select s.v, a.place, left(a.entry->>'label', 255), (a.entry->>'amount')::numeric, 'account:expense', s.minor
  from settlement s
  cross join lateral jsonb_array_elements(case jsonb_typeof(adjustments) when 'array' then adjustments else '[]' end)
    with ordinality as a (entry, place)
  union all
  select v, 3000000000, 'Withholding tax', -wht_amount, 'account:wht_payable', minor from settlement where wht_amount <> 0
) line;

insert into expected
select v, 'kol_bill', 0, blogger_id, id, is_now, settlement_no,
       case when skip is not null or bad is null and total = 0 then 'skip'
            when coalesce(bad, late) is not null then 'block' else 'push' end,
       case when skip is not null then skip when bad is null and total = 0 then 'ZERO_TOTAL' else coalesce(bad, late) end,
       document_type, period_end, true, currency, rate, 'K' || payee_kol_id, payee_name, 'supplier', null, false,
       content, bill_codes, totals, total, null, null,
       concat_ws(E'\n', document_type, period_end, currency, rate, payee_kol_id, content, keys, totals)
from (
  select s.*, l.content, l.bill_codes, l.keys,
    case when total < 0 then 'debit_note' else 'bill' end as document_type,
    concat_ws('|', round(total, minor), round(0.0, minor), round(0.0, minor), round(total, minor)) as totals,
    case when char_length(settlement_no) + 3 > 20 then 'NUMBER_TOO_LONG'
         when l.too_fine or pg_temp.finer(net_payable, minor) then 'CURRENCY_PRECISION'
         when l.amount + wht_amount <> net_payable then 'SOURCE_TOTAL_MISMATCH' end as bad,
    case when currency <> home_currency and exchange_rate is null then 'EXCHANGE_RATE_MISSING'
         else l.missing end as late
  from settlement s
  join (select b.v, sum(b.amount) as amount, bool_or(pg_temp.finer(b.amount, b.minor)) as too_fine,
               string_agg(concat_ws('|', b.line_no, b.description, round(b.amount, b.minor), round(0.0, b.minor)),
                          E'\n' order by b.line_no) as content,
               string_agg((s.codes->>b.account_key) || '|' || (s.codes->>'tax:none:0'), E'\n' order by b.line_no) as bill_codes,
               string_agg(b.account_key, E'\n' order by b.line_no) as keys,
               (array_agg(case when not s.codes ? 'tax:none:0' then 'TAX_CODE_UNMAPPED' else 'ACCOUNT_UNMAPPED' end
                          order by b.line_no)
                  filter (where not (s.codes ? 'tax:none:0' and s.codes ? b.account_key)))[1] as missing
        from bill_line b join settlement s on s.v = b.v group by b.v) l on l.v = s.v
) called;

create temp table entry as
select s.v, e.seq, e.method, e.amount, e.ref, e.paid_at
from settlement s
cross join lateral jsonb_to_recordset(case jsonb_typeof(payments) when 'array' then payments else '[]' end)
  as e (seq int, method text, amount numeric, ref text, paid_at timestamptz);
insert into entry
select v, 1, payment_method, total, payment_reference, null
from settlement s where status = 'paid' and not exists (select from entry e where e.v = s.v);

create temp table entry_check as
select s.v, count(*) > count(distinct seq) or bool_or(e.amount <> 0 and sign(e.amount) <> sign(s.total))
            or abs(sum(e.amount)) > abs(min(s.total))
            or bool_or(s.status = 'paid') and abs(sum(e.amount)) < abs(min(s.total)) as mismatch
from entry e join settlement s on s.v = e.v group by s.v;
create unique index on entry_check (v);

insert into expected
select distinct on (s.v, e.seq)
       s.v, 'kol_payment', e.seq, s.blogger_id, s.id, s.is_now, d.number,
       case when d.skip is not null then 'skip' when d.block is not null then 'block' else 'push' end,
       coalesce(d.skip, d.block),
       'payment', d.date, e.paid_at is not null, s.currency, s.rate, 'K' || s.payee_kol_id, s.payee_name, 'supplier',
       s.settlement_no, true, s.settlement_no || '|' || d.wire, s.codes->>d.method_key, d.wire, e.amount, e.ref, null,
       concat_ws(E'\n', s.currency, s.rate, d.method_key, d.wire)
from settlement s
join entry e on e.v = s.v
join entry_check c on c.v = s.v
join expected b on b.v = s.v and b.endpoint = 'kol_bill'
cross join lateral (
  select count(*) as reversed from sent x
  join aiaccount.tenants t on t.tenant_id = s.blogger_id and t.company_id = x.company_id
  where s.is_now and x.aggregate_id = s.id and x.endpoint = 'kol_payment' and x.role = 'reversal' and x.seq = e.seq) x
cross join lateral (
  select s.settlement_no || '-P' || e.seq || case when x.reversed = 0 then '' else chr(65 + x.reversed::int) end as number,
         round(e.amount, s.minor)::text as wire,
         'payment:' || coalesce(e.method, 'none') || ':' || s.currency as method_key,
         ((coalesce(e.paid_at, s.paid_at, s.updated_at) at time zone s.timezone)
           - make_interval(hours => s.day_cutoff_hour))::date as date) n
cross join lateral (
  select n.*,
         case when b.call = 'skip' and b.code in ('KOL_MODE_SINGLE', 'SELF_PAYEE')
                and exists (select from sent where sent.aggregate_id = s.id and sent.endpoint = 'kol_bill') then null
              when b.call = 'skip' then b.code
              when s.total < 0 or e.amount = 0 and not c.mismatch then 'ZERO_TOTAL' end as skip,
         case when char_length(n.number) + 1 > 20 then 'NUMBER_TOO_LONG'
              when pg_temp.finer(e.amount, s.minor) then 'CURRENCY_PRECISION'
              when c.mismatch then 'TENDER_MISMATCH'
              when s.currency <> s.home_currency and s.exchange_rate is null then 'EXCHANGE_RATE_MISSING'
              when not s.codes ? n.method_key then 'PAYMENT_METHOD_UNMAPPED' end as block) d
order by s.v, e.seq;

create index on expected (v, endpoint, seq);
create index on expected (aggregate_id, endpoint) where is_now;
analyze expected;
