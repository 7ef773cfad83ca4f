-- Documents that came before what they hang on, and older content after newer.

-- name: find_reordered
insert into finding
select 'reordered', o.company_id, o.endpoint, o.number, 'it came before ' || p.number || ', on which it hangs'
from observed o
join sent s on s.n = o.n
join observed p on p.company_id = o.company_id
 and p.endpoint = case o.endpoint when 'pos_receipt' then 'pos_invoice' when 'kol_payment' then 'kol_bill' else o.endpoint end
 and p.number = coalesce(o.parent_number, o.original_number)
join sent h on h.n = p.n and (o.endpoint in ('pos_invoice', 'kol_bill') or h.aggregate_id = s.aggregate_id)
where p.n > o.n;

insert into finding
select 'reordered', o.company_id, o.endpoint, o.number, 'it came before ' || b.number || ', which it reverses'
from observed o
join observed b on b.company_id = o.company_id and b.endpoint = o.endpoint
 and b.number = regexp_replace(o.number, 'X$', '')
where o.endpoint in ('pos_receipt', 'kol_payment') and o.number ~ 'X$' and b.n > o.n;

-- Content that was left for another and came back, unless the row itself came back to it.
insert into finding
select distinct 'reordered', c.company_id, c.endpoint, c.number, 'its older content was requested again after newer'
from (select p.*, lag(content) over w as before, min(n) over (partition by company_id, endpoint, number, content) as first_n
      from posted p window w as (partition by company_id, endpoint, number order by n)) c
where c.before <> c.content and c.first_n < c.n
  and not exists (select from sent s where s.company_id = c.company_id and s.endpoint = c.endpoint
                  and s.number = c.number and s.is_now and s.accepted
                  and s.ledger_content = c.content);

insert into finding
select distinct 'reordered', p.company_id, p.endpoint, p.number, 'other content was requested after it was stored'
from posted p
join stored s on s.company_id = p.company_id and s.endpoint = p.endpoint and s.number = p.number and s.copy = 1
where p.n > s.n and s.content <> p.content
  and (p.company_id, p.endpoint, p.number) not in (select company_id, endpoint, number from adopted);
