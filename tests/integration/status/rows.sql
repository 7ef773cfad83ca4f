-- Rows as the tests of the status need them.

-- name: tenants
insert into aiaccount.tenants (tenant_id, company_id, company_name, kol_mode, cutover_date, timezone)
select id, 'C' || id, 'Kedai ' || id, 'multi', '2026-01-01', case id when 7 then 'Asia/Kuala_Lumpur' else 'America/New_York' end
  from unnest(array[7, 8]) as id;

-- name: moved
-- The relay has passed all that was written, just now.
update aiaccount.relay_cursor set from_snapshot = pg_current_snapshot(), moved_at = now();

-- name: change
insert into aiaccount.outbox (aggregate_type, aggregate_id, created_at) values ('pos_transaction', %(id)s, now() - %(age)s);

-- name: settlement
insert into aiaccount.outbox (aggregate_type, aggregate_id, created_at) values ('kol_settlement', %(id)s, now() - %(age)s);

-- name: document
insert into aiaccount.documents (company_id, endpoint, aggregate_id, number, tenant_id, document, snapshot, accepted_at, remote_id,
                                 verdict, code, reason, created_at, updated_at)
values (%(company)s, %(endpoint)s, %(id)s, 'N' || %(id)s, %(tenant)s, '{}', '{}', %(accepted)s::timestamptz,
        case when %(accepted)s::timestamptz is not null then 'R' end, %(verdict)s, %(code)s, %(reason)s,
        now() - %(age)s, now() - %(looked)s);

-- name: task
insert into aiaccount.tasks (endpoint, aggregate_id, tenant_id, due_at, leases, token, busy_until, trouble_code, handled_at)
values (%(endpoint)s, %(id)s, %(tenant)s::bigint, now() + %(due)s::interval, %(leases)s,
        case when %(busy)s or %(died)s::interval is not null then gen_random_uuid() end,
        case when %(busy)s then now() + %(due)s::interval else now() - %(died)s::interval end,
        %(trouble)s, now() - %(handled)s::interval);
