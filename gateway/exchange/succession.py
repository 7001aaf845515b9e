"""An organiser succeeds another on a case: who then plays which part (R11; `domain.md` §3.4).

Pure. The successor is creator, recorder and organiser of what the other left, with every id as it
was; the other keeps what it has read, and of each placement until when it was the organiser.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from gateway.exchange.objection_tasks import DECIDE
from gateway.exchange.state import Former
from schemas.lifecycle import lifecycles

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.exchange.state import Outcome, Placement, Referral, Right, Task, Trajectory

NEVER_RAN = frozenset({"cancelled", "voided"})
Part = TypeVar("Part")


def concerns(case: Trajectory, giver: str) -> bool:
    """Whether anything in an open case goes over when an organiser is succeeded."""
    is_open = lifecycles()["trajectory"].is_active(case.state)
    return is_open and succeeded(case, giver, "", "") is not case


def succeeded(case: Trajectory, giver: str, receiver: str, effective: str) -> Trajectory:
    """The case after the succession; the very same one when nothing in it goes over.

    Args:
        case: as it is.
        giver: participant that was the organiser.
        receiver: participant that is its successor.
        effective: first day of the successor (YYYY-MM-DD).
    """
    heir = _Heir(giver, receiver, effective)
    found = {
        "referrals": _each(case.referrals, heir.referral),
        "placements": _each(case.placements, heir.placement),
        "outcomes": _each(case.outcomes, heir.outcome),
        "rights": _each(case.rights, heir.right),
        "tasks": _each(case.tasks, heir.task),
    }
    if all(parts is getattr(case, name) for name, parts in found.items()):
        return case
    return replace(case, **found)


def _each(parts: dict[str, Part], change: Callable[[Part], Part]) -> dict[str, Part]:
    changed = {one: change(part) for one, part in parts.items()}
    return parts if all(changed[one] is part for one, part in parts.items()) else changed


class _Heir:
    """Puts the receiver where the giver was."""

    def __init__(self, giver: str, receiver: str, effective: str) -> None:
        self._giver = giver
        self._receiver = receiver
        self._effective = effective

    def referral(self, referral: Referral) -> Referral:
        """One that is open, or led to a placement; what ended without one is nobody's to go on."""
        is_open = lifecycles()["referral"].is_active(referral.state)
        if not is_open and (referral.state != "closed" or referral.placement_id is None):
            return referral
        names = ("referrer", "target", "handler", "organiser", "closed_by")
        return self._taken_over(referral, names)

    def placement(self, placement: Placement) -> Placement:
        """One that ran, runs or will run."""
        if placement.state in NEVER_RAN or placement.organiser != self._giver:
            return placement
        former = (*placement.former, Former(self._giver, self._effective))
        taken = self._taken_over(placement, ("organiser", "closed_by"))
        return replace(taken, former=former)

    def outcome(self, outcome: Outcome) -> Outcome:
        """One that still stands."""
        if outcome.state == "voided":
            return outcome
        return self._taken_over(outcome, ("recorder",))

    def right(self, right: Right) -> Right:
        """Whatever became of it."""
        return self._taken_over(right, ("registrant",))

    def task(self, task: Task) -> Task:
        """One that still waits; an objection is decided on by the controller it was put to."""
        if task.answered is not None or task.what == DECIDE:
            return task
        return self._taken_over(task, ("addressee",))

    def _taken_over(self, part: Part, names: tuple[str, ...]) -> Part:
        held = {name: self._receiver for name in names if getattr(part, name) == self._giver}
        return replace(part, **held) if held else part  # type: ignore[type-var]  # each is a Struct
