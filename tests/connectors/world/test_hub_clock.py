"""Moving a test installation's clock."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from connectors.errors import HubUnavailable
from connectors.world.hub_clock import HubClock

MONDAY = datetime(2026, 1, 5, 9, tzinfo=UTC)


class Management:
    """A management port with a clock, which leaves some work undone when it is told to."""

    def __init__(self, now: datetime, undone: int = 0) -> None:
        self.now = now
        self.undone = undone
        self.moves: list[timedelta] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """One `POST /clock`."""
        body = json.loads(request.content)
        by = timedelta(seconds=body["seconds"])
        self.now += by
        if by:
            self.moves.append(by)
        answer: dict[str, object] = {"now": self.now.isoformat().replace("+00:00", "Z")}
        if body.get("settle"):
            answer["left"] = self.undone
            self.undone = max(0, self.undone - 1)
        return httpx.Response(200, json=answer)


def _clock(management: Management) -> HubClock:
    return HubClock("http://hub", transport=httpx.MockTransport(management))


def test_days_pass_one_at_a_time() -> None:
    """The hub works off each day before the next one begins."""
    management = Management(MONDAY)
    _clock(management).move_to(MONDAY + timedelta(days=3, hours=5))

    assert management.now == MONDAY + timedelta(days=3, hours=5)
    assert max(management.moves) == timedelta(days=1)
    assert len(management.moves) == 4


def test_the_play_may_begin_in_the_past() -> None:
    """A fresh hub has today's time, and the world begins on its own first day."""
    management = Management(MONDAY + timedelta(days=300))
    _clock(management).begin_at(MONDAY)

    assert management.now == MONDAY


def test_what_is_due_is_waited_for() -> None:
    """It asks again until nothing is left."""
    management = Management(MONDAY, undone=3)
    _clock(management).move_to(MONDAY + timedelta(hours=1))

    assert management.undone == 0


def test_an_address_without_a_clock_is_said() -> None:
    """A production hub, or the gateway's own address, has none."""
    clock = HubClock("http://hub", transport=httpx.MockTransport(lambda _: httpx.Response(404)))

    with pytest.raises(HubUnavailable) as refused:
        clock.now()

    assert "--management" in refused.value.detail.en
