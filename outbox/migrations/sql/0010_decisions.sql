-- What people did and decided, kept for good.

-- Who changed which key, setting or document state, failed tries included; never a secret. Append-only.
create table aiaccount.audit (
  id         bigint      generated always as identity primary key,
  at         timestamptz not null default clock_timestamp(),
  actor      text        not null check (actor <> ''),          -- the user of the machine, as the command line saw it
  role       text        not null default session_user,         -- the database's word for who it was
  action     text        not null check (action <> ''),         -- such as "credentials set"
  tenant_id  bigint,                                            -- null: no one tenant's
  subject    text,                                              -- what was changed, such as a document's number
  detail     jsonb       not null default '{}' check (jsonb_typeof(detail) = 'object'),
  succeeded  boolean     not null
);
create index audit_by_tenant on aiaccount.audit (tenant_id, id);

-- How a person settled a conflict. Append-only: the latest counts.
-- reissue: what was sent of the row is reversed, and the row is issued anew as issue n (`-A<n>`).
-- reverse: the same for a row that is gone: there is nothing to issue.
-- accept: AiAccount keeps what it has, for as long as the row says what it said then.
create table aiaccount.decisions (
  id              bigint      generated always as identity primary key,
  company_id      text        not null,
  aggregate_type  text        not null check (aggregate_type in ('pos_transaction', 'kol_settlement')),
  aggregate_id    bigint      not null,
  tenant_id       bigint      not null,
  number          text        not null check (number <> ''),    -- the document in conflict that was shown
  kind            text        not null check (kind in ('reissue', 'reverse', 'accept')),
  issue           smallint    not null check (issue between case when kind = 'accept' then 0 else 1 end and 6),  -- the one that begins, or that is accepted
  snapshot        jsonb,                                        -- of the row that was decided about; null: it was gone
  decided_by      text        not null check (decided_by <> ''),
  decided_at      timestamptz not null default clock_timestamp(),
  note            text
);
create index decisions_by_aggregate on aiaccount.decisions (aggregate_id, aggregate_type);
-- An issue begins once: two people who decide at the same moment do not issue a row twice.
create unique index decisions_issue on aiaccount.decisions (company_id, aggregate_type, aggregate_id, issue)
  where kind <> 'accept';

create function aiaccount.refuse_change() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
  as $$ begin raise exception 'aiaccount.% is append-only', tg_table_name using errcode = 'insufficient_privilege'; end $$;
revoke all on function aiaccount.refuse_change() from public;
create trigger append_only before update or delete or truncate on aiaccount.audit
  for each statement execute function aiaccount.refuse_change();
create trigger append_only before update or delete or truncate on aiaccount.decisions
  for each statement execute function aiaccount.refuse_change();
