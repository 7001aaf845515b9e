"""What may be sent at once: steps of one case follow one another, other cases do not wait.

A wave holds of each case only what one participant sends without needing an answer first, so it
can go out in batches, one for each participant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.world.script import ACCEPTED, CASE, GIVEN, REFERENCE, Sending

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from connectors.world.script import Step


def lane(case: str) -> str:
    """Cases that wait for one another share a lane: `t` and `t-second`, and not `i1`."""
    return case.partition("-")[0]


def waves(steps: Iterable[Step], known: Collection[str]) -> list[list[Step]]:
    """The steps of a day, in waves.

    Args:
        steps: in order.
        known: cases whose trajectory is known already.
    """
    made: list[list[Step]] = []
    last: dict[str, tuple[int, Step]] = {}
    for step in steps:
        way = lane(step.case)
        place = 0
        if way in last:
            place, before = last[way]
            place += not _goes_along(step, before, known)
        if place == len(made):
            made.append([])
        made[place].append(step)
        last[way] = place, step
    return made


def _goes_along(step: Step, before: Step, known: Collection[str]) -> bool:
    """Whether it can be in one batch with the step before it."""
    if not (isinstance(step, Sending) and isinstance(before, Sending)):
        return False
    if step.who != before.who or before.answer != ACCEPTED or step.answer != ACCEPTED:
        return False
    named = str(step.event.get("trajectoryid", ""))
    if named.startswith(REFERENCE) and (named != CASE or step.case not in known):
        return False
    return not any(GIVEN in str(value) for value in step.event["data"].values())
