-- What the fault tests ask of an installation's database, and how they bring near what lies ahead.

-- name: open
-- Outbox rows that the cursor has not passed; tasks that are due, handed out or busy; documents to be tried again.
select (select count(*) from aiaccount.outbox o, aiaccount.relay_cursor c
         where not pg_visible_in_snapshot(o.xid, c.from_snapshot)) as unread,
       (select count(*) from aiaccount.tasks
         where due_at <= clock_timestamp() or token is not null or leases > 0) as at_work,
       (select count(*) from aiaccount.documents where accepted_at is null and verdict = 'retry') as retrying;

-- name: at_work
-- Tasks at work, by endpoint: claimed or not, how often handed out, and when the first was and is to be looked at.
select endpoint, token is not null as claimed, leases, count(*) as tasks,
       extract(epoch from min(due_at) - clock_timestamp())::int as due_in_seconds
  from aiaccount.tasks
 where due_at <= clock_timestamp() or token is not null or leases > 0
 group by 1, 2, 3 order by 1, 2, 3;

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
with free as (
  select endpoint, aggregate_id from aiaccount.tasks where token is null for no key update skip locked
)
update aiaccount.tasks t set due_at = clock_timestamp(), leases = 0
  from free where t.endpoint = free.endpoint and t.aggregate_id = free.aggregate_id;

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

-- name: share
-- Every tenant may make 120 calls a minute, two at once.
update aiaccount.tenants set calls_per_minute = 120, calls_at_once = 2, settings_version = settings_version + 1;

-- name: held_by_the_outage
select count(*) from aiaccount.documents where code = 'ENDPOINT_DOWN';

-- name: probe_now
-- The half minute of an outage is over.
update aiaccount.outages set probe_at = clock_timestamp();

-- name: looked
-- Whether reconciliation has looked at everything, and is not at it.
select count(*) from aiaccount.reconciliation where finished_at is not null and not under_way;

-- name: missed
-- How often reconciliation told of what it had found.
select count(*) from aiaccount.alerts where kind = 'missed_changes';

-- name: forget_the_outbox
-- Let the outbox be as empty as that of a backup of before it all.
delete from aiaccount.outbox;

-- name: recreated
-- Alerts that a topic was made anew.
select count(*) from aiaccount.alerts where kind = 'topic_recreated';

-- name: unclaimed
-- Sales and settlements whose invoices and bills no consumer has ever claimed.
select (select count(*) from pos_transactions p
         where p.id not in (select aggregate_id from aiaccount.tasks where endpoint = 'pos_invoice'))
     + (select count(*) from kol_settlements s
         where s.id not in (select aggregate_id from aiaccount.tasks where endpoint = 'kol_bill'));

-- name: usual_calls_at_once
-- Every tenant may have five calls under way, as by default.
update aiaccount.tenants set calls_at_once = 5, settings_version = settings_version + 1;

-- name: stopped
select count(*) from aiaccount.stops;

-- name: blocked_by_the_key
select count(*) from aiaccount.documents where code = 'API_KEY_INVALID';
