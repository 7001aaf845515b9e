"""What an event settles beside its own aggregate: follow-ups that are done, tasks without reason.

Called when an event and all that follows from it was applied. The hub says so itself, so that
nobody has to keep a list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from gateway.exchange import follow_ups, objection_tasks
from gateway.exchange.clock import Ground
from gateway.exchange.clocks import all_clocks
from gateway.exchange.objection_tasks import DECIDE
from gateway.exchange.referral_clocks import UNANSWERED
from gateway.exchange.right_effects import DORMANT_TASK, DOUBT_TASK
from gateway.exchange.trajectory_effects import OFFER_HANDOVER

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft
    from gateway.exchange.state import Task, Trajectory

FOLLOW_UPS = frozenset(
    {
        "start_overdue",
        "start_unconfirmed",
        "planned_end_near",
        "planned_end_passed",
        "suspension_expired",
        "outcome_missing",
        "contact_overdue",
        "counsellor_silent",
        "evaluation_due",
        "outcome_unconfirmed",
        "after_care_due",
    }
)
"""Kinds of clocks whose event is a follow-up; `domain.md` §3.6 lists them."""


ABOUT_REFERRALS = frozenset({"unanswered_referral", "declined_referral", "expired_referral"})

ABOUT_RIGHTS = {DORMANT_TASK: "dormant", DOUBT_TASK: "lapsed"}
"""In which state of the right a task about it still waits."""


def settle(draft: Draft) -> None:
    """Let `trajectory.task_answered` and `guidance.follow_up_done` follow where they are due."""
    if draft.trajectory is None:
        return
    _hand_on(draft, draft.case)
    for task in draft.case.tasks.values():
        answer = None if task.answered is not None else _answer(draft, draft.case, task)
        if answer is not None:
            draft.follow("trajectory.task_answered", draft.case.id, task_id=task.id, answer=answer)
    if draft.case.reminded:
        _follow_ups(draft)


def _hand_on(draft: Draft, case: Trajectory) -> None:
    """Whoever takes a case over takes over the open tasks of its former holder.

    Whether to grant an objection is for each controller itself to say.
    """
    before = draft.context.trajectory
    if before is None or case.holder is None or before.holder == case.holder:
        return
    former = before.holder or before.proposed_holder
    for task in case.tasks.values():
        if task.answered is None and task.addressee == former and task.what != DECIDE:
            draft.put_task(replace(task, addressee=case.holder))


def _answer(draft: Draft, case: Trajectory, task: Task) -> str | None:
    """The answer that the state gives to a task; None while it still waits for its addressee."""
    if task.what == DECIDE and case.state != "joined":
        return objection_tasks.answer(draft)
    if case.state in ("closed", "joined"):
        reasons = [one.data.get("reason") for one in draft.done if one.name == "trajectory.closed"]
        return "no_further_step_agreed" if "no_further_step_agreed" in reasons else "done"
    if task.what == OFFER_HANDOVER:
        return None if case.state == "held" and case.holder == task.addressee else "done"
    if task.what == "assign_case_holder":
        is_last = (
            task.id
            == [one.id for one in case.tasks.values() if one.what == "assign_case_holder"][-1]
        )
        return None if is_last and case.holder is None else "done"
    if task.what in ABOUT_RIGHTS:
        right = case.rights.get(task.concerns or "")
        waits = right is not None and right.state == ABOUT_RIGHTS[task.what]
        return None if waits else "done"
    return _about_referral(case, task)


def _about_referral(case: Trajectory, task: Task) -> str | None:
    referral = case.referrals.get(task.concerns or "")
    if referral is None or task.what not in ABOUT_REFERRALS:
        return None
    if task.what == "unanswered_referral":
        return None if referral.state in UNANSWERED else "done"
    if any(one.predecessor_id == referral.id for one in case.referrals.values()):
        return "new_referral"
    return None if referral.state in ("declined", "expired", "closed") else "done"


def _follow_ups(draft: Draft) -> None:
    case = draft.case
    ground = Ground(draft.context.registry, draft.today)
    waiting = {
        one.key: one.due_at if one.base is None else one.base
        for one in all_clocks(case, ground)
        if one.event == follow_ups.EVENT
    }
    for key, sent in case.reminded.items():
        kind, _, part = key.partition("/")
        what = kind.partition(".")[0]
        if sent.settled or what not in FOLLOW_UPS or waiting.get(key, sent.due + 1) <= sent.due:
            continue
        reminded = {**draft.case.reminded, key: replace(sent, settled=True)}
        draft.change(reminded=reminded)
        draft.follow(
            "guidance.follow_up_done",
            case.id,
            what=what,
            due=sent.told,
            on=draft.today.isoformat(),
            concerns=part,
        )
