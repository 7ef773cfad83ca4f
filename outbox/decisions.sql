-- How a conflict is settled by a person, in one transaction.

-- name: lock_tasks
-- Lock the row's tasks in the order in which deliveries lock them, and create those that are missing.
insert into aiaccount.tasks as t (endpoint, aggregate_id, tenant_id, due_at)
select e.endpoint, %(aggregate_id)s, %(tenant_id)s, clock_timestamp()
  from unnest(aiaccount.endpoints_of(%(aggregate_type)s)) as e (endpoint)
 order by e.endpoint
on conflict (endpoint, aggregate_id) do update set lane = t.lane where false;

-- name: made
-- What was decided about a row and about its original, and whether it still says what it said.
select d.kind, d.issue, d.decided_at, d.decided_by, d.number, d.aggregate_id <> %(aggregate_id)s as of_original,
       d.snapshot - 'refunded' is not distinct from
         (select s.snapshot - 'refunded'
            from (select p.id, 'pos_transaction' as kind, p.snapshot from aiaccount.pos_transaction_snapshot p
                   where p.id = d.aggregate_id and d.aggregate_type = 'pos_transaction'
                  union all
                  select k.id, 'kol_settlement', k.snapshot from aiaccount.kol_settlement_snapshot k
                   where k.id = d.aggregate_id and d.aggregate_type = 'kol_settlement') s) as holds
  from aiaccount.decisions d
 where d.company_id = %(company_id)s and d.aggregate_type = %(aggregate_type)s
   and d.aggregate_id in (%(aggregate_id)s, %(original_id)s::bigint)
 order by d.id;

-- name: decide
-- Write the decision down, with the row as it is now.
insert into aiaccount.decisions
  (company_id, aggregate_type, aggregate_id, tenant_id, number, kind, issue, snapshot, decided_by, note)
select %(company_id)s, %(aggregate_type)s, %(aggregate_id)s, %(tenant_id)s, %(number)s, %(kind)s, %(issue)s,
       (select s.snapshot
          from (select p.snapshot from aiaccount.pos_transaction_snapshot p
                 where p.id = %(aggregate_id)s and %(aggregate_type)s = 'pos_transaction'
                union all
                select k.snapshot from aiaccount.kol_settlement_snapshot k
                 where k.id = %(aggregate_id)s and %(aggregate_type)s = 'kol_settlement') s),
       %(decided_by)s, %(note)s;

-- name: give_up_numbers
-- A document that was never ours is not called for any more under its old number.
update aiaccount.documents
   set verdict = 'skip', code = 'SUPERSEDED', reason = 'issued anew under another number', next_at = null,
       updated_at = clock_timestamp()
 where company_id = %(company_id)s and aggregate_id = %(aggregate_id)s
   and endpoint = any (aiaccount.endpoints_of(%(aggregate_type)s))
   and accepted_at is null and verdict = 'conflict';

-- name: look_again
-- What could not be adopted as AiAccount showed it is looked at once more.
update aiaccount.documents
   set code = 'DOCUMENT_CONFLICT', updated_at = clock_timestamp()
 where company_id = %(company_id)s and aggregate_id = %(aggregate_id)s
   and endpoint = any (aiaccount.endpoints_of(%(aggregate_type)s))
   and number = %(number)s and accepted_at is null and verdict = 'conflict' and code = 'NOT_ADOPTABLE';

-- name: make_due
-- Its tasks look now; a busy one looks again when it is released. So do the refunds that wait for the sale.
update aiaccount.tasks t
   set again = t.token is not null, leases = 0,
       due_at = case when t.token is null then clock_timestamp() else t.due_at end
 where (t.aggregate_id = %(aggregate_id)s and t.endpoint = any (aiaccount.endpoints_of(%(aggregate_type)s)))
    or (%(aggregate_type)s = 'pos_transaction' and t.endpoint = 'pos_invoice'
        and t.aggregate_id in (select f.id from aiaccount.pos_transaction_snapshot f
                                where f.original_id = %(aggregate_id)s));
