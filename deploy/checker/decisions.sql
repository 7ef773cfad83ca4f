-- What people decided about rows in conflict. A row that was issued anew is judged by its last issue, under the
-- row's plain numbers; the issues before it must be taken back exactly.

-- name: read_decisions
create temp table decision as
select d.id, d.company_id, d.aggregate_type = 'pos_transaction' as is_pos, d.aggregate_id, d.kind, d.issue, d.snapshot,
       (d.decided_at at time zone t.timezone - make_interval(hours => t.day_cutoff_hour))::date as day
from aiaccount.decisions d
join aiaccount.tenants t on t.tenant_id = d.tenant_id;

-- The issue that each row is at.
create temp table reissued as
select company_id, is_pos, aggregate_id, max(issue) as issue from decision where kind <> 'accept' group by 1, 2, 3;

create function pg_temp.issue_of(endpoint text, number text) returns int immutable language sql
return greatest(0, coalesce(case endpoint
  when 'pos_receipt' then strpos('RSTUWYZ', (regexp_match(number, '-([P-Z])[0-9]+[A-WYZ]*X?$'))[1]) - 1
  when 'kol_payment' then strpos('PQRSTUW', (regexp_match(number, '-([P-Z])[0-9]+[A-WYZ]*X?$'))[1]) - 1
  else (regexp_match(number, '-A([1-6])X?$'))[1]::int end, 0));

create function pg_temp.plain(endpoint text, number text) returns text immutable language sql
return case endpoint
  when 'pos_receipt' then regexp_replace(number, '-[P-Z]([0-9]+[A-WYZ]*X?)$', '-R\1')
  when 'kol_payment' then regexp_replace(number, '-[P-Z]([0-9]+[A-WYZ]*X?)$', '-P\1')
  else regexp_replace(regexp_replace(number, '-A[1-6]X$', '-V1'), '-A[1-6]$', '') end;

-- A document of a later issue, with the numbers that it would have had as the first.
create function pg_temp.plain_document(endpoint text, document jsonb) returns jsonb immutable language sql
return document || jsonb_build_object('number', pg_temp.plain(endpoint, document->>'number'))
  || case when document->>'original_number' is null then '{}'
          else jsonb_build_object('original_number', pg_temp.plain('pos_invoice', document->>'original_number')) end
  || case when jsonb_typeof(document->'allocations') = 'array' then jsonb_build_object('allocations', (
       select jsonb_agg(a || case when a ? 'invoice_number'
                                  then jsonb_build_object('invoice_number', pg_temp.plain('pos_invoice', a->>'invoice_number'))
                                  else jsonb_build_object('bill_number', pg_temp.plain('kol_bill', a->>'bill_number')) end)
       from jsonb_array_elements(document->'allocations') a))
     else '{}' end;

-- The ledger, and to which issue each document belongs.
create temp table entered as
select d.*, md5((d.document::jsonb - 'company_name')::text) as content, coalesce(r.issue, 0) as last_issue,
       least(pg_temp.issue_of(d.endpoint, d.number), coalesce(r.issue, 0)) as issue
from aiaccount.documents d
left join reissued r on r.company_id = d.company_id and r.aggregate_id = d.aggregate_id
 and r.is_pos = (d.endpoint in ('pos_invoice', 'pos_receipt'));

-- What stood in the books before the row was issued anew.
create temp table retired as
select s.n, s.company_id, s.endpoint, s.number, s.document, s.aggregate_id, s.copy, s.content, x.is_pos, x.issue as last_issue,
       least(pg_temp.issue_of(s.endpoint, s.number), x.issue) as issue
from stored s
join reissued x on x.company_id = s.company_id and x.aggregate_id = s.aggregate_id
 and x.is_pos = (s.endpoint in ('pos_invoice', 'pos_receipt'))
where least(pg_temp.issue_of(s.endpoint, s.number), x.issue) < x.issue;

create temp table entered_before as select * from entered where issue < last_issue;
delete from entered where issue < last_issue;
update entered set number = pg_temp.plain(endpoint, number) where last_issue > 0;

create temp table renamed as
select s.n from stored s
join reissued x on x.company_id = s.company_id and x.aggregate_id = s.aggregate_id
 and x.is_pos = (s.endpoint in ('pos_invoice', 'pos_receipt'))
where x.issue > 0 and least(pg_temp.issue_of(s.endpoint, s.number), x.issue) = x.issue;
delete from stored where n in (select n from retired);
delete from posted p using reissued x
where x.company_id = p.company_id and x.aggregate_id = p.aggregate_id and x.is_pos = (p.endpoint in ('pos_invoice', 'pos_receipt'))
  and least(pg_temp.issue_of(p.endpoint, p.number), x.issue) < x.issue;
update posted p set number = pg_temp.plain(p.endpoint, p.number) from reissued x
where x.company_id = p.company_id and x.aggregate_id = p.aggregate_id and x.is_pos = (p.endpoint in ('pos_invoice', 'pos_receipt'));
update stored set number = pg_temp.plain(endpoint, number), document = pg_temp.plain_document(endpoint, document)
where n in (select n from renamed);
-- A refund names its sale by the number that the sale has now.
update stored s set document = jsonb_set(s.document, '{original_number}',
                                         to_jsonb(pg_temp.plain('pos_invoice', s.document->>'original_number')))
where s.n not in (select n from renamed) and s.endpoint = 'pos_invoice' and s.document->>'original_number' ~ '-A[1-6]$'
  and exists (select from stored o join renamed r on r.n = o.n
              where o.company_id = s.company_id and o.endpoint = 'pos_invoice'
              and o.number = pg_temp.plain('pos_invoice', s.document->>'original_number'));

-- name: find_retired
-- What AiAccount had under the number before us was never ours: it stays.
delete from retired r using entered_before e
where e.company_id = r.company_id and e.endpoint = r.endpoint and e.number = r.number and e.aggregate_id = r.aggregate_id
  and e.accepted_at is null and e.state = 'skipped' and e.content <> r.content;

-- Each document of an earlier issue, and its reversal.
create temp table taken_back as
select o.*, v.n as reversal_n, v.document as reversal, v.number as reversal_number, d.day, l.state, l.code, l.accepted_at,
       w.reversal_number as wanted,
       coalesce(h.state, '') as head_state
from retired o
cross join lateral (select case when o.endpoint in ('pos_receipt', 'kol_payment') or o.issue > 0 then o.number || 'X'
                                else o.number || '-V1' end as reversal_number) w
left join retired v on v.company_id = o.company_id and v.endpoint = o.endpoint and v.aggregate_id = o.aggregate_id
 and v.number = w.reversal_number
left join entered_before l on l.company_id = o.company_id and l.endpoint = o.endpoint and l.number = o.number
 and l.aggregate_id = o.aggregate_id
left join entered_before h on h.company_id = o.company_id and h.endpoint = o.endpoint and h.number = w.reversal_number
 and h.aggregate_id = o.aggregate_id
join decision d on d.company_id = o.company_id and d.is_pos = o.is_pos and d.aggregate_id = o.aggregate_id
 and d.kind <> 'accept' and d.issue = o.issue + 1
where not (case when o.endpoint in ('pos_receipt', 'kol_payment') then o.number ~ 'X$'
                else o.number ~ '(-V1|-A[1-6]X)$' and o.document->>'original_number' is not null end);

insert into finding
select 'lost', company_id, endpoint, wanted, 'its row was issued anew, and nothing takes ' || number || ' back'
from taken_back
where reversal_n is null and head_state not in ('waiting', 'retrying', 'in doubt', 'blocked', 'conflict', 'parked')
  and state is distinct from 'conflict';

insert into finding
select 'lost', company_id, endpoint, number, 'the ledger has it as accepted, the books have not'
from entered_before e
where accepted_at is not null
  and not exists (select from retired r where r.company_id = e.company_id and r.endpoint = e.endpoint and r.number = e.number);

insert into finding
select 'unknown', company_id, endpoint, number, 'stands in the books, the ledger does not know it'
from retired r
where not exists (select from entered_before e where e.company_id = r.company_id and e.endpoint = r.endpoint
                  and e.number = r.number and (e.accepted_at is not null or e.may_exist));

insert into finding
select 'doubled', company_id, endpoint, number, 'stored again as copy ' || copy from retired where copy > 1;

insert into finding
select 'reordered', company_id, endpoint, reversal_number, 'it came before ' || number || ', which it reverses'
from taken_back where reversal_n < n;

insert into finding
select 'reordered', s.company_id, s.endpoint, s.number, 'it was issued anew before ' || coalesce(b.wanted, '?') || ' took the old one back'
from sent s
join taken_back b on b.company_id = s.company_id and b.aggregate_id = s.aggregate_id and b.endpoint = s.endpoint
 and coalesce(b.reversal_n, 9223372036854775807) > s.n
where s.role = 'original' and s.n is not null;

insert into finding
select 'wrong', company_id, endpoint, reversal_number, detail
from (
  select b.company_id, b.endpoint, b.reversal_number, concat_ws('; ',
    pg_temp.differs('currency', b.reversal->>'currency', b.document->>'currency'),
    pg_temp.differs('exchange rate', b.reversal->>'exchange_rate', b.document->>'exchange_rate'),
    pg_temp.differs('contact', b.reversal #>> '{contact,code}', b.document #>> '{contact,code}'),
    pg_temp.differs('total', coalesce(b.reversal->>'amount', b.reversal #>> '{totals,total}'),
                    (-pg_temp.number(coalesce(b.document->>'amount', b.document #>> '{totals,total}')))::text),
    case when b.endpoint in ('pos_invoice', 'kol_bill') then concat_ws('; ',
      pg_temp.differs('original number', b.reversal->>'original_number', b.number),
      pg_temp.differs('lines', pg_temp.negated(b.endpoint, b.reversal),
        (select pg_temp.negated(b.endpoint, jsonb_set(b.document, '{lines}', jsonb_agg(
           l || jsonb_build_object('amount', pg_temp.neg(l->>'amount'), 'tax_amount', pg_temp.neg(l->>'tax_amount'))
             || case when l ? 'quantity' then jsonb_build_object('quantity', pg_temp.neg(l->>'quantity'),
                                                                 'discount', pg_temp.neg(l->>'discount')) else '{}' end)))
         from jsonb_array_elements(b.document->'lines') l))) end,
    case when b.endpoint = 'pos_receipt' then
      pg_temp.differs('allocation', b.reversal #>> '{allocations,0,invoice_number}',
        (b.document #>> '{allocations,0,invoice_number}') || case when b.issue > 0 then 'X' else '-V1' end) end,
    case when b.reversal->>'date' > b.day::text then pg_temp.differs('date', b.reversal->>'date', b.day::text) end) as detail
  from taken_back b where b.reversal_n is not null
) reversal
where detail <> '';
