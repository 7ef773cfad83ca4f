-- Every table of ours, for the search for keys.

-- name: tables
select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'aiaccount' and c.relkind in ('r', 'p', 'm') order by 1
