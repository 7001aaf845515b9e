"""The clocks of outcomes: confirmation, and how it goes on after 3, 6 and 12 months."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from consumers.clock import date_of
from gateway.exchange import responsible
from gateway.exchange.business_days import days_after, months_after
from gateway.exchange.clock import UNDETERMINED, key_of, next_by_days, on_day
from gateway.exchange.follow_ups import follow_up
from schemas.catalogue import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.exchange.clock import Clock, Ground
    from gateway.exchange.state import Outcome, Trajectory

WITHOUT_SEQUEL = frozenset(
    {"returned_to_counsellor", "dropped_out", "retired", "moved", "deceased", "unknown"}
)
"""Types of outcome in which nobody can still be after some months."""


@cache
def follow_up_months() -> tuple[int, ...]:
    """The months that `outcome.follow_up_recorded` may speak of: 3, 6 and 12."""
    fields = catalogue().event("outcome.follow_up_recorded").schema["fields"]
    (months,) = (one["one_of"] for one in fields if one["name"] == "month")
    return tuple(months)


def clocks(case: Trajectory, ground: Ground) -> Iterator[Clock]:
    """The clocks of every outcome of a case."""
    acts_for = responsible.for_case(case)
    if acts_for is None:
        return
    for outcome in case.outcomes.values():
        if outcome.state in ("provisional", "disputed"):
            yield from _unconfirmed(case, outcome, acts_for, ground)
        elif outcome.state == "confirmed" and outcome.lasts:
            yield from _sequels(outcome, acts_for)


def _unconfirmed(
    case: Trajectory, outcome: Outcome, acts_for: str, ground: Ground
) -> Iterator[Clock]:
    placement = case.placements.get(outcome.placement_id or "")
    rules = ground.rules(UNDETERMINED if placement is None else placement.programme)
    days = rules.outcome_provisional_days
    if days is None:
        return
    first = days_after(date_of(outcome.since), days)
    due = next_by_days(first, days, case.reminded.get(key_of("outcome_unconfirmed", outcome.id)))
    yield follow_up(
        "outcome_unconfirmed", outcome.id, due=first, told=due, acts_for=acts_for, first=first
    )


def _sequels(outcome: Outcome, acts_for: str) -> Iterator[Clock]:
    """Twelve months count: sustained work decides on the OCMW's premium."""
    begun = on_day(outcome.on)
    if begun is None:
        return
    for months in follow_up_months():
        if months not in outcome.followed_up:
            due = months_after(begun, months)
            yield follow_up(
                f"after_care_due.{months}", outcome.id, due=due, told=due, acts_for=acts_for
            )
