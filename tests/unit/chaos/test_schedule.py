"""A schedule is decided by its seed alone."""

from collections import Counter
from itertools import pairwise

from tests.chaos.schedule import A_ROUND, Kill, Pause, Spoil, Stray, Target, length_of, schedule

SEEDS = range(200)


def test_the_same_seed_gives_the_same_schedule_and_another_another() -> None:
    assert schedule(7) == schedule(7)
    assert len({schedule(seed) for seed in SEEDS}) == len(SEEDS)


def test_every_schedule_has_its_kills_each_server_once_and_three_rounds_have_a_hundred() -> None:
    for seed in SEEDS:
        kills = Counter(event.target for event in schedule(seed) if isinstance(event, Kill))
        assert kills.total() == A_ROUND
        assert (kills[Target.KAFKA], kills[Target.POSTGRES]) == (1, 1)
    assert A_ROUND * 3 >= 100


def test_events_stand_in_order_of_time_and_end_in_time() -> None:
    for seed in SEEDS:
        times = [event.at for event in schedule(seed)]
        assert times == sorted(times)
        assert 0 <= times[0] <= times[-1] <= length_of(A_ROUND)


def test_no_process_of_ours_is_killed_twice_in_a_row() -> None:
    for seed in SEEDS:
        kills = [event.target for event in schedule(seed) if isinstance(event, Kill)]
        ours = [target for target in kills if target not in (Target.KAFKA, Target.POSTGRES)]
        assert all(one != next_one for one, next_one in pairwise(ours))


def test_schedules_pause_our_processes_spoil_every_link_and_let_aiaccount_stray_in_every_way() -> None:
    events = [event for seed in SEEDS for event in schedule(seed)]
    assert {event.target for event in events if isinstance(event, Pause)} == set(Target) - {
        Target.KAFKA,
        Target.POSTGRES,
    }
    spoilt = {
        (event.side, type(event.toxic), event.direction) for event in events if isinstance(event, Spoil)
    }
    assert len(spoilt) == 3 * 8 * 3
    assert len({(event.behaviour, event.given) for event in events if isinstance(event, Stray)}) == 17


def test_a_short_schedule_leaves_the_servers_alone() -> None:
    kills = {event.target for event in schedule(1, kills=5) if isinstance(event, Kill)}
    assert not kills & {Target.KAFKA, Target.POSTGRES}
