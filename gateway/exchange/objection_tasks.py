"""Each controller concerned decides on an objection within a month, and its answer is recorded.

An objection holds at once; what a controller answers is on record for the person and changes no
hold by itself: that ends when it is lifted (`domain.md` §4; GDPR 12(3) and 21(1)). Pure.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from gateway.exchange.business_days import days_after, months_after, start_of
from gateway.exchange.clock import Clock
from gateway.exchange.decision import Errand
from gateway.exchange.holds import OBJECTION
from gateway.exchange.person_tasks import RAISED, answer_on, task_id
from gateway.exchange.relations import members

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.exchange.draft import Draft
    from gateway.exchange.registry import Participant
    from gateway.exchange.state import Task, Trajectory
    from gateway.exchange.subject_state import Subject

DECIDE = "decide_objection"
GRANTED, OVERRIDDEN = "objection_granted", "objection_overridden"
ANSWERS = (GRANTED, OVERRIDDEN)
MONTHS = 1
WARNED_DAYS = 7
NEAR, OVERDUE = "objection_near", "objection_overdue"
REMINDER = "trajectory.reminder_due"


def ask(draft: Draft, organisation: str | None) -> None:
    """Ask every organisation that takes part in a case of the person, once each.

    Args:
        draft: the decision about the objection.
        organisation: the only one concerned, as the objection's scope has it; None for all.
    """
    due = months_after(draft.today, MONTHS).isoformat()
    asked: set[str] = set()
    for case in (draft.case, *draft.context.elsewhere):
        for one in _controllers(draft, case):
            is_meant = organisation in (None, one.organisation)
            if is_meant and one.organisation not in asked and case.state != "joined":
                asked.add(one.organisation)
                draft.errands.append(_question(draft, case, one, due))


def settle(draft: Draft) -> None:
    """Nobody need decide any more once no objection stands; of this case `answer` tells."""
    if stands(draft.person):
        return
    for case in draft.context.elsewhere:
        for task in case.tasks.values():
            if task.what == DECIDE and task.answered is None:
                answer_on(draft, case, task, "done")


def answer(draft: Draft) -> str | None:
    """What the hub answers to an open task of this case: nothing while the objection stands."""
    return None if stands(draft.person) else "done"


def stands(person: Subject) -> bool:
    """Whether any objection of the person is in force."""
    return any(one.kind == OBJECTION and one.over_at is None for one in person.holds)


def clocks(case: Trajectory) -> Iterator[Clock]:
    """Two reminders of each open decision, once each: a week before its day, and a day after."""
    for task in case.tasks.values():
        if task.what == DECIDE and task.answered is None:
            due = date.fromisoformat(task.due)
            yield _reminder(NEAR, task, days_after(due, -WARNED_DAYS), "decision_near")
            yield _reminder(OVERDUE, task, days_after(due, 1), "task_overdue")


def _reminder(kind: str, task: Task, on: date, what: str) -> Clock:
    data: dict[str, Any] = {"what": what, "due": task.due, "concerns": task.id}
    return Clock(kind, task.id, start_of(on), REMINDER, data, task.addressee)


def _controllers(draft: Draft, case: Trajectory) -> Iterator[Participant]:
    """Whoever takes part in a case now, by id."""
    for name in sorted(members(case)):
        found = draft.context.registry.participant(name)
        if found is not None and found.is_valid(draft.today) and name not in case.erased:
            yield found


def _question(draft: Draft, case: Trajectory, asked: Participant, due: str) -> Errand:
    # Another objection is another question, also to whoever has answered the first.
    task = task_id(DECIDE, case.id, f"{asked.organisation}/{draft.context.now}")
    return Errand(
        id=f"task:{task}",
        due_at=draft.context.now,
        name=RAISED,
        target_id=case.id,
        aggregate_id=None,
        acts_for=asked.id,
        data={"task_id": task, "what": DECIDE, "addressee": asked.organisation, "due": due},
    )
