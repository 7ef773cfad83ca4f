-- What the kill of a consumer left, and how it went on.

-- name: in_doubt
-- The documents that may have been sent and are not known to be accepted.
select number from aiaccount.documents where may_exist;

-- name: claims
-- The tokens under which tasks are claimed.
select token::text from aiaccount.tasks where token is not null;

-- name: last_sale
select coalesce(max(id), 0) from pos_transactions;

-- name: accepted_since
-- For each sale after one: seconds until its invoice was accepted, none while it was not.
select extract(epoch from (select max(d.accepted_at) from aiaccount.documents d
                            where d.endpoint = 'pos_invoice' and d.aggregate_id = p.id) - p.updated_at)::float8
  from pos_transactions p where p.id > %(last)s;
