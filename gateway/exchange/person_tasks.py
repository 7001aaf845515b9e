"""Whom the hub asks whether two records are one person, and what it tells them.

Only a case holder learns of it, or the VDAB or OCMW that handles a referral while nobody holds the
case (`domain.md` §3.12).
The question comes a moment later, as an errand: so what a referrer is answered, and what it may
read of its own referral, is the same whether the hub recognised somebody or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from gateway.exchange.business_days import days_after
from gateway.exchange.clock import UNDETERMINED
from gateway.exchange.decision import HUB, Errand
from schemas.errors import InvalidIdentifier
from schemas.identifiers import phone
from schemas.lifecycle import lifecycles

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.exchange.decision import Context
    from gateway.exchange.draft import Draft
    from gateway.exchange.registry import Participant
    from gateway.exchange.state import Task, Trajectory
    from gateway.exchange.submission import Submission

SAME, TWO_CASES = "possible_same_person", "same_person_two_trajectories"
RAISED, ANSWERED = "trajectory.task_raised", "trajectory.task_answered"
HOLDERS = ("V", "O")


def keeper(draft: Draft, case: Trajectory) -> Participant | None:
    """Who is asked about the person of a case; nobody when it is over."""
    if not lifecycles()["trajectory"].is_active(case.state):
        return None
    is_active = lifecycles()["referral"].is_active
    handlers = [one.handler for one in case.referrals.values() if is_active(one.state)]
    able = [case.holder] if case.holder is not None else [*handlers, case.proposed_holder]
    found = (draft.context.registry.participant(one or "") for one in able)
    return next((one for one in found if one is not None and one.role in HOLDERS), None)


def ask(draft: Draft, what: str, other: str | None, cases: Iterable[Trajectory]) -> None:
    """Ask on both sides, once; where both are one organisation's, on the newer case alone.

    Args:
        draft: the decision about the newer case.
        what: the question.
        other: the subject that may be the same one; None when it is the same for certain.
        cases: the other trajectories.
    """
    own, mine = draft.case, keeper(draft, draft.case)
    kept = [(case, found) for case in cases if (found := keeper(draft, case)) is not None]
    case, theirs = kept[-1] if kept else (None, None)
    if mine is not None and task_id(what, own.id, other) not in own.tasks:
        draft.errands.append(_question(draft, what, (own, mine), (other, case, theirs)))
    if case is not None and theirs is not None and theirs != mine:
        back = None if other is None else own.subject_id
        if task_id(what, case.id, back) not in case.tasks:
            draft.errands.append(_question(draft, what, (case, theirs), (back, own, mine)))


def _question(
    draft: Draft,
    what: str,
    asked: tuple[Trajectory, Participant],
    about: tuple[str | None, Trajectory | None, Participant | None],
) -> Errand:
    case, addressee = asked
    other, their_case, theirs = about
    days = draft.rules(UNDETERMINED).answer_days or 0
    data: dict[str, Any] = {
        "task_id": task_id(what, case.id, other),
        "what": what,
        "addressee": addressee.organisation,
        "due": days_after(draft.today, days).isoformat(),
    }
    if other is not None:
        data["other_ref"] = other
    if theirs is not None:
        data["other_org"] = theirs.organisation
    return Errand(
        id=f"task:{data['task_id']}",
        due_at=draft.context.now,
        name=RAISED,
        target_id=case.id,
        aggregate_id=None,
        acts_for=addressee.id,
        data=data,
        beside=None if their_case is None else their_case.id,
    )


def acts_for(submission: Submission, context: Context) -> str | None:
    """For whom a hub event is sent: of a task that is settled, whoever it was asked of."""
    case = context.trajectory
    if submission.event.name == ANSWERED and case is not None:
        task = case.tasks.get(submission.data.get("task_id", ""))
        return submission.on_behalf_of if task is None else task.addressee
    return submission.on_behalf_of


def answer_twin(draft: Draft, task: Task, answer: str) -> None:
    """Whoever was asked the same on the other case need not answer any more."""
    if task.twin_case is None:
        return
    back = None if task.pair is None else task.pair[0]
    twin = task_id(task.what, task.twin_case, back)
    draft.errands.append(_answer(draft, task.twin_case, twin, answer))


def answer_on(draft: Draft, case: Trajectory, task: Task, answer: str) -> None:
    """The question was settled elsewhere."""
    draft.errands.append(_answer(draft, case.id, task.id, answer))


def _answer(draft: Draft, case_id: str, task: str, answer: str) -> Errand:
    return Errand(
        id=f"answer:{task}",
        due_at=draft.context.now,
        name=ANSWERED,
        target_id=case_id,
        aggregate_id=None,
        acts_for=draft.sender.id,
        data={"task_id": task, "answer": answer},
    )


def task_id(what: str, case_id: str, other: str | None) -> str:
    """The id of a question: the same whenever and wherever it comes up."""
    return str(uuid5(NAMESPACE_URL, f"urn:schakel:task:{what}:{case_id}:{other or ''}"))


def is_question(draft: Draft) -> bool:
    """Whether the event asks if two are one: nobody may see from a case's dates that it was."""
    submission = draft.submission
    return submission.event.name == RAISED and submission.data.get("what") == SAME


def completed(draft: Draft) -> dict[str, Any]:
    """The submitted data; a task that names another organisation says where its desk is.

    The registry of this moment knows: an errand that waits would keep a desk's telephone.
    """
    data = draft.data
    if draft.submission.participant != HUB or "other_org" not in data:
        return data
    desk = desk_of(draft, data["other_org"])
    return data if desk is None else {**data, "desk": desk}


def desk_of(draft: Draft, organisation: str) -> dict[str, Any] | None:
    """Where the registry says that VDAB or an OCMW is reached."""
    registry, today = draft.context.registry, draft.today
    for one in registry.participants_of(organisation):
        if one.role in HOLDERS and one.is_valid(today) and one.contact is not None:
            desk = {
                "name": one.contact.name,
                "phone": _number(one.contact.phone),
                "email": one.contact.email,
            }
            return {key: value for key, value in desk.items() if value}
    return None


def _number(given: str | None) -> str | None:
    """As events write it; None when the registry holds something that is no telephone number."""
    try:
        return None if given is None else phone(given)
    except InvalidIdentifier:
        return None
