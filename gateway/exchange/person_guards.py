"""What else must hold before two persons are linked, parted or merged, or two cases joined.

Pure checks on the draft, by the names that the tables use; see `guards.py`.
A reference that means nobody and one of a person whom the sender does not know get one answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.exchange.decision import HUB
from gateway.exchange.draft import broken
from gateway.exchange.objection_tasks import ANSWERS as OBJECTION_ANSWERS
from gateway.exchange.objection_tasks import DECIDE
from gateway.exchange.person_effects import another
from gateway.exchange.person_tasks import SAME
from gateway.exchange.persons import is_kept_apart
from schemas.lifecycle import lifecycles

if TYPE_CHECKING:
    from gateway.errors import RuleBroken
    from gateway.exchange.decision import Other
    from gateway.exchange.draft import Draft, Move

ANSWERS = {
    SAME: ("not_same",),
    "same_person_two_trajectories": ("done",),
    "offer_handover": ("done",),
    DECIDE: OBJECTION_ANSWERS,
}
"""What the addressee may answer to a task; every other task: how somebody goes on."""
GOES_ON = ("no_further_step_agreed", "new_referral", "done")


def another_person(draft: Draft, move: Move) -> None:
    """A link is to somebody else whom the sender knows, and is made once."""
    other = draft.context.named.get(move.data["other_ref"])
    if other is None or other.subject.id == draft.person.id:
        raise unknown_reference("other_ref")
    if other.subject.id in draft.person.links:
        raise broken(
            "already_linked",
            "Deze twee zijn al als één persoon gekoppeld.",
            "These two are linked as one person already.",
            "other_ref",
        )


def linked_person(draft: Draft, move: Move) -> None:
    """Only what was linked is parted."""
    other = draft.context.named.get(move.data["other_ref"])
    if other is None or other.subject.id not in draft.person.links:
        raise unknown_reference("other_ref")


def two_persons(draft: Draft, move: Move) -> None:
    """A merge names the person of this case and another one whom the sender knows."""
    if move.actor.id == HUB:
        return
    own = {draft.person.id, draft.case.subject_id, *draft.person.merged}
    said = [move.data["old_ref"], move.data["new_ref"]]
    other = another(draft, move.data)
    if not own & set(said) or other is None or _is_apart(draft, other):
        raise unknown_reference("old_ref" if said[1] in own else "new_ref")


def _is_apart(draft: Draft, other: Other) -> bool:
    same = {draft.person.id, *draft.person.merged}
    cases = [one for one in draft.context.elsewhere if one.subject_id in same]
    return is_kept_apart(draft.person, [draft.case, *cases], other)


def same_person(draft: Draft, move: Move) -> None:
    """A case is joined into another open one of the same person."""
    is_active = lifecycles()["trajectory"].is_active
    into = [one for one in draft.context.elsewhere if one.id == move.data["into"]]
    if not into:
        raise broken(
            "not_the_same_person",
            "into is geen traject van dezelfde persoon. Koppel eerst met subject.linked.",
            "into is no trajectory of the same person. Link them first with subject.linked.",
            "into",
        )
    if not is_active(into[0].state):
        raise broken(
            "into_not_open",
            "Het traject in into is niet open. Heropen het eerst.",
            "The trajectory in into is not open. Reopen it first.",
            "into",
        )


def fitting_answer(draft: Draft, move: Move) -> None:
    """A task is answered in its own terms; that two are one person is said by linking them."""
    task = draft.case.tasks.get(move.data["task_id"])
    fitting = GOES_ON if task is None else ANSWERS.get(task.what, GOES_ON)
    if move.actor.id == HUB or move.data["answer"] in fitting:
        return
    also = task is not None and task.what == SAME
    raise broken(
        "answer_does_not_fit",
        f"Antwoord op deze taak met {', '.join(fitting)}"
        f"{', of stuur subject.linked met other_ref' if also else ''}.",
        f"Answer this task with {', '.join(fitting)}"
        f"{', or send subject.linked with other_ref' if also else ''}.",
        "answer",
    )


def unknown_reference(field: str) -> RuleBroken:
    """The one refusal for nobody and for somebody else's person."""
    return broken(
        "unknown_reference",
        f"{field} is geen andere persoon die u kent. Neem subjectref of other_ref over "
        "zoals u die van de hub kreeg.",
        f"{field} is no other person whom you know. Take over subjectref or other_ref "
        "as the hub gave it to you.",
        field,
    )
