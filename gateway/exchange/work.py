"""What the rules over a person keep of each placement: programme, state and hours.

Noted after every event of a placement, so that the person's record never lags behind the case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from gateway.exchange.hours import by_month
from gateway.exchange.state import Work

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft


def note(draft: Draft, placement_id: str) -> None:
    """Bring the person's record up to date; a voided placement leaves it."""
    placement = draft.case.placements[placement_id]
    person = draft.person
    others = {one: work for one, work in person.work.items() if one != placement_id}
    if placement.state == "voided":
        draft.subject = replace(person, work=others)
        return
    work = Work(
        placement_id=placement_id,
        trajectory_id=draft.case.id,
        programme=placement.programme,
        organiser=placement.organiser,
        state=placement.state,
        hours=by_month(placement),
    )
    if person.work.get(placement_id) != work:
        draft.subject = replace(person, work={**others, placement_id: work})
