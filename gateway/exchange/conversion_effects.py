"""What a conversion does to a placement, and when the hub makes one follow (R10, R11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from gateway.exchange.conversions import converted as conversion_of
from gateway.exchange.hours import by_month, hundredths
from gateway.exchange.placement_effects import moved
from gateway.exchange.rounds import CONVERTED
from gateway.exchange.state import Carried

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft, Move

BEGINS = frozenset({"placement.planned", "placement.end_revoked"})


def converted(draft: Draft, move: Move) -> None:
    """Go on under another programme, with what counts on."""
    moved(draft, move)
    placement, data = draft.case.placements[move.aggregate_id], move.data
    one = Carried(
        from_programme=placement.programme,
        effective=data["effective"],
        hours=hundredths(data["hours_carried"]),
        months=data["months_carried"],
        extensions=placement.extensions,
    )
    draft.put_placement(
        replace(
            placement,
            programme=data["to_programme"],
            conversions=(*placement.conversions, one),
        )
    )


def follow(draft: Draft, move: Move) -> None:
    """A placement that only now becomes known under a programme that was converted follows it."""
    if move.name not in BEGINS:
        return
    placement, today = draft.case.placements[move.aggregate_id], draft.today
    begun = [one for one in draft.context.registry.rules.conversions() if one.effective <= today]
    found = conversion_of(placement, begun, by_month(placement))
    if found is not None:
        draft.follow(CONVERTED, placement.id, **found.data)
