-- A large backfill to be measured beside live sales: what was sold before, as due tasks in the backfill's lane.

-- name: shares
-- Every tenant may call as often; the machine is to be busy and not at its end.
update aiaccount.tenants set calls_per_minute = %(calls)s, calls_at_once = 20;

-- name: old_sales
-- Sales of 100.00 in cash, as the tills of the benchmarks ring them up, each with its two tasks, put aside.
with written as (
  insert into pos_transactions (blogger_id, store_code, receipt_no, subtotal, total_amount, amount_paid, payment_method, cashier_id, status,
                                completed_at, paid_at)
  select %(tenant)s, 'S1', 'OLD' || to_char(coalesce((select max(id) from pos_transactions), 0) + n, 'FM000000000000'), 100, 100, 100, 'cash', 7, 'paid',
         timestamptz '2026-03-01 04:00Z' + n * interval '1 minute', timestamptz '2026-03-01 04:00Z' + n * interval '1 minute'
    from generate_series(1, %(rows)s::bigint) as n
  returning id
), lines as (
  insert into pos_transaction_items (transaction_id, line_no, sku, description, quantity, unit_price, line_total)
  select id, line_no, sku, description, quantity, unit_price, quantity * unit_price
    from written
   cross join (values (1, 'TS-01', 'T-shirt, white, M', 2, 25.00), (2, 'MUG-07', 'Mug', 1, 19.90), (3, 'CAP-02', 'Cap, black', 1, 30.10))
         as line (line_no, sku, description, quantity, unit_price)
), tasks as (
  insert into aiaccount.tasks (endpoint, aggregate_id, tenant_id, lane, due_at)
  select endpoint, id, %(tenant)s, 'backfill', clock_timestamp() + interval '1 day' from written cross join unnest(array['pos_invoice', 'pos_receipt']) as endpoint
)
select min(id) from written;

-- name: take_up
-- A backfill begins, or goes on: all of it that was put aside is due. Locked in the order of deliveries.
with locked as materialized (
  select endpoint, aggregate_id from aiaccount.tasks
   where tenant_id = %(tenant)s and lane = 'backfill' and due_at > clock_timestamp() + interval '12 hours'
   order by endpoint, aggregate_id for no key update
)
update aiaccount.tasks as t set due_at = clock_timestamp()
  from locked as l where t.endpoint = l.endpoint and t.aggregate_id = l.aggregate_id;

-- name: put_aside
-- It rests: what is at work or handed out goes its way, and what waits for its invoice waits.
with locked as materialized (
  select endpoint, aggregate_id from aiaccount.tasks
   where tenant_id = %(tenant)s and lane = 'backfill' and token is null and leases = 0 and due_at < clock_timestamp() + interval '10 minutes'
   order by endpoint, aggregate_id for no key update
)
update aiaccount.tasks as t set due_at = clock_timestamp() + interval '1 day'
  from locked as l where t.endpoint = l.endpoint and t.aggregate_id = l.aggregate_id;

-- name: busy
select count(*) from aiaccount.tasks
 where tenant_id = %(tenant)s and lane = 'backfill' and (token is not null or leases > 0 or due_at <= clock_timestamp());

-- name: done
-- Documents of the backfill that are accepted: invoices and receipts, in whatever order they come.
select count(*) from aiaccount.documents d
  join aiaccount.tasks t on t.endpoint = d.endpoint and t.aggregate_id = d.aggregate_id and t.lane = 'backfill'
 where d.tenant_id = %(tenant)s and d.accepted_at is not null;

-- name: left
-- Receipts that are not accepted yet, of the second backfill's own rows.
select count(*) from aiaccount.tasks t
 where t.tenant_id = %(tenant)s and t.endpoint = 'pos_receipt' and t.aggregate_id >= %(first)s
   and not exists (select from aiaccount.documents d
                    where d.endpoint = t.endpoint and d.aggregate_id = t.aggregate_id and d.accepted_at is not null);
