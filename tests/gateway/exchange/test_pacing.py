"""Gathering: nothing waits alone, and nobody waits long."""

from __future__ import annotations

from gateway.exchange.pacing import LONGEST_SECONDS, gathering_seconds


def test_one_or_two_rest_no_longer_than_they_took() -> None:
    """No work leaves no pause; one event and two events leave one of their own length."""
    assert gathering_seconds(0, 1.0) == 0.0
    assert [gathering_seconds(n, 0.003) for n in (1, 2)] == [0.003, 0.003]


def test_the_pause_grows_with_the_batch_up_to_its_bound() -> None:
    """More events, a longer pause, never over the bound."""
    pauses = [gathering_seconds(n, 0.0) for n in range(2, 500)]

    assert pauses == sorted(pauses)
    assert 0 < gathering_seconds(3, 0.0) < LONGEST_SECONDS
    assert gathering_seconds(499, 0.0) == LONGEST_SECONDS


def test_a_slow_batch_leaves_the_machine_to_others_for_as_long() -> None:
    """Whatever was in it, up to the same bound."""
    assert gathering_seconds(5, 0.02) == 0.02
    assert gathering_seconds(1, 3.0) == LONGEST_SECONDS
