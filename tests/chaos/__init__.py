"""Kill, pause and spoil everything under load, by schedules that seeds decide; then heal, drain, check."""
