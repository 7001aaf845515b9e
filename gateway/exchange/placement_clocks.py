"""The clocks of placements: start, end, contact, news, evaluation (`domain.md` §3.4, R5)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from consumers.clock import date_of
from gateway.exchange.business_days import days_after, months_after
from gateway.exchange.clock import key_of, next_by_days, next_by_months, on_day
from gateway.exchange.follow_ups import follow_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.exchange.clock import Clock, Ground
    from gateway.exchange.state import Placement, Trajectory
    from schemas.rule_set import RuleSet

DAYS_PER_WEEK = 7


def clocks(case: Trajectory, ground: Ground) -> Iterator[Clock]:
    """The clocks of every placement of a case."""
    for placement in case.placements.values():
        rules = ground.rules(placement.programme)
        if placement.state == "planned":
            yield from _start_overdue(case, placement, rules)
        elif placement.state == "ended":
            yield from _outcome_missing(case, placement, rules)
        elif placement.state in ("active", "suspended"):
            yield from _confirmation(placement, rules)
            yield from _planned_end(placement, rules)
            guided = _guidance if placement.state == "active" else _suspension
            yield from guided(case, placement, rules)


def _start_overdue(case: Trajectory, placement: Placement, rules: RuleSet) -> Iterator[Clock]:
    start = on_day(placement.start_date)
    if start is None or rules.start_overdue_days is None:
        return
    first = days_after(start, rules.start_overdue_days)
    yield _again(
        case, placement, "start_overdue", due=start, first=first, weeks=rules.contact_rhythm_weeks
    )


def _confirmation(placement: Placement, rules: RuleSet) -> Iterator[Clock]:
    """A household confirms nothing; an organisation that is a work floor does."""
    start = on_day(placement.start_date)
    if start is None or placement.confirmed or not placement.hosted:
        return
    if rules.start_confirmation_days is not None:
        told = days_after(start, rules.start_confirmation_days)
        yield follow_up(
            "start_unconfirmed",
            placement.id,
            due=start,
            told=told,
            acts_for=placement.organiser,
        )


def _planned_end(placement: Placement, rules: RuleSet) -> Iterator[Clock]:
    end = on_day(placement.planned_end)
    if end is None:
        return
    start = on_day(placement.start_date) or date.min
    before, after = rules.end_warning_days, rules.end_overdue_days
    told = {
        "planned_end_near": None if before is None else max(start, days_after(end, -before)),
        "planned_end_passed": None if after is None else days_after(end, after),
    }
    for what, day in told.items():
        if day is not None:
            yield follow_up(what, placement.id, due=end, told=day, acts_for=placement.organiser)


def _suspension(case: Trajectory, placement: Placement, rules: RuleSet) -> Iterator[Clock]:
    """The expected day has passed; without one it is asked about after some weeks, and again."""
    weeks = rules.counsellor_silence_weeks
    until = on_day(placement.expected_until)
    if until is None and weeks is not None:
        until = date_of(placement.since) + timedelta(weeks=weeks)
    if until is not None:
        first = days_after(until, 1)
        yield _again(case, placement, "suspension_expired", due=until, first=first, weeks=weeks)


def _guidance(case: Trajectory, placement: Placement, rules: RuleSet) -> Iterator[Clock]:
    begun = max(on_day(placement.start_date) or date.min, date_of(placement.since))
    if rules.contact_rhythm_weeks is not None:
        since = max(begun, on_day(case.last_contact_on) or date.min)
        first = since + timedelta(weeks=rules.contact_rhythm_weeks)
        weeks = rules.contact_rhythm_weeks
        yield _again(case, placement, "contact_overdue", due=first, first=first, weeks=weeks)
    if rules.counsellor_silence_weeks is not None and case.holder is not None:
        weeks = rules.counsellor_silence_weeks
        first = max(begun, date_of(case.holder_told_at)) + timedelta(weeks=weeks)
        yield _again(case, placement, "counsellor_silent", due=first, first=first, weeks=weeks)
    if rules.evaluation_months is not None:
        yield _evaluation(case, placement, rules.evaluation_months)


def _evaluation(case: Trajectory, placement: Placement, months: int) -> Clock:
    """Counted from the start or the last evaluation; a suspension does not push it away."""
    begun = on_day(placement.start_date) or date_of(placement.since)
    since = max(begun, on_day(case.last_evaluation_on) or date.min)
    due = next_by_months(since, months, case.reminded.get(key_of("evaluation_due", placement.id)))
    return follow_up(
        "evaluation_due",
        placement.id,
        due=due,
        told=due,
        acts_for=placement.organiser,
        first=months_after(since, months),
    )


def _outcome_missing(case: Trajectory, placement: Placement, rules: RuleSet) -> Iterator[Clock]:
    end = on_day(placement.ended_on)
    has_outcome = any(
        one.state != "voided" and one.placement_id in (placement.id, None)
        for one in case.outcomes.values()
    )
    if end is not None and not has_outcome and rules.outcome_missing_days is not None:
        told = days_after(end, rules.outcome_missing_days)
        yield follow_up(
            "outcome_missing", placement.id, due=end, told=told, acts_for=placement.organiser
        )


def _again(
    case: Trajectory, placement: Placement, what: str, *, due: date, first: date, weeks: int | None
) -> Clock:
    """A follow-up that is repeated every so many weeks until it is done."""
    sent = case.reminded.get(key_of(what, placement.id))
    told = first if weeks is None else next_by_days(first, weeks * DAYS_PER_WEEK, sent)
    return follow_up(
        what, placement.id, due=due, told=told, acts_for=placement.organiser, first=first
    )
