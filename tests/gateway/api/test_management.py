"""The management port of a test installation moves the clock, and waits until all is done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from consumers.clock import FixedClock
from gateway.api.management import create_management
from tests.hub_front import served

if TYPE_CHECKING:
    from fastapi import FastAPI

NOW = 1_780_000_000_000_000


@dataclass
class Settler:
    """Leaves three things undone, and keeps until when it was asked to settle."""

    asked: list[int] = field(default_factory=list)

    def settle(self, at: int) -> int:
        """Give up at once."""
        self.asked.append(at)
        return 3


class MovedClock(FixedClock):
    """Moves as the row clock does."""

    def __init__(self) -> None:
        super().__init__(NOW)

    def move(self, seconds: float) -> None:
        """Move at once."""
        self.advance(seconds)


def post(app: FastAPI, **body: object) -> httpx.Response:
    """Move the clock of a running application."""
    with served(app) as address:
        return httpx.post(f"{address}/clock", json=body)


def test_the_clock_is_moved_without_waiting() -> None:
    """The answer is the new time."""
    settler = Settler()
    app = create_management((), dict, clock=MovedClock(), settle=settler.settle)
    answer = post(app, seconds=60)

    assert answer.json() == {"now": "2026-05-28T20:27:40Z"}
    assert settler.asked == []


def test_the_clock_is_moved_and_what_is_due_is_waited_for() -> None:
    """With `settle` the answer says how much is left."""
    settler = Settler()
    app = create_management((), dict, clock=MovedClock(), settle=settler.settle)
    answer = post(app, seconds=60, settle=True)

    assert answer.json() == {"now": "2026-05-28T20:27:40Z", "left": 3}
    assert settler.asked == [NOW + 60_000_000]


def test_production_has_no_clock_to_move() -> None:
    """Without a movable clock there is no such call."""
    answer = post(create_management((), dict), seconds=60)

    assert answer.status_code == 404
