"""The clocks of the case itself: who holds it, its tasks, and its end (`domain.md` §3.4)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from consumers.clock import date_of
from gateway.exchange import objection_tasks, responsible
from gateway.exchange.business_days import days_after, months_after, start_of, working_days_after
from gateway.exchange.clock import UNDETERMINED, Clock, fixed_id, key_of, next_by_days
from schemas.lifecycle import lifecycles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.exchange.clock import Ground
    from gateway.exchange.state import Trajectory

HOLDER_MISSING, ASSIGN = "case_holder_missing", "assign_case_holder"
HANDOVER_HALF, HANDOVER_ENDS = "handover_unanswered", "handover_expires"
TASK_OVERDUE = "task_overdue"
OTHER_CLOCKS = frozenset({"unanswered_referral", ASSIGN, objection_tasks.DECIDE})
"""Tasks that have a clock of their own."""
INACTIVE, CLOSES = "trajectory_inactive", "trajectory_closes"
OTHER = {"O": "V", "V": "O"}
VIEWING_ENDS, VIEWING_ENDED = "viewing_ends", "trajectory.viewing_right_ended"
REMINDER = "trajectory.reminder_due"


def clocks(case: Trajectory, ground: Ground) -> Iterator[Clock]:
    """The clocks of a case; a closed one has those of viewing rights and objections alone."""
    yield from _viewing(case)
    yield from objection_tasks.clocks(case)
    if not lifecycles()["trajectory"].is_active(case.state):
        return
    yield from _tasks(case, ground)
    if case.state == "handing_over":
        yield from _handover(case, ground)
    elif case.state == "unassigned":
        yield from _unassigned(case, ground)
    if case.state != "handing_over" and not _has_open_parts(case):
        yield from _idle(case, ground)


def _viewing(case: Trajectory) -> Iterator[Clock]:
    """A viewing right ends by itself after its last day, also when the case is over."""
    for viewer, said in case.viewing.items():
        if viewer not in case.viewers:
            continue  # it had its data erased, and its right went with them
        data = {"participant": viewer, "ground": said.ground, "until": said.until}
        ends = start_of(days_after(date.fromisoformat(said.until), 1))
        acts_for = responsible.for_case(case) or viewer
        yield Clock(VIEWING_ENDS, f"{case.id}.{viewer}", ends, VIEWING_ENDED, data, acts_for)


def _unassigned(case: Trajectory, ground: Ground) -> Iterator[Clock]:
    """At the due date it is the other's turn: OCMW after VDAB, VDAB after OCMW, and so on."""
    rules = ground.rules(UNDETERMINED)
    days = rules.unassigned_escalation_working_days
    first = rules.unassigned_working_days
    if days is None or first is None:
        return
    role = case.members.get(case.proposed_holder or "", "O")
    nis = case.territory_nis
    turns = (ground.competent(one, nis) for one in (OTHER.get(role, "O"), role))
    other = next((one for one in turns if one is not None and one not in case.erased), None)
    if other is None:
        return
    since = working_days_after(date_of(case.since), first)
    due = since if case.holder_due is None else date.fromisoformat(case.holder_due)
    due_at = start_of(due)
    data = {
        "task_id": fixed_id(HOLDER_MISSING, case.id, due_at),
        "what": ASSIGN,
        "addressee": ground.organisation(other),
        "due": working_days_after(max(due, ground.today), days).isoformat(),
    }
    yield Clock(HOLDER_MISSING, case.id, due_at, "trajectory.task_raised", data, other)


def _handover(case: Trajectory, ground: Ground) -> Iterator[Clock]:
    """The offered holder is reminded at half time; without an answer the old one keeps the case."""
    days = ground.rules(UNDETERMINED).handover_days
    if days is None or case.offered_holder is None or case.holder is None:
        return
    since = date_of(case.since)
    ends = working_days_after(since, days)
    half = start_of(working_days_after(since, days // 2))
    data = {"what": HANDOVER_HALF, "due": ends.isoformat()}
    yield Clock(HANDOVER_HALF, case.id, half, REMINDER, data, case.offered_holder)
    declined = {"reason": "no_answer"}
    event = "trajectory.handover_declined"
    yield Clock(HANDOVER_ENDS, case.id, start_of(ends), event, declined, case.holder)


def _tasks(case: Trajectory, ground: Ground) -> Iterator[Clock]:
    """An open task is recalled at its date, and again; where another clock follows, that one."""
    days = ground.rules(UNDETERMINED).escalation_days
    for task in case.tasks.values():
        if task.answered is not None or task.what in OTHER_CLOCKS or not days:
            continue
        first = days_after(date.fromisoformat(task.due), 1)
        due = next_by_days(first, days, case.reminded.get(key_of(TASK_OVERDUE, task.id)))
        data: dict[str, Any] = {"what": TASK_OVERDUE, "due": task.due}
        if task.concerns is not None:
            data["concerns"] = task.concerns
        yield Clock(TASK_OVERDUE, task.id, start_of(due), REMINDER, data, task.addressee)


def _has_open_parts(case: Trajectory) -> bool:
    """Whether anything is still to happen; a task that nobody answers ends with the case."""
    tables = lifecycles()
    parts = (
        ("referral", case.referrals),
        ("placement", case.placements),
        ("outcome", case.outcomes),
    )
    return any(tables[kind].is_active(one.state) for kind, some in parts for one in some.values())


def _idle(case: Trajectory, ground: Ground) -> Iterator[Clock]:
    """A reminder a month before the end, and the end a month after the reminder was sent."""
    rules = ground.rules(UNDETERMINED)
    months = rules.trajectory_idle_months
    if case.state == "unassigned":
        months = rules.trajectory_unassigned_idle_months
    before = rules.trajectory_closing_reminder_months
    acts_for = responsible.for_case(case)
    if months is None or before is None or acts_for is None:
        return
    last = date_of(case.active_at)
    closes = months_after(last, months)
    due_at = start_of(months_after(last, months - before))
    data = {"what": INACTIVE, "due": closes.isoformat()}
    yield Clock(INACTIVE, case.id, due_at, REMINDER, data, acts_for)
    sent = case.reminded.get(key_of(INACTIVE, case.id))
    if sent is not None and sent.due >= due_at:
        ends = max(closes, months_after(date_of(sent.at), before))
        event, reason = "trajectory.closed", {"reason": "inactive"}
        yield Clock(CLOSES, case.id, start_of(ends), event, reason, acts_for)
