"""How a placement ends, and what taking its end back or voiding it brings (`domain.md` §3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from gateway.exchange import hours, terms
from gateway.exchange.placement_effects import moved

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft, Move


def ended(draft: Draft, move: Move) -> None:
    """Remember the last day, from which the outcome is waited for."""
    moved(draft, move)
    placement = draft.case.placements[move.aggregate_id]
    end_date = move.data.get("end_date", draft.occurred_on.isoformat())
    placement = replace(placement, ended_on=end_date)
    draft.put_placement(placement)
    hours.compare_total(draft, placement, move.data.get("total_hours"))
    terms.check_lasted(draft, placement)


def end_revoked(draft: Draft, move: Move) -> None:
    """The placement runs again, as before."""
    moved(draft, move)
    placement = draft.case.placements[move.aggregate_id]
    draft.put_placement(
        replace(placement, previous=None, closed_by=None, closed_at=None, ended_on=None)
    )


def voided(draft: Draft, move: Move) -> None:
    """A referral that this placement closed goes on."""
    placement = draft.case.placements[move.aggregate_id]
    moved(draft, move)
    referral = draft.case.referrals.get(placement.referral_id or "")
    if referral is not None and referral.state == "closed" and placement.started:
        draft.follow("referral.reopened", referral.id, reason="placement_voided")
