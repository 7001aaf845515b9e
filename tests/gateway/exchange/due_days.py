"""Clocks as a calendar: which day each one is due, and what a case looks like for that."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from consumers.clock import date_of
from gateway.exchange.business_days import start_of
from gateway.exchange.clock import Ground
from gateway.exchange.clocks import clocks, first_due
from gateway.exchange.state import Sent
from schemas.catalogue import catalogue
from schemas.codec import parse
from tests.gateway.exchange import cast

if TYPE_CHECKING:
    from gateway.exchange.clock import Clock
    from gateway.exchange.offer_state import Offer
    from gateway.exchange.state import Trajectory

NOON_US = 12 * 3_600_000_000


def day(text: str) -> date:
    """A date."""
    return date.fromisoformat(text)


def noon(text: str) -> int:
    """The middle of a day, in microseconds."""
    return start_of(day(text)) + NOON_US


def ground(text: str) -> Ground:
    """The cast's registry and the rules of a day."""
    return Ground(cast.registry(), day(text))


def days(state: Trajectory | Offer, today: str = "2026-05-28") -> dict[str, str]:
    """Each running clock's kind and the day it is due."""
    found = clocks(state, ground(today))
    for one in found:
        assert start_of(date_of(one.due_at)) == one.due_at, "due in the middle of a day"
    return {one.kind: date_of(one.due_at).isoformat() for one in found}


def the(state: Trajectory | Offer, kind: str, today: str = "2026-05-28") -> Clock:
    """The one running clock of a kind; what it will say is valid by the event's schema."""
    (found,) = [one for one in clocks(state, ground(today)) if one.kind == kind]
    parse(catalogue().event(found.event), found.data, environment="test")
    return found


def is_due(state: Trajectory | Offer, kind: str, at: int) -> bool:
    """Whether a clock of this kind is the next to be sent at a time."""
    found = first_due(state, Ground(cast.registry(), date_of(at)), at)
    return found is not None and found.kind == kind


def sent(due: str, on: str | None = None) -> Sent:
    """A clock that was sent when it was due, or later."""
    return Sent(start_of(day(due)), noon(on or due), due)
