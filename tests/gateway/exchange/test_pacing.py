"""Gathering: nothing waits alone, and nobody waits long."""

from __future__ import annotations

from gateway.exchange.pacing import LONGEST_SECONDS, gathering_seconds


def test_what_comes_alone_or_in_twos_never_waits() -> None:
    """No work, one event and two events leave no pause."""
    assert [gathering_seconds(n) for n in (0, 1, 2)] == [0.0, 0.0, 0.0]


def test_the_pause_grows_with_the_batch_up_to_its_bound() -> None:
    """More events, a longer pause, never over the bound."""
    pauses = [gathering_seconds(n) for n in range(2, 500)]

    assert pauses == sorted(pauses)
    assert 0 < gathering_seconds(3) < LONGEST_SECONDS
    assert gathering_seconds(499) == LONGEST_SECONDS
