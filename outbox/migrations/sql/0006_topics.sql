-- The topics that the cursor's rows were sent to, each with the id that Kafka gave it: one that was made anew bears
-- another id and has lost what the old one held, so that the cursor no longer says what Kafka has.
alter table aiaccount.relay_cursor
  add column topics jsonb not null default '{}' check (jsonb_typeof(topics) = 'object');
