-- Which tenants a person's login may read; null: every tenant. Row-level security asks it (outbox/roles.sql).
create table aiaccount.readers (
  reader     name    not null,                     -- the login, as pg_roles has it
  tenant_id  bigint  references aiaccount.tenants on delete cascade,
  unique nulls not distinct (reader, tenant_id)
);

-- What whoever asks may read.
create view aiaccount.readable as
select tenant_id from aiaccount.readers where reader = current_user;
