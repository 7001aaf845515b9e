"""One clock of the hub: when it is due, and the event that the hub then sends."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from msgspec import Struct

from consumers.clock import date_of
from gateway.exchange.business_days import months_after, start_of

if TYPE_CHECKING:
    from gateway.exchange.registry import Registry
    from gateway.exchange.state import Sent
    from schemas.rule_set import RuleSet

UNDETERMINED = "to_be_determined"
"""Programme whose rules hold for a case that has none, or several."""


class Clock(Struct, frozen=True, gc=False):
    """Something that the hub sends at a time, unless the state changes before.

    Attributes:
        kind: what it is for; with `aggregate_id` it names the clock.
        aggregate_id: what it is about: a referral, placement, outcome, right, task, trajectory
            or offer.
        due_at: microseconds since the epoch; a clock that was sent runs again only for later.
        event: name of the event.
        data: of the event; a function of the clock alone, so that two gateways send the same.
        acts_for: participant under whose grants the event is disclosed; it gets it in any case.
        subject: aggregate of the event; the trajectory or offer itself when None.
        base: when it was due first, for a clock that comes again; else `due_at`.
    """

    kind: str
    aggregate_id: str
    due_at: int
    event: str
    data: dict[str, Any]
    acts_for: str
    subject: str | None = None
    base: int | None = None

    @property
    def key(self) -> str:
        """What the state remembers it under."""
        return key_of(self.kind, self.aggregate_id)

    @property
    def id(self) -> str:
        """Sender event id: the same at every gateway and after every restart."""
        return f"clock:{self.kind}:{self.aggregate_id}:{self.due_at}"


class Ground(Struct, frozen=True, gc=False):
    """What clocks stand on beside the state: the rules and the participants of a day."""

    registry: Registry
    today: date

    def rules(self, programme: str) -> RuleSet:
        """The rules of a programme on this day."""
        return self.registry.rules.rule_set(programme, self.today)

    def competent(self, role: str, nis: str) -> str | None:
        """The OCMW or VDAB of a municipality, if one takes part."""
        found = self.registry.competent(role, nis, self.today)
        return None if found is None else found.id

    def organisation(self, participant: str) -> str:
        """The URN of a participant's organisation; empty when nobody has this id."""
        found = self.registry.participant(participant)
        return "" if found is None else found.organisation


def key_of(kind: str, aggregate_id: str) -> str:
    """What the state remembers a clock under."""
    return f"{kind}/{aggregate_id}"


def fixed_id(kind: str, aggregate_id: str, due_at: int) -> str:
    """A UUID that follows from a clock, for what its event begins."""
    return str(uuid5(NAMESPACE_URL, f"urn:schakel:clock:{kind}:{aggregate_id}:{due_at}"))


def on_day(text: str | None) -> date | None:
    """The date of a plain-JSON field."""
    return None if text is None else date.fromisoformat(text)


def next_by_days(base: date, days: int, sent: Sent | None) -> date:
    """`base`, or the first so many days later that lies after what was sent."""
    if sent is None or sent.due < start_of(base):
        return base
    times = (date_of(sent.due) - base).days // days + 1
    return date.fromordinal(base.toordinal() + times * days)


def next_by_months(start: date, months: int, sent: Sent | None) -> date:
    """The first date a multiple of months after `start` that lies after what was sent."""
    times = 1
    while sent is not None and start_of(months_after(start, times * months)) <= sent.due:
        times += 1
    return months_after(start, times * months)
