-- How far reconciliation has come, so that a restart goes on and what was asked for is not forgotten.

-- The look at everything, by ranges of ids, first one kind of aggregate, then the other.
create table aiaccount.reconciliation (
  singleton       boolean      primary key default true check (singleton),
  aggregate_type  text         not null default 'pos_transaction' check (aggregate_type in ('pos_transaction', 'kol_settlement')),
  after_id        bigint,                          -- compared up to here; null: from the first
  alert_id        bigint       not null default 0, -- the newest alert that this look came after
  urgent          boolean      not null default false,  -- asked for by that alert: nothing is taken to be on its way
  under_way       boolean      not null default false,
  began_at        timestamptz  not null default 'epoch',  -- the last one
  urgent_at       timestamptz  not null default 'epoch',  -- the last one that an alert asked for
  finished_at     timestamptz                      -- the last one that came to its end
);
insert into aiaccount.reconciliation default values;

-- Which id was the greatest at what time: what came after it is recent, whatever columns a schema has.
create table aiaccount.reconciliation_marks (
  aggregate_type  text         not null check (aggregate_type in ('pos_transaction', 'kol_settlement')),
  marked_at       timestamptz  not null default clock_timestamp(),
  greatest_id     bigint       not null,
  primary key (aggregate_type, marked_at)
);
