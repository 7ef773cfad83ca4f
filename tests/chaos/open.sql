-- What is not final in the ledger, for whoever looks into a round that did not end well.

-- name: open
-- Documents that should still move, and their tasks: times are in seconds from now.
select d.tenant_id, d.endpoint, d.aggregate_id, d.number, d.state, d.verdict, d.code, d.reason, d.attempts,
       extract(epoch from d.doubt_at - clock_timestamp())::int as doubt_at,
       extract(epoch from d.last_attempt_at - clock_timestamp())::int as last_attempt_at,
       extract(epoch from d.next_at - clock_timestamp())::int as next_at,
       extract(epoch from t.due_at - clock_timestamp())::int as due_at,
       t.token, t.again, t.leases, extract(epoch from t.handled_at - clock_timestamp())::int as handled_at
  from aiaccount.documents d
  left join aiaccount.tasks t on t.endpoint = d.endpoint and t.aggregate_id = d.aggregate_id
 where d.state in ('in doubt', 'retrying', 'waiting')
 order by d.state, d.endpoint, d.number;
