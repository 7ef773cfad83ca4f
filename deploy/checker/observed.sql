-- What stands in the books, in the shape of what is expected there.

-- name: observe
create function pg_temp.neg(wire text) returns text immutable language sql
return case when wire ~ '^-?[0-9]+(\.[0-9]+)?$' then (-(wire::numeric))::text else wire end;

create function pg_temp.number(wire text) returns numeric immutable language sql
return case when wire ~ '^-?[0-9]+(\.[0-9]+)?$' then wire::numeric end;

-- The lines or allocations of a document, taken back.
create function pg_temp.negated(endpoint text, document jsonb) returns text stable language sql
return (
  select string_agg(case endpoint
           when 'pos_invoice' then concat_ws('|', l->>'line_no', l->>'sku', l->>'description', pg_temp.neg(l->>'quantity'),
             l->>'unit_price', pg_temp.neg(l->>'discount'), pg_temp.neg(l->>'amount'), pg_temp.neg(l->>'tax_amount'))
           when 'kol_bill' then concat_ws('|', l->>'line_no', l->>'description', pg_temp.neg(l->>'amount'),
             pg_temp.neg(l->>'tax_amount'))
           else coalesce(l->>'invoice_number', l->>'bill_number') || '|' || pg_temp.neg(l->>'amount') end,
           E'\n' order by o)
  from jsonb_array_elements(coalesce(document->'lines', document->'allocations')) with ordinality as x (l, o));

create function pg_temp.differs(what text, is_now text, should_be text) returns text immutable language sql
return case when is_now is distinct from should_be
            then what || ' is ' || coalesce(quote_literal(left(is_now, 160)), 'none')
                 || ', should be ' || coalesce(quote_literal(left(should_be, 160)), 'none') end;

create temp table observed as
select s.n, s.company_id, s.endpoint, s.number,
       d->>'document_type' as document_type, d->>'number' as written_number, d->>'date' as date, d->>'due_date' as due_date,
       d->>'currency' as currency, d->>'exchange_rate' as exchange_rate,
       d #>> '{contact,code}' as contact_code, d #>> '{contact,name}' as contact_name, d #>> '{contact,type}' as contact_type,
       d->>'original_number' as original_number, d->>'reference' as reference, d->>'outlet' as outlet,
       d #>> '{source,table}' as source_table,
       coalesce(i.content, a.content) as content,
       coalesce(i.codes || coalesce('/' || (d->>'rounding_account'), ''), d->>'bank_account_code') as codes,
       coalesce(concat_ws('|', d #>> '{totals,net}', d #>> '{totals,tax}', d #>> '{totals,rounding}',
                          nullif(d #>> '{totals,total}', '')), '') as written_totals,
       d->>'amount' as written_amount,
       pg_temp.number(coalesce(d->>'amount', d #>> '{totals,total}')) as amount,
       a.parent_number
from (select sent.n, sent.company_id, sent.endpoint, sent.number, stored.document as d
      from sent join stored on stored.n = sent.n) s
left join lateral (
  select string_agg(case s.endpoint
           when 'pos_invoice' then concat_ws('|', l->>'line_no', l->>'sku', l->>'description', l->>'quantity',
                                             l->>'unit_price', l->>'discount', l->>'amount', l->>'tax_amount')
           else concat_ws('|', l->>'line_no', l->>'description', l->>'amount', l->>'tax_amount') end, E'\n' order by o) as content,
         string_agg((l->>'account_code') || '|' || (l->>'tax_code'), E'\n' order by o) as codes
  from jsonb_array_elements(case jsonb_typeof(d->'lines') when 'array' then d->'lines' end) with ordinality as x (l, o)
) i on s.endpoint in ('pos_invoice', 'kol_bill')
left join lateral (
  select string_agg(coalesce(l->>'invoice_number', l->>'bill_number') || '|' || (l->>'amount'), E'\n') as content,
         min(coalesce(l->>'invoice_number', l->>'bill_number')) as parent_number
  from jsonb_array_elements(case jsonb_typeof(d->'allocations') when 'array' then d->'allocations' end) l
) a on s.endpoint in ('pos_receipt', 'kol_payment');
create unique index on observed (company_id, endpoint, number);
create unique index on observed (n);
analyze observed;

-- An original and what its row called for when it was made.
create temp table matched as
select s.company_id, s.endpoint, s.number, s.n, s.in_ledger, s.accepted, e.v, e.seq, e.tenant_id, e.aggregate_id,
       e.call, e.code, e.number as expected_number, e.amount
from sent s
join expected e on e.v = s.v and e.endpoint = s.endpoint and e.seq = s.seq
where s.role = 'original' and s.n is not null
  and case s.endpoint when 'kol_payment' then s.number ~ ('^' || e.parent_number || '-P[0-9]+[A-WYZ]?$')
                      else s.number = e.number end;
create index on matched (company_id, endpoint, number);
analyze matched;
