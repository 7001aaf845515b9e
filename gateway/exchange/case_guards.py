"""What else must hold for a trajectory or its guidance.

Pure checks on the draft, by the names that the tables use; see `guards.py`.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from consumers.clock import date_of
from gateway.exchange.business_days import months_after
from gateway.exchange.clock import UNDETERMINED
from gateway.exchange.draft import broken
from gateway.exchange.objection_tasks import DECIDE
from gateway.exchange.targets import parts
from schemas import territory
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


def holder_is_sender(draft: Draft, move: Move) -> None:
    """Whoever takes a case takes it itself; to somebody else it is offered, and accepted."""
    if draft.resolve(move.data["holder"], ("V", "O")) != move.actor.id:
        raise broken(
            "holder_is_another",
            "Geef in holder uw eigen organisatie op. Een andere biedt u het dossier daarna aan met "
            "trajectory.handover_offered.",
            "Name your own organisation in holder. Offer the case to another one afterwards with "
            "trajectory.handover_offered.",
            "holder",
        )


def handover_named(draft: Draft, move: Move) -> None:
    """A hand-over is accepted by its new holder, from the old one."""
    registry, case = draft.context.registry, draft.case
    for name, one in (("from", case.holder), ("to", move.actor.id)):
        wanted = registry.participant(one or "")
        if wanted is not None and move.data.get(name) != wanted.organisation:
            raise broken(
                "handover_differs",
                f"{name} is niet de organisatie van deze overdracht: {wanted.organisation}.",
                f"{name} is not the organisation of this hand-over: {wanted.organisation}.",
                name,
            )


def moved_elsewhere(draft: Draft, move: Move) -> None:
    """A move is to another municipality, which exists on the day of the move."""
    nis, since = move.data["nis"], date.fromisoformat(move.data["from"])
    if nis == draft.case.territory_nis:
        raise broken(
            "same_municipality",
            "nis is de gemeente waar het traject al ligt.",
            "nis is the municipality in which the trajectory lies already.",
            "nis",
        )
    if not territory.valid_on(nis, since):
        raise broken(
            "territory_not_valid",
            "De NIS-code in nis was op de datum in from niet geldig.",
            "The NIS code in nis was not valid on the date in from.",
            "nis",
        )


def may_view(draft: Draft, move: Move) -> None:
    """A viewing right is given to somebody who takes part, until a day to come."""
    viewer = draft.context.registry.participant(move.data["participant"])
    if viewer is None or not viewer.is_valid(draft.today):
        raise broken(
            "unknown_participant",
            "participant is geen deelnemer die nu meedoet.",
            "participant is nobody who takes part now.",
            "participant",
        )
    if move.data.get("until", "9999") < draft.today.isoformat():
        raise broken(
            "until_in_past", "until ligt in het verleden.", "until lies in the past.", "until"
        )


def is_viewer(draft: Draft, move: Move) -> None:
    """Only a viewing right that was given ends."""
    if move.data["participant"] not in draft.case.viewers:
        raise broken(
            "no_viewer",
            "participant heeft geen inzagerecht in dit traject.",
            "participant has no viewing right in this trajectory.",
            "participant",
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


def still_to_decide(draft: Draft, move: Move) -> None:
    """On a closed case nothing is asked any more but what an objection asks."""
    if draft.case.state == "closed" and move.data.get("what") != DECIDE:
        raise broken(
            "case_closed",
            "Het traject is gesloten. Heropen het eerst.",
            "The trajectory is closed. Reopen it first.",
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
