"""What else must hold for the assignments of a placement.

Pure checks on the draft, by the names that the tables use; see `guards.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.exchange.draft import broken

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft, Move


def assignments_distinct(_draft: Draft, move: Move) -> None:
    """Each assignment of one list has an id of its own."""
    named = [row["assignment_id"] for row in move.data.get("assignments", ())]
    if len(set(named)) < len(named):
        raise broken(
            "assignment_twice",
            "Twee opdrachten hebben hetzelfde assignment_id. Geef elke een eigen UUID.",
            "Two assignments have the same assignment_id. Give each a UUID of its own.",
            "assignments[].assignment_id",
        )


def assignment_fresh(draft: Draft, move: Move) -> None:
    """A further assignment has an id that this placement does not know yet."""
    placement = draft.case.placements[move.aggregate_id]
    if move.data["assignment"]["assignment_id"] in placement.assignments:
        raise broken(
            "assignment_exists",
            "Dit assignment_id bestaat al in deze plaatsing. Geef een nieuw UUID.",
            "This assignment_id exists in this placement already. Give a fresh UUID.",
            "assignment.assignment_id",
        )


def assignment_known(draft: Draft, move: Move) -> None:
    """An assignment that is named is one of this placement that still lives."""
    named = move.data.get("assignment_id")
    known = draft.case.placements[move.aggregate_id].assignments
    if named is not None and (named not in known or known[named].ended):
        raise broken(
            "unknown_assignment",
            "assignment_id is geen lopende opdracht van deze plaatsing.",
            "assignment_id is no living assignment of this placement.",
            "assignment_id",
        )


def assignment_left(draft: Draft, move: Move) -> None:
    """A placement keeps at least one assignment; the last one ends with the placement."""
    known = draft.case.placements[move.aggregate_id].assignments.values()
    if sum(not one.ended for one in known) <= 1:
        raise broken(
            "last_assignment",
            "Dit is de laatste opdracht van de plaatsing. Stuur placement.ended, of voeg eerst "
            "een andere opdracht toe.",
            "This is the last assignment of the placement. Send placement.ended, or first add "
            "another assignment.",
            "assignment_id",
        )
