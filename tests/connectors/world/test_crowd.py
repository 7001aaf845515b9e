"""The crowd follows the distributions of the domain, within what chance allows."""

from __future__ import annotations

from collections import Counter
from functools import cache
from statistics import median
from typing import TYPE_CHECKING

import pytest

from connectors.world import crowd
from connectors.world.script import Sending, Step

if TYPE_CHECKING:
    from connectors.world.crowd import Path

PEOPLE = 1000
TOLERANCE = 0.05


@cache
def _drawn() -> list[tuple[list[Step], Path]]:
    made = (crowd.scripted(1, number) for number in range(PEOPLE))
    return [(script.steps, path) for script, path in made]


@pytest.mark.parametrize(
    ("what", "wanted"),
    [
        ("channel", {"pes": 0.45, "welfare_centre": 0.35, "local_partner": 0.20}),
        ("fate", {"declined": 0.25, "expired": 0.08, "placed": 0.67}),
        (
            "exit",
            {
                "regular_job": 0.22,
                "social_economy_collective": 0.12,
                "vocational_training": 0.15,
                "dropped_out": 0.20,
            },
        ),
        ("suspended", {True: 0.15}),
    ],
)
def test_shares(what: str, wanted: dict[object, float]) -> None:
    """Channels, answers, exits and interruptions have the shares of the domain."""
    counts = Counter(getattr(path, what) for _, path in _drawn())

    for value, share in wanted.items():
        assert abs(counts[value] / PEOPLE - share) < TOLERANCE, value


def test_days_to_the_start() -> None:
    """Half of those who start have done so within eighteen days or so."""
    waited = []
    for steps, path in _drawn():
        if path.fate == "placed":
            sent = [one for one in steps if isinstance(one, Sending)]
            start = next(one for one in sent if one.name == "placement.started")
            waited.append((start.at - sent[0].at).days)

    assert abs(median(waited) - crowd.START_MEDIAN_DAYS) <= 2


def test_events_a_person() -> None:
    """About twenty events a person, so that five thousand people are a hundred thousand."""
    events = sum(len(steps) for steps, _ in _drawn())

    assert 18 <= events / PEOPLE <= 22


def test_steps_follow_one_another() -> None:
    """Nobody's steps go back in time, and all come after the referral."""
    for steps, _ in _drawn()[:200]:
        times = [one.at for one in steps]
        assert times == sorted(times)
        assert len(set(times)) == len(times)
