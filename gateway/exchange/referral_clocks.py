"""The clocks of referrals: nobody falls out (`domain.md` §3.4).

A referral without an answer: a reminder at half time, a task at full time, and only when the task
has had its days `referral.expired`.
An accepted one without a start: reminders, and in the end `referral.closed`.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from consumers.clock import date_of
from gateway.exchange import responsible
from gateway.exchange.business_days import days_after, start_of
from gateway.exchange.clock import Clock, fixed_id, key_of, next_by_days, on_day

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.exchange.clock import Ground
    from gateway.exchange.state import Referral, Sent, Trajectory
    from schemas.rule_set import RuleSet

UNANSWERED = frozenset({"pending_endorsement", "open", "sent", "acknowledged", "waiting_info"})
HALF, FULL, EXPIRES = "referral_half_time", "unanswered_referral", "referral_expires"
NO_START, NO_START_CLOSES = "no_start", "no_start_closes"
REASONS = {"pending_endorsement": "no_endorsement", "open": "no_claim"}


def clocks(case: Trajectory, ground: Ground) -> Iterator[Clock]:
    """The clocks of every referral of a case."""
    for referral in case.referrals.values():
        if referral.state in UNANSWERED:
            yield from _unanswered(case, referral, ground)
        elif referral.state == "accepted":
            yield from _without_start(case, referral, ground)


def _unanswered(case: Trajectory, referral: Referral, ground: Ground) -> Iterator[Clock]:
    rules = ground.rules(referral.programme)
    acts_for = responsible.for_referral(case, referral)
    if rules.answer_days is None or acts_for is None:
        return
    half, full = _half_and_full(referral, rules.answer_days, rules.answer_reminder_days)
    data: dict[str, Any] = {"what": HALF, "due": full.isoformat(), "concerns": referral.id}
    due_at = start_of(half)
    yield Clock(HALF, referral.id, due_at, "trajectory.reminder_due", data, acts_for)
    if _sent(case, HALF, referral, due_at) is None:
        return
    yield from _escalated(case, referral, rules, full, ground)


def _half_and_full(referral: Referral, answer: int, reminder: int | None) -> tuple[date, date]:
    """When half of the time has passed, and all of it; sooner if the referrer set an end."""
    since = date_of(referral.since)
    full = days_after(since, answer)
    expires = on_day(referral.expires_on)
    if expires is not None and expires < full:
        full = max(since, expires)
        reminder = None
    half = days_after(since, (full - since).days // 2 if reminder is None else reminder)
    return min(half, full), full


def _escalated(
    case: Trajectory, referral: Referral, rules: RuleSet, full: date, ground: Ground
) -> Iterator[Clock]:
    """The task at full time; then, the days counted from when it was really sent, the end."""
    addressee = responsible.for_case(case) or ground.competent("O", case.territory_nis)
    days = rules.escalation_days
    if addressee is None or days is None:
        return
    due_at = start_of(full)
    data = {
        "task_id": fixed_id(FULL, referral.id, due_at),
        "what": FULL,
        "addressee": ground.organisation(addressee),
        "due": days_after(max(full, ground.today), days).isoformat(),
        "concerns": referral.id,
    }
    yield Clock(FULL, referral.id, due_at, "trajectory.task_raised", data, addressee)
    sent = _sent(case, FULL, referral, due_at)
    if sent is not None:
        yield _expires(referral, start_of(days_after(date_of(sent.at), days)), full)


def _expires(referral: Referral, due_at: int, full: date) -> Clock:
    reason = REASONS.get(referral.state, "no_answer")
    if referral.expires_on is not None and referral.expires_on <= full.isoformat():
        reason = "expiry_date_passed"
    return Clock(
        EXPIRES,
        referral.id,
        due_at,
        "referral.expired",
        {"reason": reason},
        referral.referrer,
        subject=referral.id,
    )


def _sent(case: Trajectory, kind: str, referral: Referral, due_at: int) -> Sent | None:
    """The sending of a clock, when it was for this wait and not for an earlier one."""
    sent = case.reminded.get(key_of(kind, referral.id))
    return None if sent is None or sent.due < due_at else sent


def _without_start(case: Trajectory, referral: Referral, ground: Ground) -> Iterator[Clock]:
    """Counted from the acceptance, or from the day on which a placement is planned to start."""
    rules = ground.rules(referral.programme)
    acts_for = responsible.for_referral(case, referral)
    if acts_for is None:
        return
    since = max(date_of(referral.since), *_planned_starts(case, referral), date.min)
    closes = None
    if rules.no_start_close_days is not None:
        closes = days_after(since, rules.no_start_close_days)
        data: dict[str, Any] = {"result": "not_placed", "reason": "no_start"}
        yield Clock(
            NO_START_CLOSES,
            referral.id,
            start_of(closes),
            "referral.closed",
            data,
            referral.handler or acts_for,
            subject=referral.id,
        )
    if rules.no_start_reminder_days is not None:
        base = days_after(since, rules.no_start_reminder_days)
        sent = case.reminded.get(key_of(NO_START, referral.id))
        due = next_by_days(base, rules.no_start_reminder_days, sent)
        if closes is None or due < closes:
            data = {"what": NO_START, "due": due.isoformat(), "concerns": referral.id}
            yield Clock(
                NO_START, referral.id, start_of(due), "trajectory.reminder_due", data, acts_for
            )


def _planned_starts(case: Trajectory, referral: Referral) -> list[date]:
    return [
        start
        for one in case.placements.values()
        if one.state == "planned" and one.referral_id == referral.id
        if (start := on_day(one.start_date)) is not None
    ]
