"""What changes of mandate gave to a participant and took from it, and what is left (R11). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas import territory

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date


@dataclass(frozen=True, slots=True)
class Move:
    """Municipalities that went to a participant, or from it.

    `other` is the participant that gave or got them.
    """

    effective: date
    nis: frozenset[str]
    gained: bool
    other: str


def last_move(moves: Sequence[Move], nis: str, on: date) -> Move | None:
    """The last of these, the oldest first, that has taken effect over a municipality."""
    found = (one for one in reversed(moves) if one.effective <= on)
    return next((one for one in found if territory.covers(one.nis, nis, on)), None)


def served_on(
    served: frozenset[str] | None, moves: Sequence[Move], on: date
) -> frozenset[str] | None:
    """A territory as it is on a day; None means all that nobody else was given."""
    for move in moves:
        if served is not None and move.effective <= on:
            served = served | move.nis if move.gained else served - move.nis
    return served
