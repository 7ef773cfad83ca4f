-- A clock of the database that a test may set: our statements find these functions before PostgreSQL's own.

-- name: make
create schema clocked;
create table clocked.skew (by interval not null);
insert into clocked.skew values ('0');
create function clocked.clock_timestamp() returns timestamptz language sql volatile
  as 'select pg_catalog.clock_timestamp() + by from clocked.skew';
create function clocked.statement_timestamp() returns timestamptz language sql stable
  as 'select pg_catalog.statement_timestamp() + by from clocked.skew';
create function clocked.now() returns timestamptz language sql stable
  as 'select pg_catalog.now() + by from clocked.skew';
do $$ begin execute format('alter database %I set search_path = clocked, pg_catalog, public', current_database()); end $$;

-- name: set
update clocked.skew set by = %(by)s;

-- name: told
select extract(epoch from now() - pg_catalog.now())::integer;
