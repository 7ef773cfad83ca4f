-- What the demo asks of the ledger while it plays and waits.

-- name: accepted
-- Whether a document stands in the books.
select exists (
  select from aiaccount.documents
  where endpoint = %(endpoint)s and aggregate_id = %(id)s and number = %(number)s and accepted_at is not null)

-- name: progress
select count(*) filter (where state = 'pushed'), count(*) filter (where state in ('retrying', 'in doubt'))
from aiaccount.documents

-- name: outstanding
-- What still moves. A row is handled when each of its tasks is released with the digest of the row as it is now.
with rows as (
  select tenant_id, id, snapshot, unnest(array['pos_invoice', 'pos_receipt']) as endpoint
  from aiaccount.pos_transaction_snapshot
  union all
  select tenant_id, id, snapshot, unnest(array['kol_bill', 'kol_payment'])
  from aiaccount.kol_settlement_snapshot
)
select (select count(*)
        from rows r
        join aiaccount.tenants n on n.tenant_id = r.tenant_id and n.active
        left join aiaccount.tasks t on t.endpoint = r.endpoint and t.aggregate_id = r.id
        where t.digest is distinct from sha256(convert_to(r.snapshot::text, 'UTF8'))) as unhandled,
       (select count(*) from aiaccount.tasks where token is not null) as busy,
       (select count(*) from aiaccount.tasks where due_at < now() + interval '5 seconds') as due,
       (select count(*) from aiaccount.tasks where leases > 0) as sent,
       (select count(*) from aiaccount.documents where state in ('retrying', 'in doubt')) as moving,
       (select count(*) from aiaccount.outbox o, aiaccount.relay_cursor c
        where not pg_visible_in_snapshot(o.xid, c.from_snapshot)) as unread
