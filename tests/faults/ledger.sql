-- What the fault tests ask of an installation's database, and how they bring near what lies ahead.

-- name: open
-- Outbox rows that the cursor has not passed; tasks that are due, handed out or busy; documents to be tried again.
select (select count(*) from aiaccount.outbox o, aiaccount.relay_cursor c
         where not pg_visible_in_snapshot(o.xid, c.from_snapshot)) as unread,
       (select count(*) from aiaccount.tasks
         where due_at <= clock_timestamp() or token is not null or leases > 0) as at_work,
       (select count(*) from aiaccount.documents where accepted_at is null and verdict = 'retry') as retrying;

-- name: bring_near
-- What failed for a moment is tried now and not in ten seconds. Only where nobody is at it.
with waiting as (
  select t.endpoint, t.aggregate_id
    from aiaccount.tasks t
   where t.token is null and t.due_at > clock_timestamp()
     and exists (select from aiaccount.documents d
                  where d.endpoint = t.endpoint and d.aggregate_id = t.aggregate_id
                    and d.accepted_at is null and d.verdict = 'retry')
     for no key update skip locked
), freed as (
  update aiaccount.documents d
     set next_at = null
    from waiting w
   where d.endpoint = w.endpoint and d.aggregate_id = w.aggregate_id and d.accepted_at is null and d.verdict = 'retry'
)
update aiaccount.tasks t
   set due_at = clock_timestamp()
  from waiting w
 where t.endpoint = w.endpoint and t.aggregate_id = w.aggregate_id;

-- name: due_now
-- Every task that nobody is at is looked at again.
update aiaccount.tasks set due_at = clock_timestamp(), leases = 0 where token is null;

-- name: counts
-- Rows of the outbox, tasks that are claimed, documents that may exist, documents accepted, tasks handed out.
select (select count(*) from aiaccount.outbox) as written,
       (select count(*) from aiaccount.tasks where token is not null) as claimed,
       (select count(*) from aiaccount.documents where doubt_at is not null and accepted_at is null) as in_doubt,
       (select count(*) from aiaccount.documents where accepted_at is not null) as accepted,
       (select count(*) from aiaccount.tasks where leases > 0) as leased;

-- name: forget_the_timeline
-- Let the relay find a cursor that another timeline wrote.
update aiaccount.relay_cursor set timeline_id = timeline_id + 1;
