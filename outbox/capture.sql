-- Capture: what NS16's tables tell the outbox, in the till's own transaction.
--
-- Statement triggers with transition tables put the ids of the touched aggregates into aiaccount.outbox, no more. The till comes first:
--   * All work stands in one EXCEPTION block. Where it fails, the sale commits with a WARNING and, where that is possible, a row in
--     aiaccount.alerts that commits with it; the rest of that transaction does not try again. Waiting for a lock ends after 50 ms, for the
--     outbox and once more for the alert, and for this only: the caller's own lock_timeout is back afterwards. A cancelled statement or its
--     statement_timeout ends the statement as it always does. In mode `strict` the error goes on and the sale fails.
--   * The block is also around the look at what was touched, so that a renamed column costs a WARNING and no sale. A subtransaction that
--     writes nothing takes no transaction id: a sale of seven statements takes one id more than without capture.
--   * The mode is the triggers' argument: reading it costs nothing and cannot fail, and \d shows it.
--   * `aiaccount.captured` is set for the transaction only and holds `<transaction id> <type> {<id>,...}` of what was captured last (a refund
--     and its original are two). A statement that touches nothing else is not captured again. A rolled-back savepoint takes the
--     setting back with the row, and a value from elsewhere holds another transaction's id.
--   * Nothing is joined: old and new rows are grouped by their id, so that no stale plan meets a bulk statement. Rows are compared by
--     their image (`*<>`), which knows every type, also json, and takes 1.0 and 1.00 for different, as the documents do.
--   * It is SECURITY DEFINER with a fixed search_path: who writes a sale needs no privilege on anything of ours.
--
-- What no trigger can survive: PostgreSQL itself keeps the transition tables, and a bulk statement whose old and new rows exceed the session's
-- temp_file_limit fails before any of this runs. `aiaccount-sync migrate` has the switch: it drops the triggers and puts them back;
-- reconciliation finds what was changed in between. Under session_replication_role = replica the triggers do not fire, on purpose (a
-- restore or a copied table is not a change); logical replication fires no statement trigger whatever it is enabled as.

-- name: functions

-- Put the aggregates into the outbox; 50 ms for its lock.
create or replace function aiaccount.record_changes(changed_type text, changed bigint[]) returns void
language plpgsql set lock_timeout = '50ms' as $body$
begin
  insert into aiaccount.outbox (aggregate_type, aggregate_id) select changed_type, id from unnest(changed) as id;
end
$body$;

-- Tell an operator, in the transaction that it happened in; 50 ms for the lock.
create or replace function aiaccount.raise_alert(what text, why text) returns void
language plpgsql set lock_timeout = '50ms' as $body$
begin
  insert into aiaccount.alerts (kind, detail) values (what, why);
end
$body$;

-- On pos_transactions: the sale or refund, and a refund's original, as it was and as it is.
create or replace function aiaccount.capture_pos_transactions() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
declare
  captured text := current_setting('aiaccount.captured', true);
  this     text := pg_current_xact_id_if_assigned() || ' ';
  known    bigint[];
  changed  bigint[];
begin
  if starts_with(captured, this || 'failed') then
    return null;
  end if;
  if starts_with(captured, this || 'pos_transaction ') then
    known := split_part(captured, ' ', 3);
    case tg_op
      when 'INSERT' then
        perform from new_rows where id <> all (known) or original_txn_id <> all (known) limit 1;
      when 'DELETE' then
        perform from old_rows where id <> all (known) or original_txn_id <> all (known) limit 1;
      else
        perform from old_rows where id <> all (known) or original_txn_id <> all (known)
        union all
        select from new_rows where id <> all (known) or original_txn_id <> all (known) limit 1;
    end case;
    if not found then
      return null;
    end if;
  end if;
  case tg_op
    when 'INSERT' then
      select array_agg(distinct id) into changed
      from (select id from new_rows union all select original_txn_id from new_rows) as touched where id is not null;
    when 'DELETE' then
      select array_agg(distinct id) into changed
      from (select id from old_rows union all select original_txn_id from old_rows) as touched where id is not null;
    else
      select array_agg(distinct touched) into changed
      from (select array_agg(id) || array_agg(original_txn_id) as ids
            from (select id, original_txn_id, o as image from old_rows as o
                  union all select id, original_txn_id, n from new_rows as n) as images
            group by id having count(*) <> 2 or (array_agg(image))[1] *<> (array_agg(image))[2]) as rows_changed,
           unnest(ids) as touched
      where touched is not null;
  end case;
  if changed is not null then
    perform aiaccount.record_changes('pos_transaction', changed);
    if cardinality(changed) <= 4 then
      perform set_config('aiaccount.captured', this || 'pos_transaction ' || changed::text, true);
    end if;
  end if;
  return null;
exception when others then
  if tg_argv[0] = 'strict' then
    raise;
  end if;
  perform set_config('aiaccount.captured', this || 'failed', true);  -- here: what was set above is rolled back
  raise warning 'AiAccount Sync could not capture a change of %: % (%)', tg_table_name, sqlerrm, sqlstate;
  begin
    perform aiaccount.raise_alert('capture_failed', format('%s of %s: %s (%s)', tg_op, tg_table_name, sqlerrm, sqlstate));
  exception when others then
    null;  -- the WARNING stands
  end;
  return null;
end
$body$;

-- On pos_transaction_items: the sale of each item, for an item moved the one it left as well.
create or replace function aiaccount.capture_pos_transaction_items() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
declare
  captured text := current_setting('aiaccount.captured', true);
  this     text := pg_current_xact_id_if_assigned() || ' ';
  known    bigint[];
  changed  bigint[];
begin
  if starts_with(captured, this || 'failed') then
    return null;
  end if;
  if starts_with(captured, this || 'pos_transaction ') then
    known := split_part(captured, ' ', 3);
    case tg_op
      when 'INSERT' then
        perform from new_rows where transaction_id <> all (known) limit 1;
      when 'DELETE' then
        perform from old_rows where transaction_id <> all (known) limit 1;
      else
        perform from old_rows where transaction_id <> all (known)
        union all
        select from new_rows where transaction_id <> all (known) limit 1;
    end case;
    if not found then
      return null;
    end if;
  end if;
  case tg_op
    when 'INSERT' then
      select array_agg(distinct transaction_id) into changed from new_rows;
    when 'DELETE' then
      select array_agg(distinct transaction_id) into changed from old_rows;
    else
      select array_agg(distinct touched) into changed
      from (select array_agg(transaction_id) as ids
            from (select id, transaction_id, o as image from old_rows as o
                  union all select id, transaction_id, n from new_rows as n) as images
            group by id having count(*) <> 2 or (array_agg(image))[1] *<> (array_agg(image))[2]) as rows_changed,
           unnest(ids) as touched;
  end case;
  if changed is not null then
    perform aiaccount.record_changes('pos_transaction', changed);
    if cardinality(changed) <= 4 then
      perform set_config('aiaccount.captured', this || 'pos_transaction ' || changed::text, true);
    end if;
  end if;
  return null;
exception when others then
  if tg_argv[0] = 'strict' then
    raise;
  end if;
  perform set_config('aiaccount.captured', this || 'failed', true);
  raise warning 'AiAccount Sync could not capture a change of %: % (%)', tg_table_name, sqlerrm, sqlstate;
  begin
    perform aiaccount.raise_alert('capture_failed', format('%s of %s: %s (%s)', tg_op, tg_table_name, sqlerrm, sqlstate));
  exception when others then
    null;
  end;
  return null;
end
$body$;

-- On kol_settlements: the settlement.
create or replace function aiaccount.capture_kol_settlements() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
declare
  captured text := current_setting('aiaccount.captured', true);
  this     text := pg_current_xact_id_if_assigned() || ' ';
  known    bigint[];
  changed  bigint[];
begin
  if starts_with(captured, this || 'failed') then
    return null;
  end if;
  if starts_with(captured, this || 'kol_settlement ') then
    known := split_part(captured, ' ', 3);
    case tg_op
      when 'INSERT' then
        perform from new_rows where id <> all (known) limit 1;
      when 'DELETE' then
        perform from old_rows where id <> all (known) limit 1;
      else
        perform from old_rows where id <> all (known)
        union all
        select from new_rows where id <> all (known) limit 1;
    end case;
    if not found then
      return null;
    end if;
  end if;
  case tg_op
    when 'INSERT' then
      select array_agg(distinct id) into changed from new_rows;
    when 'DELETE' then
      select array_agg(distinct id) into changed from old_rows;
    else
      select array_agg(id) into changed
      from (select id
            from (select id, o as image from old_rows as o union all select id, n from new_rows as n) as images
            group by id having count(*) <> 2 or (array_agg(image))[1] *<> (array_agg(image))[2]) as rows_changed;
  end case;
  if changed is not null then
    perform aiaccount.record_changes('kol_settlement', changed);
    if cardinality(changed) <= 4 then
      perform set_config('aiaccount.captured', this || 'kol_settlement ' || changed::text, true);
    end if;
  end if;
  return null;
exception when others then
  if tg_argv[0] = 'strict' then
    raise;
  end if;
  perform set_config('aiaccount.captured', this || 'failed', true);
  raise warning 'AiAccount Sync could not capture a change of %: % (%)', tg_table_name, sqlerrm, sqlstate;
  begin
    perform aiaccount.raise_alert('capture_failed', format('%s of %s: %s (%s)', tg_op, tg_table_name, sqlerrm, sqlstate));
  exception when others then
    null;
  end;
  return null;
end
$body$;

-- On TRUNCATE of any of the three: it names no rows, so a person and reconciliation must look.
create or replace function aiaccount.capture_truncate() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
begin
  perform aiaccount.raise_alert('truncate', format('%I.%I was truncated by %s', tg_table_schema, tg_table_name, session_user));
  return null;
exception when others then
  if tg_argv[0] = 'strict' then
    raise;
  end if;
  raise warning 'AiAccount Sync could not record that % was truncated: % (%)', tg_table_name, sqlerrm, sqlstate;
  return null;
end
$body$;

-- Nobody else writes to the outbox through these.
revoke all on function aiaccount.record_changes(text, bigint[]) from public;
revoke all on function aiaccount.raise_alert(text, text) from public;

-- name: pos_transactions
create or replace trigger aiaccount_insert after insert on pos_transactions
  referencing new table as new_rows
  for each statement execute function aiaccount.capture_pos_transactions(%(mode)s);
create or replace trigger aiaccount_update after update on pos_transactions
  referencing old table as old_rows new table as new_rows
  for each statement execute function aiaccount.capture_pos_transactions(%(mode)s);
create or replace trigger aiaccount_delete after delete on pos_transactions
  referencing old table as old_rows
  for each statement execute function aiaccount.capture_pos_transactions(%(mode)s);
create or replace trigger aiaccount_truncate after truncate on pos_transactions
  for each statement execute function aiaccount.capture_truncate(%(mode)s);

-- name: pos_transaction_items
create or replace trigger aiaccount_insert after insert on pos_transaction_items
  referencing new table as new_rows
  for each statement execute function aiaccount.capture_pos_transaction_items(%(mode)s);
create or replace trigger aiaccount_update after update on pos_transaction_items
  referencing old table as old_rows new table as new_rows
  for each statement execute function aiaccount.capture_pos_transaction_items(%(mode)s);
create or replace trigger aiaccount_delete after delete on pos_transaction_items
  referencing old table as old_rows
  for each statement execute function aiaccount.capture_pos_transaction_items(%(mode)s);
create or replace trigger aiaccount_truncate after truncate on pos_transaction_items
  for each statement execute function aiaccount.capture_truncate(%(mode)s);

-- name: kol_settlements
create or replace trigger aiaccount_insert after insert on kol_settlements
  referencing new table as new_rows
  for each statement execute function aiaccount.capture_kol_settlements(%(mode)s);
create or replace trigger aiaccount_update after update on kol_settlements
  referencing old table as old_rows new table as new_rows
  for each statement execute function aiaccount.capture_kol_settlements(%(mode)s);
create or replace trigger aiaccount_delete after delete on kol_settlements
  referencing old table as old_rows
  for each statement execute function aiaccount.capture_kol_settlements(%(mode)s);
create or replace trigger aiaccount_truncate after truncate on kol_settlements
  for each statement execute function aiaccount.capture_truncate(%(mode)s);
