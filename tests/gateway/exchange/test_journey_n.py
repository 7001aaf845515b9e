"""Journey N: a silent target is reminded, escalated and expired, and somebody goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consumers.clock import datetime_of
from tests.gateway.exchange.exchange_world import (
    OCMW,
    ORGANISER,
    REFERRAL,
    World,
    exchange,
)
from tests.store_fixtures import stores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consumers.database import Stores

__all__ = ["stores"]


@pytest.fixture
def world(stores: Stores, tmp_path: Path) -> Iterator[World]:
    """A running exchange of the demonstration."""
    with exchange(stores, tmp_path) as made:
        yield made


def live(world: World, days: int) -> None:
    """Let days pass, and deliver what each one brings."""
    for _ in range(days):
        world.pass_time(1)
        world.deliver()


def hub_events(world: World, trajectory_id: str) -> list[tuple[str, str]]:
    """The hub's events of a case from the second day on, with their dates."""
    return [
        (datetime_of(row.recorded_at).date().isoformat(), row.event_name)
        for row in world.rows(trajectory_id)
        if row.participant == "hub" and row.event_name != "trajectory.opened"
    ]


def test_a_silent_target_is_reminded_escalated_and_expired(world: World) -> None:
    """Refer on 28 May; nobody answers; the OCMW has the task, and a new referral ends it."""
    sent = world.send("referral.created", OCMW, REFERRAL)
    assert sent.receipt is not None
    case, referral = str(sent.receipt.trajectory_id), sent.receipt.aggregate_id
    world.deliver()

    live(world, 40)
    assert hub_events(world, case) == [
        ("2026-06-04", "trajectory.reminder_due"),
        ("2026-06-11", "trajectory.task_raised"),
        ("2026-06-25", "referral.expired"),
        ("2026-06-25", "trajectory.task_raised"),
        ("2026-06-25", "trajectory.task_answered"),
    ]
    assert world.names(ORGANISER)[-2:] == ["trajectory.reminder_due", "referral.expired"]
    assert world.names(OCMW).count("trajectory.task_raised") == 2

    again = {**REFERRAL, "predecessor_referral_id": referral}
    outcome = world.send("referral.created", OCMW, again, trajectory_id=case)
    assert [one.event.name for one in outcome.follow] == ["trajectory.task_answered"]


def test_a_target_that_answers_in_time_is_left_alone(world: World) -> None:
    """Accepted on the sixth day: no reminder of the wait, and none of the start for a month."""
    sent = world.send("referral.created", OCMW, REFERRAL)
    assert sent.receipt is not None
    live(world, 6)
    world.send(
        "referral.accepted",
        ORGANISER,
        {},
        trajectory_id=sent.receipt.trajectory_id,
        subject=sent.receipt.aggregate_id,
    )
    live(world, 29)

    assert hub_events(world, str(sent.receipt.trajectory_id)) == []
    live(world, 1)
    assert [name for _, name in hub_events(world, str(sent.receipt.trajectory_id))] == [
        "trajectory.reminder_due"
    ]
