"""What the rules over a person keep of each placement: programme, state and hours.

Noted after every event of a placement, so that the person's record never lags behind the case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from gateway.exchange.hours import by_month
from gateway.exchange.programme_periods import programme_in, programmes
from gateway.exchange.subject_state import Work

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft
    from gateway.exchange.state import Placement


def note(draft: Draft, placement_id: str) -> None:
    """Bring the person's record up to date; a voided placement leaves it."""
    placement = draft.case.placements[placement_id]
    person = draft.person
    found = {} if placement.state == "voided" else _works(draft, placement)
    others = {one: work for one, work in person.work.items() if work.placement_id != placement_id}
    if person.work != {**others, **found}:
        draft.subject = replace(person, work={**others, **found})


def _works(draft: Draft, placement: Placement) -> dict[str, Work]:
    """One under each programme; what ran under an earlier one is over."""
    months: dict[str, dict[str, int]] = {one: {} for one in programmes(placement)}
    for month, worked in by_month(placement).items():
        months[programme_in(placement, month)][month] = worked
    found = {}
    for programme, hours in months.items():
        is_now = programme == placement.programme
        last = placement.conversions[-1] if is_now and placement.conversions else None
        found[placement.id if is_now else f"{placement.id}/{programme}"] = Work(
            placement_id=placement.id,
            trajectory_id=draft.case.id,
            programme=programme,
            organiser=placement.organiser,
            state=placement.state if is_now else "ended",
            hours=hours,
            carried=0 if last is None else last.hours,
            carried_in=None if last is None else last.effective[:4],
        )
    return found
