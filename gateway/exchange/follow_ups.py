"""A follow-up of a placement or outcome: what somebody should have done by a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.exchange.business_days import start_of
from gateway.exchange.clock import Clock

if TYPE_CHECKING:
    from datetime import date

EVENT = "guidance.follow_up_due"


def follow_up(
    what: str, concerns: str, *, due: date, told: date, acts_for: str, first: date | None = None
) -> Clock:
    """The clock of one follow-up.

    Args:
        what: code of `follow_up_what`, or that code, a dot and what tells several apart.
        concerns: the placement or outcome.
        due: the day on which it should have been done.
        told: the day on which the hub says so.
        acts_for: who has to do it.
        first: the first such day, for what comes again until it is done.
    """
    return Clock(
        kind=what,
        aggregate_id=concerns,
        due_at=start_of(told),
        event=EVENT,
        data={
            "what": what.partition(".")[0],
            "due": due.isoformat(),
            "overdue_days": max(0, (told - due).days),
            "concerns": concerns,
        },
        acts_for=acts_for,
        base=None if first is None else start_of(first),
    )
