-- Documents that differ from what their rows call for.

-- name: find_wrong
create temp table already as
select distinct company_id, endpoint, number from finding where kind in ('misdirected', 'doubled')
union
select company_id, endpoint, number from adopted;
create index on already (company_id, endpoint, number);

-- Nothing calls for it.
insert into finding
select 'wrong', s.company_id, s.endpoint, s.number,
       case when s.v is null then 'no row stands behind it' else 'its row calls for no such document' end
from sent s
where s.n is not null and s.role = 'original'
  and not exists (select from matched m where m.n = s.n)
  and not exists (select from already a where (a.company_id, a.endpoint, a.number) = (s.company_id, s.endpoint, s.number));

-- Its row calls for none, or cannot be posted. A code or a mode may have been otherwise under earlier settings.
create temp table not_called as
select m.company_id, m.endpoint, m.number, 'its row should give none: ' || m.code as detail,
       m.code in ('KOL_MODE_SINGLE', 'SELF_PAYEE', 'BEFORE_CUTOVER', 'TAX_CODE_UNMAPPED', 'ACCOUNT_UNMAPPED',
                  'PAYMENT_METHOD_UNMAPPED') and s.settings_version < t.settings_version as earlier
from matched m
join sent s on s.n = m.n
join aiaccount.tenants t on t.tenant_id = m.tenant_id
where m.call <> 'push'
  and not exists (select from already a where (a.company_id, a.endpoint, a.number) = (m.company_id, m.endpoint, m.number));
insert into finding
select 'wrong', company_id, endpoint, number, detail from not_called where not coalesce(earlier, false);
insert into note select company_id, endpoint, number, detail from not_called where earlier;

-- Field by field.
create temp table compared as
select o.company_id, o.endpoint, o.number,
  concat_ws('; ',
    pg_temp.differs('type', o.document_type, e.document_type),
    pg_temp.differs('number', o.written_number, o.number),
    pg_temp.differs('currency', o.currency, e.currency),
    pg_temp.differs('exchange rate', o.exchange_rate, e.exchange_rate),
    pg_temp.differs('contact', concat_ws(' ', o.contact_type, o.contact_code, o.contact_name),
      case when c.n is not null then concat_ws(' ', c.contact_type, c.contact_code, c.contact_name)
           else concat_ws(' ', e.contact_type, e.contact_code, e.contact_name) end),
    pg_temp.differs('source', o.source_table, case when s.is_pos then 'pos_transactions' else 'kol_settlements' end),
    case when o.endpoint = 'pos_invoice' then
      case when e.document_type = 'credit_note' and e.parent_number is not null
             and (o.original_number is not null or e.needs_parent or c.n < o.n)
           then pg_temp.differs('original number', o.original_number, case when c.n is not null then e.parent_number end)
           else pg_temp.differs('original number', o.original_number, null) end end,
    case when o.endpoint = 'pos_invoice' then pg_temp.differs('outlet', o.outlet, e.outlet) end,
    case when o.endpoint in ('pos_receipt', 'kol_payment') then pg_temp.differs('reference', o.reference, e.reference) end,
    pg_temp.differs(case when o.endpoint in ('pos_invoice', 'kol_bill') then 'lines' else 'allocations' end,
                    o.content, e.content),
    case when o.endpoint in ('pos_invoice', 'kol_bill') then pg_temp.differs('totals', o.written_totals, e.totals)
         else pg_temp.differs('amount', o.written_amount, e.totals) end) as always,
  concat_ws('; ',
    pg_temp.differs('date', o.date, e.date::text),
    case when o.endpoint in ('pos_invoice', 'kol_bill') then pg_temp.differs('due date', o.due_date, e.date::text) end,
    pg_temp.differs('codes', o.codes, e.codes)) as by_settings,
  coalesce(s.settings_version < t.settings_version, false) as earlier
from matched m
join observed o on o.n = m.n
join sent s on s.n = m.n
join expected e on e.v = m.v and e.endpoint = m.endpoint and e.seq = m.seq
join aiaccount.tenants t on t.tenant_id = m.tenant_id
left join observed c on c.company_id = o.company_id and c.number = e.parent_number
 and c.endpoint = case m.endpoint when 'pos_receipt' then 'pos_invoice' when 'kol_payment' then 'kol_bill' else m.endpoint end
where m.call = 'push'
  and not exists (select from already a where (a.company_id, a.endpoint, a.number) = (m.company_id, m.endpoint, m.number));
insert into finding
select 'wrong', company_id, endpoint, number, always from compared where always <> ''
union all
select 'wrong', company_id, endpoint, number, by_settings from compared where by_settings <> '' and not earlier;
insert into note
select company_id, endpoint, number, by_settings from compared where by_settings <> '' and earlier;

-- A reversal negates the document as it was sent, on the day the row was voided or cancelled.
insert into finding
select 'wrong', company_id, endpoint, number, detail
from (
  select s.company_id, s.endpoint, s.number,
    case when b.n is null then 'what it reverses is not in these books'
         when not called then 'its row calls for no reversal'
         else concat_ws('; ',
           pg_temp.differs('type', o.document_type, case b.document_type
             when 'invoice' then 'credit_note' when 'credit_note' then 'invoice' when 'bill' then 'debit_note'
             when 'debit_note' then 'bill' when 'receipt' then 'refund' when 'refund' then 'receipt'
             when 'payment' then 'payment_reversal' end),
           pg_temp.differs('number', o.written_number, o.number),
           pg_temp.differs('date', o.date, r.date::text),
           pg_temp.differs('currency', o.currency, b.currency),
           pg_temp.differs('exchange rate', o.exchange_rate, b.exchange_rate),
           pg_temp.differs('contact', concat_ws(' ', o.contact_type, o.contact_code, o.contact_name),
                           concat_ws(' ', b.contact_type, b.contact_code, b.contact_name)),
           pg_temp.differs('codes', o.codes, b.codes),
           case when s.endpoint in ('pos_invoice', 'kol_bill')
                then pg_temp.differs('original number', o.original_number, b.number) end,
           case when s.endpoint = 'pos_receipt'
                then pg_temp.differs('allocations', o.content,
                       b.parent_number || '-V1|' || pg_temp.neg(b.written_amount))
                else pg_temp.differs('lines or allocations', o.content,
                       (select pg_temp.negated(b.endpoint, x.document) from stored x where x.n = b.n)) end,
           case when s.endpoint in ('pos_receipt', 'kol_payment')
                then pg_temp.differs('amount', o.written_amount, pg_temp.neg(b.written_amount))
                else pg_temp.differs('totals', o.written_totals,
                  (select string_agg(pg_temp.neg(x), '|' order by i)
                   from unnest(string_to_array(b.written_totals, '|')) with ordinality as y (x, i))) end) end as detail
  from sent s
  join observed o on o.n = s.n
  left join observed b on b.company_id = s.company_id and b.endpoint = s.endpoint and b.number = s.base_number
  left join lateral (
    select p.status = 'voided' as called,
           ((p.voided_at at time zone t.timezone) - make_interval(hours => t.day_cutoff_hour))::date as date
    from pos_version p join aiaccount.tenants t on t.tenant_id = p.blogger_id
    where s.is_pos and p.v = s.v
    union all
    select case s.endpoint when 'kol_bill' then k.status = 'cancelled'
             else k.status in ('approved', 'paid', 'cancelled')
                  and not exists (select from entry e where e.v = k.v and e.seq = s.seq and k.status <> 'cancelled') end,
           ((case k.status when 'cancelled' then coalesce(k.cancelled_at, k.updated_at) else k.updated_at end
             at time zone t.timezone) - make_interval(hours => t.day_cutoff_hour))::date
    from kol_version k join aiaccount.tenants t on t.tenant_id = k.blogger_id
    where not s.is_pos and k.v = s.v) r on true
  where s.role = 'reversal'
    and not exists (select from already a where (a.company_id, a.endpoint, a.number) = (s.company_id, s.endpoint, s.number))
) reversal
where detail <> '' or detail is null;

-- The ledger's own copy.
insert into finding
select 'wrong', s.company_id, s.endpoint, s.number,
       concat_ws('; ', case when s.ledger_content <> s.content
                            then 'the ledger holds another content than the book' end,
                 pg_temp.differs('the ledger''s id', s.remote_id, s.document_id))
from sent s
where s.n is not null and s.accepted
  and (s.ledger_content <> s.content or s.remote_id is distinct from s.document_id)
  and not exists (select from finding f where (f.company_id, f.endpoint, f.number) = (s.company_id, s.endpoint, s.number));

-- name: find_unsaid
-- Accepted, and the row changed since: the ledger must say so.
create temp table live as
select s.*, e.material, e.own_time, e.date as made_date, t.active,
       case when s.is_pos then (select n.v from pos_now n where n.id = s.aggregate_id)
            else (select n.v from kol_now n where n.id = s.aggregate_id) end as now_v
from sent s
join aiaccount.tenants t on t.tenant_id = s.tenant_id and t.company_id = s.company_id and t.active
left join expected e on e.v = s.v and e.endpoint = s.endpoint and e.seq = s.seq
where s.accepted and s.n is not null and s.role = 'original'
  and not exists (select from sent x where x.company_id = s.company_id and x.endpoint = s.endpoint
                  and x.role = 'reversal' and x.base_number = s.number);
create index on live (company_id, endpoint, aggregate_id);

insert into finding
select 'wrong', l.company_id, l.endpoint, l.number, 'its row is gone and the ledger does not say so (SOURCE_GONE)'
from live l
left join pos_version p on l.is_pos and p.v = l.now_v
left join kol_version k on not l.is_pos and k.v = l.now_v
where not l.named and not l.is_now
  and coalesce(p.status = 'open' or p.source not in ('pos', 'live_pos') or p.platform_order_id is not null,
               k.status = 'draft' or k.payer_type <> 'blogger' or k.payer_id <> k.blogger_id, true);

insert into finding
select 'wrong', l.company_id, l.endpoint, l.number,
       'its row was amended after it was sent and the ledger does not say so (AMENDED_AFTER_PUSH)'
from live l
left join pos_version p on l.is_pos and p.v = l.now_v
left join kol_version k on not l.is_pos and k.v = l.now_v
left join tender_check c on c.v = l.now_v
left join expected e on e.v = l.now_v and e.endpoint = l.endpoint and e.seq = l.seq
where not l.named and not l.is_now
  and (p.status in ('completed', 'paid', 'partially_refunded', 'refunded')
         and p.source in ('pos', 'live_pos') and p.platform_order_id is null
       or k.status in ('approved', 'paid') and k.payer_type = 'blogger' and k.payer_id = k.blogger_id)
  and case
        when l.endpoint = 'kol_payment' and e.v is null then false
        when l.endpoint = 'pos_receipt' and c.shortcut then
          abs(p.amount_paid) < (select abs(ss.so_far) from shortcut_sent ss
                                where ss.company_id = l.company_id and ss.aggregate_id = l.aggregate_id and ss.seq = l.seq)
          and l.seq = (select max(ss.seq) from shortcut_sent ss
                       where ss.company_id = l.company_id and ss.aggregate_id = l.aggregate_id)
        else e.v is null or e.material is distinct from l.material
             or l.own_time and e.own_time and e.date <> l.made_date
             or l.endpoint <> 'kol_payment' and e.number <> l.number
             or e.call = 'block' and e.code in ('NO_LINES', 'CURRENCY_PRECISION', 'SOURCE_TOTAL_MISMATCH',
                                                'EXCHANGE_RATE_MISSING') end;

insert into finding
select 'wrong', l.company_id, l.endpoint, l.number,
       'its sale was voided after a refund and the ledger does not say so (VOIDED_AFTER_REFUND)'
from live l join pos_version p on p.v = l.now_v
where l.endpoint = 'pos_invoice' and not l.named and p.status = 'voided' and p.refunded <> 0;

insert into finding
select 'wrong', s.company_id, s.endpoint, s.number,
       'its row came back after the reversal and the ledger does not say so (AMENDED_AFTER_PUSH)'
from sent s
join aiaccount.tenants t on t.tenant_id = s.tenant_id and t.company_id = s.company_id and t.active
left join pos_now p on s.is_pos and p.id = s.aggregate_id
left join kol_now k on not s.is_pos and k.id = s.aggregate_id
where s.accepted and s.role = 'reversal' and s.endpoint in ('pos_invoice', 'kol_bill')
  and ((p.p).status in ('completed', 'paid', 'partially_refunded', 'refunded') or (k.k).status in ('approved', 'paid'))
  and not exists (select from ledger l where l.company_id = s.company_id and l.aggregate_id = s.aggregate_id
                  and l.endpoint = s.endpoint and l.named);
