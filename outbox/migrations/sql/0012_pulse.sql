-- What tells how the synchronization is doing, cheap enough to be asked every two seconds.

-- Every table that is changed here, before any of it is: consumers, the relay and people use them in orders of their own, so
-- that who waited for one while keeping another would end in a deadlock. In vain, all are let go for a moment. From then
-- on consumers and the relay wait until this is done; the till uses none of these tables.
do $$
declare
  before constant text := current_setting('lock_timeout');
  deadline constant timestamptz := clock_timestamp() + interval '1 minute';
begin
  perform set_config('lock_timeout', '500ms', true);  -- less than deadlock_timeout: nobody is cancelled for this
  loop
    begin
      lock table aiaccount.relay_cursor, aiaccount.tasks, aiaccount.documents in access exclusive mode;
      exit;
    exception when lock_not_available then
      if clock_timestamp() > deadline then
        raise lock_not_available using message = 'the tables of aiaccount were not free in a minute: end the long transaction on them';
      end if;
    end;
    perform pg_sleep(0.1 + 0.2 * random());
  end loop;
  perform set_config('lock_timeout', before, true);
end
$$;

-- When a tenant's last document was accepted, how many of a day were, and how many are settled.
create index documents_final on aiaccount.documents (tenant_id, company_id, endpoint, state, accepted_at)
  where state in ('pushed', 'skipped');
-- What does not go by itself, or waits. In the place of documents_open, which left out what waits and what was accepted
-- and is in conflict.
create index documents_unsettled on aiaccount.documents (tenant_id, endpoint, code) include (state)
  where verdict in ('retry', 'wait', 'block', 'conflict', 'park');
drop index aiaccount.documents_open;
-- How many tasks of each endpoint are due is counted from the index alone.
drop index aiaccount.tasks_due_by_tenant;
create index tasks_due_by_tenant on aiaccount.tasks (tenant_id, lane, due_at) include (endpoint) where due_at is not null;
create index tasks_troubled on aiaccount.tasks (tenant_id, endpoint, trouble_code) where trouble_code is not null;

-- Which relay leads, and since when.
alter table aiaccount.relay_cursor
  add column led_by  text,                         -- the name of its machine
  add column led_at  timestamptz,
  add check ((led_by is null) = (led_at is null));

-- For how long a task is handed out that was handed out so often before, and nobody claimed it.
create function aiaccount.lease_of(leases integer) returns interval
  language sql immutable parallel safe
  return least(interval '5 minutes' * 2 ^ least(leases, 10), interval '1 hour');

-- Since when a task is due that has been handed out so often since: before each of its leases.
create function aiaccount.due_since(due_at timestamptz, leases integer) returns timestamptz
  language sql stable parallel safe
  return due_at - (select coalesce(sum(aiaccount.lease_of(nth)), interval '0') from generate_series(0, leases - 1) as nth);

-- The beat of the way that all tenants share; nothing of any tenant is in it, so whoever looks may see it.
-- captures: all our triggers fire (those that a partition has of its table are the same ones).
-- leads: a relay holds the lock (its number is outbox.leadership.LOCK). unread_since: since when the oldest change waits
-- for the relay; the first of each of its two places in the index, so that a backlog is not read.
create view aiaccount.pulse as
select c.moved_at, c.led_by, c.led_at,
       exists (select from pg_locks as l
                where l.locktype = 'advisory' and l.granted and l.objsubid = 1
                  and l.database = (select oid from pg_database where datname = current_database())
                  and (l.classid::bigint << 32) | l.objid::bigint = 7019248573731925620) as leads,
       (select count(*) = 12
          from pg_trigger as g join pg_proc as p on p.oid = g.tgfoid
         where p.pronamespace = to_regnamespace('aiaccount') and p.proname like 'capture\_%' and g.tgparentid = 0 and g.tgenabled in ('O', 'A')) as captures,
       least((select min(first.created_at)
                from pg_snapshot_xip(c.from_snapshot) as was (xid)
               cross join lateral (select o.created_at from aiaccount.outbox as o
                                    where o.xid = was.xid and (c.after_xid is null or was.xid > c.after_xid or (was.xid = c.after_xid and o.seq > c.after_seq))
                                    order by o.seq limit 1) as first),
             (select o.created_at from aiaccount.outbox as o
               where (o.xid, o.seq) > (greatest(pg_snapshot_xmax(c.from_snapshot), coalesce(c.after_xid, '0'::xid8)),
                                       case when c.after_xid >= pg_snapshot_xmax(c.from_snapshot) then c.after_seq else -9223372036854775808 end)
               order by o.xid, o.seq limit 1)) as unread_since
  from aiaccount.relay_cursor as c;

-- Endpoints that no consumer serves: of each one's last changes that are older than a minute, one was not handled since it was
-- captured; or a row whose tenant is not known yet, and so is counted for none, has been due for two minutes. And nobody is
-- at any task of that endpoint: a claim that ended is none. Only the outbox's right edge is read, and each task is looked up
-- by its key (the limit sees to that).
create view aiaccount.unheard as
select late.endpoint, min(late.since) as since
  from (select e.endpoint, o.created_at as since
          from unnest(array['pos_transaction', 'kol_settlement']) as a (aggregate_type)
         cross join unnest(aiaccount.endpoints_of(a.aggregate_type)) as e (endpoint)
         cross join lateral (select last.aggregate_id, last.created_at
                               from (select * from aiaccount.outbox order by xid desc, seq desc limit 20000) as last
                              where last.created_at < clock_timestamp() - interval '1 minute'
                                and last.aggregate_type = a.aggregate_type and (last.endpoint is null or last.endpoint = e.endpoint)
                              order by last.xid desc, last.seq desc limit 200) as o
          left join lateral (select k.busy_until, k.handled_at from aiaccount.tasks as k
                              where k.endpoint = e.endpoint and k.aggregate_id = o.aggregate_id limit 1) as t on true
         where (t.busy_until > clock_timestamp()) is not true and (t.handled_at is null or t.handled_at < o.created_at)
         union all
        select t.endpoint, t.since
          from unnest(array['live', 'backfill']) as lane (name)
         cross join lateral (select k.endpoint, k.busy_until,
                                    aiaccount.due_since(k.due_at, k.leases) as since
                               from aiaccount.tasks as k
                              where k.tenant_id is null and k.lane = lane.name and k.due_at is not null
                              order by k.tenant_id, k.due_at limit 1000) as t
         where (t.busy_until > clock_timestamp()) is not true and t.since < clock_timestamp() - interval '2 minutes') as late
 where not exists (select from aiaccount.tasks as b
                    where b.endpoint = late.endpoint and b.token is not null and b.busy_until > clock_timestamp())
 group by late.endpoint;
