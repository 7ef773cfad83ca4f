-- Documents in books where they do not belong, and requests under a key that is not theirs.

-- name: find_misdirected
insert into finding
select 'misdirected', s.company_id, s.endpoint, s.number,
       case when t.tenant_id is null then 'tenant ' || s.tenant_id || ' has not subscribed'
            when not t.active then 'tenant ' || s.tenant_id || ' is not active'
            else 'it belongs in ' || coalesce(t.company_id, 'no company yet') || ', the books of tenant ' || s.tenant_id end
from sent s
left join aiaccount.tenants t on t.tenant_id = s.tenant_id
where s.n is not null and s.tenant_id is not null
  and (t.tenant_id is null or not t.active or t.company_id is distinct from s.company_id)
  and not (s.accepted and t.tenant_id is not null and coalesce(s.settings_version < t.settings_version, false));

insert into finding
select 'misdirected', s.company_id, s.endpoint, s.number,
       'its row is not the tenant''s to post: ' || coalesce(
         case when p.platform_order_id is not null then 'platform order ' || p.platform_order_id end,
         'source ' || p.source, 'payer ' || k.payer_type || ' ' || k.payer_id)
from sent s
left join pos_version p on s.is_pos and p.v = s.v
left join kol_version k on not s.is_pos and k.v = s.v
where s.n is not null
  and (p.source not in ('pos', 'live_pos') or p.platform_order_id is not null
       or k.payer_type <> 'blogger' or k.payer_id <> k.blogger_id);

insert into finding
select 'misdirected', p.company_id, p.endpoint, coalesce(p.number, '?'),
       'a row of tenant ' || r.tenant_id || ' was sent under a key of ' || p.company_id
from posted p
cross join lateral (
  select blogger_id as tenant_id from pos_now n cross join lateral (select (n.p).blogger_id) b
  where n.id = p.aggregate_id and p.endpoint in ('pos_invoice', 'pos_receipt')
  union all
  select blogger_id from kol_now n cross join lateral (select (n.k).blogger_id) b
  where n.id = p.aggregate_id and p.endpoint in ('kol_bill', 'kol_payment')) r
left join aiaccount.tenants t on t.tenant_id = r.tenant_id
where t.company_id is distinct from p.company_id
  and not exists (select from ledger l where l.company_id = p.company_id and l.endpoint = p.endpoint
                  and l.number = p.number and l.aggregate_id = p.aggregate_id and l.settings_version < t.settings_version);

insert into finding
select 'misdirected', a.company_id, a.endpoint, a.number,
       'a key of ' || a.company_id || ' was used to ask for company ' || quote_literal(a.company_name)
from (select company_id, endpoint, coalesce(number, '?') as number, company_name from posted
      union all
      select company_id, null, number, company_name from asked) a
where a.company_name in (select company_name from company_alias)
  and not exists (select from company_alias c where c.company_id = a.company_id and c.company_name = a.company_name);
