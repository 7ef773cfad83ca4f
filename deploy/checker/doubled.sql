-- The same thing twice in the books.

-- name: find_doubled
insert into finding
select 'doubled', s.company_id, s.endpoint, s.number,
       'stored again as copy ' || s.copy || ', contact ' || coalesce(s.contact_code, 'none')
       || ' after ' || coalesce(f.contact_code, 'none')
from stored s
join stored f on f.company_id = s.company_id and f.endpoint = s.endpoint and f.number = s.number and f.copy = 1
where s.copy > 1;

insert into finding
select 'doubled', company_id, endpoint, number, 'row ' || aggregate_id || ' has ' || first_number || ' in the same books'
from (select s.*, row_number() over w as place, first_value(number) over w as first_number
      from sent s
      where n is not null and aggregate_id is not null and role = 'original' and endpoint in ('pos_invoice', 'kol_bill')
      window w as (partition by company_id, endpoint, aggregate_id order by n)) s
where place > 1
  and not exists (select from finding f where f.kind = 'misdirected'
                  and f.company_id = s.company_id and f.endpoint = s.endpoint and f.number = s.number);

-- Receipts together more than their sale, payments more than their bill; each at the amount it should have.
insert into finding
select 'doubled', company_id, endpoint, number,
       'together ' || so_far || ', more than the ' || total || ' of ' || parent_number
from (
  select s.company_id, s.endpoint, s.number, p.number as parent_number, s.role,
         sum(coalesce(m.amount, o.amount)) over (partition by s.company_id, s.endpoint, s.aggregate_id order by s.n) as so_far,
         coalesce(pm.amount, po.amount) as total, coalesce(m.amount, o.amount) as amount
  from sent s
  join observed o on o.n = s.n
  join (select distinct on (company_id, endpoint, aggregate_id) company_id, endpoint, aggregate_id, number, n
        from sent where role = 'original' and n is not null and endpoint in ('pos_invoice', 'kol_bill')
        order by company_id, endpoint, aggregate_id, n) p
    on p.company_id = s.company_id and p.aggregate_id = s.aggregate_id
   and p.endpoint = case s.endpoint when 'pos_receipt' then 'pos_invoice' else 'kol_bill' end
  join observed po on po.n = p.n
  left join matched m on m.n = s.n
  left join matched pm on pm.n = po.n
  where s.endpoint in ('pos_receipt', 'kol_payment')
) paid
where role = 'original' and amount <> 0 and abs(so_far) > abs(total) and sign(so_far) = sign(amount)
  and not exists (select from finding f where f.kind in ('misdirected', 'doubled')
                  and f.company_id = paid.company_id and f.endpoint = paid.endpoint and f.number = paid.number);
