-- What migrating and checking an installation asks of the database.

-- name: installed_environment
-- Whose installation it is.
select environment from aiaccount.installation

-- name: is_installed
-- Whether the table that names the environment exists.
select to_regclass('aiaccount.installation') is not null

-- name: lock_migrations
-- One migration at a time; the session's end frees it.
select pg_advisory_lock(hashtextextended('aiaccount.migrate', 0))

-- name: is_standby
select pg_is_in_recovery()

-- name: missing_sources
-- Tables of NS16 that the search path does not lead to.
select name from unnest(%(tables)s::text[]) as name where to_regclass(name) is null order by name

-- name: create_schema
create schema if not exists aiaccount

-- name: initialise
-- The installation's name; a second time nothing.
insert into aiaccount.installation (environment) values (%(environment)s)
on conflict do nothing

-- name: set_mode
update aiaccount.installation set capture_mode = %(mode)s where capture_mode <> %(mode)s

-- name: capture_mode
select capture_mode from aiaccount.installation

-- name: initialise_cursor
-- The relay starts here: what was committed before is for a backfill. The timeline is the one written to now.
insert into aiaccount.relay_cursor (from_snapshot, system_identifier, timeline_id)
select pg_current_snapshot(), system_identifier,
  ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer
from pg_control_system()
on conflict do nothing

-- name: view_state
-- Whether a view is there, whether it is still as we wrote it (else a person replaced it), and from today's text.
select v.oid is not null,
  split_part(obj_description(v.oid, 'pg_class'), ' ', 2) is not distinct from md5(pg_get_viewdef(v.oid)),
  obj_description(v.oid, 'pg_class') is not distinct from concat_ws(' ', 'aiaccount-sync', md5(pg_get_viewdef(v.oid)), md5(%(text)s))
from (select to_regclass(%(view)s) as oid) as v

-- name: stamp
-- Keep in the view's comment the digests of its definition and of the text that made it.
do $stamp$
begin
  execute format('comment on view %%s is %%L', %(view)s,
    concat_ws(' ', 'aiaccount-sync', md5(pg_get_viewdef(%(view)s::regclass)), md5(%(text)s)));
end
$stamp$

-- name: short_lock
-- The till waits behind a waiting DDL statement: so it waits briefly, and tries again. NOTICE: a trigger is replaced.
set local lock_timeout = '50ms'

-- name: drop_triggers
-- The statements of the switch: one table, one lock.
select string_agg(format('drop trigger %%I on %%s', tgname, tgrelid::regclass), ';')
from pg_trigger where tgrelid = to_regclass(%(table)s) and not tgisinternal and tgname like 'aiaccount\_%%'

-- name: triggers
-- Our triggers on a table, each as capture.sql makes it: name, enabled, events, function, arguments, transition tables.
select t.tgname::text, t.tgenabled::text, t.tgtype::int, p.pronamespace::regnamespace::text || '.' || p.proname,
  encode(t.tgargs, 'escape'), coalesce(t.tgoldtable::text, ''), coalesce(t.tgnewtable::text, '')
from pg_trigger as t join pg_proc as p on p.oid = t.tgfoid
where t.tgrelid = to_regclass(%(table)s) and not t.tgisinternal and t.tgname like 'aiaccount\_%%'

-- name: raise_alert
insert into aiaccount.alerts (kind, detail) values (%(kind)s, %(detail)s)

-- name: missing_tables
-- Tables of ours that are not there.
select name from unnest(%(tables)s::text[]) as name where to_regclass('aiaccount.' || name) is null order by name

-- name: functions
-- The bodies of our functions, and whether they run as they must.
select p.proname, p.prosrc, p.prosecdef, coalesce(p.proconfig, '{}'), pg_get_userbyid(p.proowner)
from pg_proc as p where p.pronamespace = to_regnamespace('aiaccount')

-- name: view_columns
-- The columns of a view and their types.
select a.attname, format_type(a.atttypid, a.atttypmod) from pg_attribute as a
where a.attrelid = to_regclass(%(view)s) and a.attnum > 0 and not a.attisdropped

-- name: owner_lacks
-- What the owner of the capture functions may not do and must.
select distinct pg_get_userbyid(p.proowner), needed.what
from pg_proc as p,
  lateral (values
    ('use schema aiaccount', has_schema_privilege(p.proowner, 'aiaccount', 'usage')),
    ('insert into aiaccount.outbox', has_table_privilege(p.proowner, to_regclass('aiaccount.outbox'), 'insert')),
    ('insert into aiaccount.alerts', has_table_privilege(p.proowner, to_regclass('aiaccount.alerts'), 'insert')),
    ('run aiaccount.record_changes', has_function_privilege(p.proowner, to_regprocedure('aiaccount.record_changes(text, bigint[])'), 'execute')),
    ('run aiaccount.raise_alert', has_function_privilege(p.proowner, to_regprocedure('aiaccount.raise_alert(text, text)'), 'execute'))
  ) as needed (what, has)
where p.pronamespace = to_regnamespace('aiaccount') and p.proname like 'capture\_%%' and not needed.has
order by 2

-- name: backend
-- The server process that answers; a pooler shows another in its greeting.
select pg_backend_pid()

-- name: has_cursor
select exists (select from aiaccount.relay_cursor)

-- name: revision
-- Which migration the tables are at.
select version_num from aiaccount.alembic_version
