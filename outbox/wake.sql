-- Make a tenant's tasks look again, after a person mended something. Tasks are locked in the order in which
-- deliveries lock them; a busy one is asked for another look when it releases.

-- name: lock_tasks
-- Lock the tenant's tasks, in one order.
select count(*)
  from (select from aiaccount.tasks
         where tenant_id = %(tenant)s
         order by endpoint, aggregate_id
           for no key update) as locked;

-- name: wake_open
-- Due now: every task that is not final, has trouble, or has a document that is not settled.
update aiaccount.tasks t
   set again  = t.token is not null,
       due_at = case when t.token is null then least(t.due_at, clock_timestamp()) else t.due_at end,
       leases = 0
 where t.tenant_id = %(tenant)s
   and (t.due_at is not null
        or t.trouble_code is not null
        or exists (select from aiaccount.documents d
                    where d.tenant_id = t.tenant_id and d.endpoint = t.endpoint and d.aggregate_id = t.aggregate_id
                      and d.accepted_at is null and d.verdict in ('retry', 'wait', 'block', 'park')));

-- name: wake_final
-- The rest, too, behind live sales: other settings may call for what was skipped.
update aiaccount.tasks t
   set due_at = clock_timestamp(), lane = 'backfill', leases = 0
 where t.tenant_id = %(tenant)s and t.due_at is null;

-- name: free_blocked
-- What was blocked does not wait for its own next attempt.
update aiaccount.documents
   set next_at = null, updated_at = clock_timestamp()
 where tenant_id = %(tenant)s and accepted_at is null and verdict = 'block' and next_at is not null;

-- name: lift_stops
-- A stop named an old key or old settings.
delete from aiaccount.stops where tenant_id = %(tenant)s;

-- name: forget_breakers
-- What the tenant's books lacked may be there now: the next document finds out.
delete from aiaccount.breakers where tenant_id = %(tenant)s;

-- name: raise_version
-- Settings of a new version: what a process remembers of a refusal under the old one holds no more.
update aiaccount.tenants
   set settings_version = settings_version + 1, updated_at = now()
 where tenant_id = %(tenant)s;
