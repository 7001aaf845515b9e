"""What else must hold for a trajectory or its guidance.

Pure checks on the draft, by the names that the tables use; see `guards.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumers.clock import date_of
from gateway.exchange.business_days import months_after
from gateway.exchange.clock import UNDETERMINED
from gateway.exchange.draft import broken
from gateway.exchange.targets import parts
from schemas.lifecycle import lifecycles

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft, Move
    from gateway.exchange.state import Trajectory


def nothing_open(draft: Draft, _move: Move) -> None:
    """A case closes only when nothing in it is open."""
    open_parts = list(still_open(draft.case))
    if open_parts:
        raise broken(
            "still_open",
            f"Nog open in dit traject: {', '.join(open_parts)}. Rond dat eerst af.",
            f"Still open in this trajectory: {', '.join(open_parts)}. Finish that first.",
        )


def still_open(trajectory: Trajectory) -> list[str]:
    """The aggregates of a trajectory that keep it from closing, as `type state`."""
    tables = lifecycles()
    return [
        f"{kind} {one.state}"
        for kind in ("referral", "placement", "outcome")
        for one in parts(trajectory, kind).values()
        if tables[kind].is_active(one.state)
    ]


def offered_to_another(draft: Draft, move: Move) -> None:
    """A hand-over goes to somebody else."""
    if draft.resolve(move.data["to"], ("V", "O")) == draft.case.holder:
        raise broken(
            "handover_to_self",
            "U bent zelf dossierhouder. Geef in to een andere organisatie op.",
            "You are the case holder yourself. Name another organisation in to.",
            "to",
        )


def decline_fits(draft: Draft, move: Move) -> None:
    """The case holder takes its offer back; only the hub says that nobody answered."""
    reason = move.data.get("reason")
    own = {"HUB": "no_answer"}.get(move.actor.role)
    if own is None and move.actor.id == draft.case.holder:
        own = "withdrawn"
    if (reason == own) if own else (reason not in ("no_answer", "withdrawn")):
        return
    raise broken(
        "reason_of_another",
        "Wie de overdracht aanbood, geeft reden withdrawn; wie ze kreeg, een eigen reden.",
        "Whoever offered the hand-over gives reason withdrawn; whoever got it, a reason of its "
        "own.",
        "reason",
    )


def talk_of_mentor(_draft: Draft, move: Move) -> None:
    """A work floor records its mentor's talks and no other contact."""
    if move.actor.role == "H" and move.data.get("kind") != "mentor_talk":
        raise broken(
            "kind_of_another_role",
            "Een werkplek meldt gesprekken van de mentor: kind moet mentor_talk zijn.",
            "A host records talks of the mentor: kind must be mentor_talk.",
            "kind",
        )


def open_task(draft: Draft, move: Move) -> None:
    """A task is answered once."""
    task = draft.case.tasks.get(move.data["task_id"])
    if task is None or task.answered is not None:
        raise broken(
            "task_not_open",
            "Deze taak bestaat niet of is al beantwoord.",
            "This task does not exist or was answered already.",
            "task_id",
        )


def after_care(draft: Draft, move: Move) -> None:
    """After a case closed, guidance goes on as long as the rules say; the hub asks on."""
    closed_at = draft.case.closed_at
    if move.actor.role == "HUB" or closed_at is None or draft.case.state != "closed":
        return
    months = draft.rules(UNDETERMINED).aftercare_months
    if months is not None and draft.today > months_after(date_of(closed_at), months):
        raise broken(
            "after_care_over",
            f"Het traject is meer dan {months} maanden gesloten. Heropen het eerst.",
            f"The trajectory closed more than {months} months ago. Reopen it first.",
        )
