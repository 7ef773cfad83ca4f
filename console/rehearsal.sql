-- What a rehearsal reads of a backfill's rows, a page at a time.

-- name: sales
select id, original_id, snapshot::text, (snapshot -> 'pos_transaction')::text
  from aiaccount.pos_transaction_snapshot where id = any (%(ids)s);

-- name: settlements
select id, original_id, snapshot::text, (snapshot -> 'kol_settlement')::text
  from aiaccount.kol_settlement_snapshot where id = any (%(ids)s);

-- name: ledger
-- Of these aggregates, and of the originals that they refund: all that stands in the company's ledger.
select d.endpoint, d.aggregate_id, d.number, d.state, d.code, d.accepted_at is not null as accepted, d.doubt_at is not null as in_doubt,
       d.document::text, d.snapshot::text
  from aiaccount.documents as d
 where d.company_id = %(company)s
   and (d.aggregate_id = any (%(ids)s) and d.endpoint = any (aiaccount.endpoints_of(%(aggregate)s))
        or d.aggregate_id = any (%(originals)s) and d.endpoint = 'pos_invoice')
 order by d.number;

-- name: decided
select aggregate_id from aiaccount.decisions
 where company_id = %(company)s and aggregate_type = %(aggregate)s and aggregate_id = any (%(ids)s);
