"""A day without a fault is clean, and what waits is counted."""

from tests.integration.checker.world import World


def test_a_day_without_a_fault_is_clean(world: World) -> None:
    verdict = world.verdict()
    assert verdict.findings == ()
    assert verdict.clean
    assert (verdict.pending, verdict.held) == (0, 0)
