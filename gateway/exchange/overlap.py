"""A person at work under two capped programmes at once: told to the case holder alone (R9).

It is a warning and never blocks: the holder knows whether it is meant so (`domain.md` §3.8).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.exchange.caps import work_of

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft, Move

KIND = "overlap"
AT_WORK = frozenset({"active", "suspended"})
BEGINS = frozenset({"placement.started", "placement.end_revoked", "transition.placement_converted"})


def check(draft: Draft, move: Move) -> None:
    """After a placement began: warn of every other capped programme the person works under."""
    if move.name not in BEGINS:
        return
    placement = draft.case.placements[move.aggregate_id]
    if placement.state not in AT_WORK or not draft.rules(placement.programme).is_capped:
        return
    others = {
        one.programme
        for one in work_of(draft)
        if one.state in AT_WORK and one.programme != placement.programme
    }
    for programme in sorted(others):
        if draft.rules(programme).is_capped:
            draft.follow(
                "trajectory.warning_raised", draft.case.id, kind=KIND, detail_code=programme
            )
