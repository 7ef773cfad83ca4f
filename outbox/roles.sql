-- The database's roles: what each may do, and how that is brought about. Every process and every person has one, and none
-- can do more than its work needs. What stands here is put right by each `migrate`, and named by `migrate --check`.
--
-- A table, view or function that a migration adds gets its lines in `granted` below; who reads is served by its line in
-- `seen`. Without a line nobody may use it, `migrate --check` names it, and tests/integration/roles fails until its own matrix
-- agrees. Roles are the cluster's, grants the database's: the roles of one installation can do nothing in another database,
-- the logins that have them can where they may connect (see SECURITY.md).

-- name: granted
-- Each role's privileges, as GRANT says them. Columns and objects that are not there (an older revision) are passed over.
select * from (values

  -- The owner of the schema, its tables and views; nobody runs as it. Its views read these three tables of NS16, and no other.
  ('owner', 'source pos_transactions', 'select'),
  ('owner', 'source pos_transaction_items', 'select'),
  ('owner', 'source kol_settlements', 'select'),
  ('owner', 'table aiaccount.alembic_version', 'select'),
  ('owner', 'table aiaccount.pos_transaction_snapshot', 'select'),
  ('owner', 'table aiaccount.kol_settlement_snapshot', 'select'),

  -- The owner of what the triggers run: it writes two tables, and reads nothing.
  ('capture', 'schema aiaccount', 'usage'),
  ('capture', 'table aiaccount.outbox', 'insert'),
  ('capture', 'table aiaccount.alerts', 'insert'),
  ('capture', 'function aiaccount.record_changes(text, bigint[])', 'execute'),
  ('capture', 'function aiaccount.raise_alert(text, text)', 'execute'),
  ('capture', 'function aiaccount.capture_pos_transactions()', 'execute'),
  ('capture', 'function aiaccount.capture_pos_transaction_items()', 'execute'),
  ('capture', 'function aiaccount.capture_kol_settlements()', 'execute'),
  ('capture', 'function aiaccount.capture_truncate()', 'execute'),

  -- The relay: what changed, what is due, and whether a digest differs. No sales, nothing of what a document says, no keys, no codes.
  ('relay', 'schema aiaccount', 'usage'),
  ('relay', 'table aiaccount.installation', 'select'),
  ('relay', 'table aiaccount.outbox', 'select, insert, delete'),
  ('relay', 'table aiaccount.relay_cursor', 'select, update'),
  ('relay', 'table aiaccount.alerts', 'select, insert'),
  ('relay', 'table aiaccount.tasks', 'select, insert, update, delete'),  -- a cancelled run's go back
  ('relay', 'table aiaccount.tenants', 'select (tenant_id, active, cutover_date, calls_per_minute, calls_at_once)'),
  ('relay', 'table aiaccount.wanted_ranges', 'select'),
  ('relay', 'table aiaccount.reconciliation', 'select, update'),
  ('relay', 'table aiaccount.reconciliation_marks', 'select, insert, delete'),
  ('relay', 'table aiaccount.stops', 'select (tenant_id, endpoint)'),
  ('relay', 'table aiaccount.shares', 'select'),
  ('relay', 'table aiaccount.outages', 'select (endpoint, probe_at)'),
  -- It lets go what a breaker had blocked: of a document it reads and writes no more than that takes.
  ('relay', 'table aiaccount.breakers', 'select (tenant_id, endpoint, code, value, passed_at), update (passed_at), delete'),
  ('relay', 'table aiaccount.documents', 'select (tenant_id, endpoint, aggregate_id, code, verdict, accepted_at, next_at), update (next_at, updated_at)'),
  -- It carries runs, and forgets those of long ago.
  ('relay', 'table aiaccount.runs', 'select, update (after_endpoint, after_id, queued_at, finished_at, taken_back_at), delete'),
  ('relay', 'table aiaccount.run_parts', 'select'),
  ('relay', 'table aiaccount.run_tasks', 'select, insert, update (queued_at, created), delete'),
  ('relay', 'table aiaccount.run_standings', 'select'),
  ('relay', 'table aiaccount.pos_transaction_digest', 'select'),
  ('relay', 'table aiaccount.kol_settlement_digest', 'select'),
  ('relay', 'function aiaccount.utc(timestamptz)', 'execute'),  -- the digests call it
  ('relay', 'function aiaccount.endpoints_of(text)', 'execute'),
  ('relay', 'function aiaccount.lease_of(integer)', 'execute'),

  -- The consumers: snapshots, settings and sealed keys to read, tasks and the ledger to write.
  ('consumer', 'schema aiaccount', 'usage'),
  ('consumer', 'table aiaccount.installation', 'select'),
  ('consumer', 'table aiaccount.tasks', 'select, insert, update'),
  ('consumer', 'table aiaccount.documents', 'select, insert, update'),
  ('consumer', 'table aiaccount.tenants', 'select, update (updated_at)'),  -- the update is for a share lock of the row
  ('consumer', 'table aiaccount.tenant_settings', 'select'),
  ('consumer', 'table aiaccount.credentials', 'select'),
  ('consumer', 'table aiaccount.stops', 'select, insert, update'),
  ('consumer', 'table aiaccount.paces', 'select, insert, update'),
  ('consumer', 'table aiaccount.shares', 'select'),
  ('consumer', 'table aiaccount.breakers', 'select, insert, update'),
  ('consumer', 'table aiaccount.outages', 'select, insert, update, delete'),
  ('consumer', 'table aiaccount.attempts', 'insert'),
  ('consumer', 'table aiaccount.decisions', 'select'),
  ('consumer', 'table aiaccount.pos_transaction_snapshot', 'select'),
  ('consumer', 'table aiaccount.kol_settlement_snapshot', 'select'),
  ('consumer', 'table aiaccount.pos_transaction_number', 'select'),  -- whose a row is that breaks its snapshot
  ('consumer', 'table aiaccount.kol_settlement_number', 'select'),
  ('consumer', 'function aiaccount.utc(timestamptz)', 'execute'),
  ('consumer', 'function aiaccount.endpoints_of(text)', 'execute'),

  -- The console: tenants, keys to write and never to read, what waits for a person, and what a row would become.
  ('admin', 'schema aiaccount', 'usage'),
  ('admin', 'table aiaccount.installation', 'select'),
  ('admin', 'table aiaccount.alerts', 'select'),
  ('admin', 'table aiaccount.tenants', 'select, insert, update'),
  ('admin', 'table aiaccount.wanted_ranges', 'select, insert, delete'),
  ('admin', 'table aiaccount.tenant_settings', 'select'),
  ('admin', 'table aiaccount.credentials', 'select (tenant_id, purpose, version, key_id, set_by, set_at, tested_at), insert, update'),
  ('admin', 'table aiaccount.stops', 'select, update, delete'),
  ('admin', 'table aiaccount.tasks', 'select, insert, update'),
  ('admin', 'table aiaccount.documents', 'select, update'),
  ('admin', 'table aiaccount.paces', 'select'),
  ('admin', 'table aiaccount.shares', 'select'),
  ('admin', 'table aiaccount.breakers', 'select, delete'),
  ('admin', 'table aiaccount.outages', 'select'),
  ('admin', 'table aiaccount.attempts', 'select'),
  ('admin', 'table aiaccount.audit', 'select, insert'),  -- what was done is written, and never changed
  ('admin', 'table aiaccount.decisions', 'select, insert'),
  ('admin', 'table aiaccount.readers', 'select, insert, delete'),
  ('admin', 'table aiaccount.runs', 'select, insert, update'),
  ('admin', 'table aiaccount.run_parts', 'select, insert, update (widened)'),
  ('admin', 'table aiaccount.run_tasks', 'select, insert'),
  ('admin', 'table aiaccount.run_standings', 'select'),
  ('admin', 'table aiaccount.pos_transaction_snapshot', 'select'),
  ('admin', 'table aiaccount.kol_settlement_snapshot', 'select'),
  ('admin', 'table aiaccount.pos_transaction_digest', 'select'),
  ('admin', 'table aiaccount.kol_settlement_digest', 'select'),
  ('admin', 'table aiaccount.pos_transaction_number', 'select'),  -- of rows that are not the tenant's own, too: no more than whose they are
  ('admin', 'table aiaccount.kol_settlement_number', 'select'),
  ('admin', 'table aiaccount.outbox', 'select'),  -- whether a change is on its way
  ('admin', 'table aiaccount.relay_cursor', 'select'),
  ('admin', 'table aiaccount.pulse', 'select'),
  ('admin', 'table aiaccount.unheard', 'select'),
  ('admin', 'function aiaccount.utc(timestamptz)', 'execute'),
  ('admin', 'function aiaccount.endpoints_of(text)', 'execute'),
  ('admin', 'function aiaccount.lease_of(integer)', 'execute'),
  ('admin', 'function aiaccount.due_since(timestamptz, integer)', 'execute'),

  -- Who tests and rotates the stored keys: the sealed bytes, beside what an admin may.
  ('keys', 'schema aiaccount', 'usage'),
  ('keys', 'table aiaccount.credentials', 'select'),

  -- Who looks: the ledger and what is still to be done, of the tenants that aiaccount.readers names for the login.
  ('reader', 'schema aiaccount', 'usage'),
  ('reader', 'table aiaccount.installation', 'select'),
  ('reader', 'table aiaccount.alerts', 'select'),
  ('reader', 'table aiaccount.tasks', 'select'),
  ('reader', 'table aiaccount.documents', 'select'),
  ('reader', 'table aiaccount.tenants', 'select (tenant_id, active, company_id, company_name, kol_mode, owner_kol_id, home_currency, timezone,
    day_cutoff_hour, cutover_date, settings_version, created_at, updated_at, calls_per_minute, calls_at_once)'),
  ('reader', 'table aiaccount.wanted_ranges', 'select'),
  ('reader', 'table aiaccount.stops', 'select'),
  ('reader', 'table aiaccount.breakers', 'select'),
  ('reader', 'table aiaccount.outages', 'select'),
  ('reader', 'table aiaccount.attempts', 'select'),
  ('reader', 'table aiaccount.readable', 'select'),
  ('reader', 'table aiaccount.pulse', 'select'),
  ('reader', 'table aiaccount.unheard', 'select'),
  ('reader', 'function aiaccount.endpoints_of(text)', 'execute'),
  ('reader', 'function aiaccount.lease_of(integer)', 'execute'),
  ('reader', 'function aiaccount.due_since(timestamptz, integer)', 'execute')
) as line (role, object, privileges)

-- name: seen
-- Which rows a reader sees: `tenant`, those of the tenants that it may read; `every`, all, if it may read every tenant. What a
-- reader may select and is not here holds nothing of any tenant.
select * from (values
  ('aiaccount.alerts', 'every'),
  ('aiaccount.tasks', 'tenant'),
  ('aiaccount.documents', 'tenant'),
  ('aiaccount.tenants', 'tenant'),
  ('aiaccount.wanted_ranges', 'tenant'),
  ('aiaccount.stops', 'tenant'),
  ('aiaccount.breakers', 'tenant'),
  ('aiaccount.attempts', 'tenant')
) as line (object, rows)

-- name: there
select rolname from pg_roles where rolname = any (%(roles)s::text[])

-- name: lacking
-- What it takes before anything else: the roles, and that who migrates has the two that own things.
select statement from (
  select 1, at, format('create role %%I nologin', name)
  from unnest(%(roles)s::text[]) with ordinality as role (name, at)
  where not exists (select from pg_roles where rolname = name)
  union all
  select 2, at, format('grant %%I to %%I', name, current_user)
  from unnest(array['aiaccount_owner', 'aiaccount_capture']) with ordinality as role (name, at)
  where not exists (select from pg_roles where rolname = name and pg_has_role(current_user, pg_roles.oid, 'usage'))
) as needed (step, at, statement)
order by step, at

-- name: schema
-- Made by who migrates, for the owner.
create schema if not exists aiaccount authorization aiaccount_owner

-- name: migrating
select current_user

-- name: differences
-- What our roles and PUBLIC may do and must not, or must and may not: whom it is about, the sentence and the mending statement.
with line as (
  select role, privileges, kind, name,
    case kind when 'function' then to_regprocedure(name)::oid when 'schema' then to_regnamespace(name)::oid else to_regclass(name)::oid end as oid
  from (select 'aiaccount_' || role as role, privileges, split_part(object, ' ', 1) as kind, substr(object, strpos(object, ' ') + 1) as name
        from json_to_recordset(%(granted)s::json) as given (role text, object text, privileges text)) as given
),
wanted as (
  select r.oid as role, l.oid, upper(p[1]) as privilege, coalesce(a.attname, '') as col
  from line as l
  join pg_roles as r on r.rolname = l.role
  cross join lateral regexp_matches(l.privileges, '(\w+)(?:\s*\(([^)]*)\))?', 'g') as p
  left join lateral regexp_split_to_table(p[2], '\s*,\s*') as named on true
  left join pg_attribute as a on a.attrelid = l.oid and a.attname = named and not a.attisdropped
  where p[2] is null or a.attname is not null
),
object as (
  select c.oid, c.relowner as owner, coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner)) as acl,
    format('%%s %%s', case c.relkind when 'S' then 'sequence' else 'table' end, c.oid::regclass) as name,
    c.relnamespace = to_regnamespace('aiaccount') as ours
  from pg_class as c
  where c.relnamespace = to_regnamespace('aiaccount') and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
     or c.oid in (select oid from line where kind = 'source')
  union all
  select oid, proowner, coalesce(proacl, acldefault('f', proowner)), 'function ' || oid::regprocedure, true
  from pg_proc where pronamespace = to_regnamespace('aiaccount')
  union all
  select oid, nspowner, coalesce(nspacl, acldefault('n', nspowner)), 'schema ' || oid::regnamespace, true
  from pg_namespace where nspname = 'aiaccount'
),
actual as (
  select o.oid, a.grantee as role, a.privilege_type as privilege, '' as col from object as o, aclexplode(o.acl) as a
  union
  select o.oid, a.grantee, a.privilege_type, c.attname
  from object as o join pg_attribute as c on c.attrelid = o.oid and c.attacl is not null, aclexplode(c.attacl) as a
),
different as (
  select oid, role, privilege, col, true as lacks from (select oid, role, privilege, col from wanted except select oid, role, privilege, col from actual) as lacking
  union all
  select oid, role, privilege, col, false from (select oid, role, privilege, col from actual except select oid, role, privilege, col from wanted) as excess
)
select case who.name when 'public' then 'PUBLIC' else 'role ' || who.name end,
  format(case when d.lacks then 'lacks %%s on %%s' else 'has %%s on %%s and must not' end, lower(list), o.name),
  format(case when d.lacks then 'grant %%s on %%s to %%I' else 'revoke %%s on %%s from %%I' end, list, o.name, who.name)
from (select oid, role, lacks, string_agg(privilege || case col when '' then '' else format(' (%%I)', col) end, ', ' order by privilege, col) as list
      from different group by oid, role, lacks) as d
join object as o on o.oid = d.oid and o.owner <> d.role
join (select oid, rolname from pg_roles where rolname = any (%(roles)s::text[]) union all select 0, 'public') as who (oid, name) on who.oid = d.role
where o.ours or who.oid <> 0  -- what NS16 gives to PUBLIC of its own is NS16's to decide
order by d.lacks desc, o.name, who.name

-- name: owners
-- What belongs to another than it should: what it is, the sentence, the mending statement, in the order in which to mend. A snapshot
-- view that a person wrote bears no stamp of ours and stays theirs. A function's new owner must be able to create it.
select subject, format('belongs to %%s and must to %%s', is_owner, owner), statement from (
  select 1, format('schema %%s', n.oid::regnamespace), pg_get_userbyid(n.nspowner), 'aiaccount_owner', 'alter schema aiaccount owner to aiaccount_owner'
  from pg_namespace as n where n.nspname = 'aiaccount'
  union all
  select case c.relkind when 'v' then 3 else 2 end, format('table %%s', c.oid::regclass), pg_get_userbyid(c.relowner), 'aiaccount_owner',
    format('alter table %%s owner to aiaccount_owner', c.oid::regclass)
  from pg_class as c
  where c.relnamespace = to_regnamespace('aiaccount') and c.relkind in ('r', 'p', 'v', 'm', 'f')
    and (c.relname not like '%%\_snapshot' or obj_description(c.oid, 'pg_class') is not null)
  union all
  select 4, format('function %%s', p.oid::regprocedure), pg_get_userbyid(p.proowner), o.name,
    format('grant create on schema aiaccount to aiaccount_capture; alter function %%s owner to %%I; revoke create on schema aiaccount from aiaccount_capture',
      p.oid::regprocedure, o.name)
  from pg_proc as p,
    lateral (select case when p.proname like 'capture\_%%' or p.proname in ('record_changes', 'raise_alert')
                         then 'aiaccount_capture' else 'aiaccount_owner' end as name) as o
  where p.pronamespace = to_regnamespace('aiaccount')
) as thing (step, subject, is_owner, owner, statement)
where is_owner <> owner
order by step, subject

-- name: policies
-- Where a reader would see too much or our processes too little: the table, the sentence, the mending statement. The comment of a policy
-- keeps the digests of our text and of what the server made of it.
with wanted as (
  select to_regclass(object) as tab, 'create policy aiaccount_work on ' || object
    || ' to aiaccount_capture, aiaccount_relay, aiaccount_consumer, aiaccount_admin, aiaccount_keys using (true) with check (true);'
    || ' create policy aiaccount_read on ' || object || ' for select to aiaccount_reader using ('
    || case rows when 'tenant' then 'tenant_id in (select tenant_id from aiaccount.readable) or ' else '' end
    || 'exists (select from aiaccount.readable where tenant_id is null))' as text
  from json_to_recordset(%(seen)s::json) as line (object text, rows text)
),
there as (
  select polrelid as tab, max(obj_description(oid, 'pg_policy')) as stamp, string_agg(format('drop policy %%I on %%s;', polname, polrelid::regclass), ' ') as drops,
    md5(string_agg(concat_ws(' ', polname, polcmd, polpermissive, polroles::regrole[], pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)),
      ';' order by polname)) as digest
  from pg_policy group by polrelid
)
select 'table ' || w.tab, 'lacks its row-level security, or has another',
  format($statement$alter table %%1$s enable row level security; %%2$s %%3$s; do $stamp$ begin execute format('comment on policy aiaccount_read on %%1$s is %%%%L', (
    select concat_ws(' ', 'aiaccount-sync', %%4$L, md5(string_agg(
      concat_ws(' ', polname, polcmd, polpermissive, polroles::regrole[], pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)), ';' order by polname)))
    from pg_policy where polrelid = '%%1$s'::regclass)); end $stamp$$statement$, w.tab, t.drops, w.text, md5(w.text))
from wanted as w
join pg_class as c on c.oid = w.tab
left join there as t on t.tab = w.tab
where not c.relrowsecurity or t.stamp is distinct from concat_ws(' ', 'aiaccount-sync', md5(w.text), t.digest)
order by 1

-- name: unlisted
-- Tables and views of ours that no line above speaks of: nobody may use them.
select 'table ' || c.oid::regclass, 'is not in outbox/roles.sql: nobody may use it' from pg_class as c
where c.relnamespace = to_regnamespace('aiaccount') and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and c.oid not in (select to_regclass(substr(object, 7)) from json_to_recordset(%(granted)s::json) as line (object text)
                    where object like 'table %%' and to_regclass(substr(object, 7)) is not null)
order by 1

-- name: unreadable
-- Views of ours whose owner may not read what they stand on: whoever asks them is refused.
select distinct 'view ' || v.oid::regclass, format('its owner %%s may not read %%s', pg_get_userbyid(v.relowner), d.refobjid::regclass)
from pg_class as v
join pg_rewrite as r on r.ev_class = v.oid
join pg_depend as d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass and d.refobjid <> v.oid
where v.relnamespace = to_regnamespace('aiaccount') and v.relkind = 'v' and not has_any_column_privilege(v.relowner, d.refobjid, 'select')
order by 1, 2

-- name: beyond
-- What our roles can read of NS16 and must not: whatever is not ours, the system's or an extension's, through PUBLIC too.
select 'role ' || r.rolname, format('may read %%s, which is not ours', c.oid::regclass)
from pg_roles as r, pg_class as c
join pg_namespace as n on n.oid = c.relnamespace
where r.rolname = any (%(roles)s::text[]) and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and n.nspname not in ('aiaccount', 'pg_catalog', 'information_schema', 'pg_toast') and n.nspname not like 'pg\_temp\_%%'
  and has_any_column_privilege(r.oid, c.oid, 'select') and has_schema_privilege(r.oid, n.oid, 'usage')
  and not exists (select from pg_depend as d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
  and not (r.rolname = 'aiaccount_owner' and c.oid in (
    select to_regclass(substr(object, 8)) from json_to_recordset(%(granted)s::json) as line (object text) where object like 'source %%'))
order by 1, 2
