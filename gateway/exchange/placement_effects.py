"""What each placement event does to the case, and which hub events follow (`domain.md` §3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from gateway.exchange import assignments
from gateway.exchange.offer_effects import used
from gateway.exchange.state import Placement
from schemas.lifecycle import lifecycles

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.exchange.draft import Draft, Move


def planned(draft: Draft, move: Move) -> None:
    """Add the placement; its planner is its organiser."""
    data = move.data
    draft.put_placement(
        Placement(
            id=move.aggregate_id,
            state=move.state,
            version=1,
            programme=data["programme"],
            organiser=move.actor.id,
            referral_id=data.get("referral_id"),
            offer_id=data.get("offer_id"),
            start_date=data.get("start_date"),
            planned_end=data.get("planned_end"),
        )
    )
    used(draft, data.get("offer_id"), move.actor.id)
    _assign(draft, move.aggregate_id, data.get("assignments", ()), whole=True)
    referral = draft.case.referrals.get(data.get("referral_id", ""))
    if referral is not None:
        draft.put_referral(replace(referral, placement_id=move.aggregate_id))


def _assign(
    draft: Draft, placement_id: str, rows: Iterable[dict[str, Any]], *, whole: bool
) -> None:
    placement = draft.case.placements[placement_id]
    draft.put_placement(assignments.placed(draft, placement, rows, whole=whole))


def moved(draft: Draft, move: Move) -> None:
    """Change the state alone."""
    before = draft.case.placements[move.aggregate_id]
    after = replace(before, state=move.state, version=before.version + 1)
    table = lifecycles()["placement"]
    if table.is_active(before.state) and not table.is_active(move.state):
        after = replace(
            after, previous=before.state, closed_by=move.actor.id, closed_at=draft.context.now
        )
    draft.put_placement(after)


def started(draft: Draft, move: Move) -> None:
    """The hosts become members, and the referral is closed as placed."""
    rescheduled(draft, move)
    placement = replace(draft.case.placements[move.aggregate_id], started=True)
    draft.put_placement(placement)
    rows = move.data.get("assignments")
    _assign(draft, placement.id, rows or (), whole=rows is not None)
    referral = draft.case.referrals.get(placement.referral_id or "")
    if referral is not None and referral.state == "accepted":
        draft.follow("referral.closed", referral.id, result="placed", placement_id=placement.id)


def mentor_assigned(draft: Draft, move: Move) -> None:
    """A mentor is known from now on."""
    moved(draft, move)
    placement = draft.case.placements[move.aggregate_id]
    named = move.data.get("assignment_id")
    draft.put_placement(assignments.mentor_named(draft, placement, named))


def assignment_added(draft: Draft, move: Move) -> None:
    """The host of the new assignment becomes one of this placement's hosts."""
    moved(draft, move)
    _assign(draft, move.aggregate_id, [move.data["assignment"]], whole=False)


def assignment_ended(draft: Draft, move: Move) -> None:
    """The others go on; its host reads along for some days more."""
    moved(draft, move)
    placement = draft.case.placements[move.aggregate_id]
    ended = assignments.closed(draft, placement, move.data["assignment_id"], move.data["to"])
    draft.put_placement(ended)


def rescheduled(draft: Draft, move: Move) -> None:
    """Change the state, and take over the dates that are said."""
    moved(draft, move)
    placement = draft.case.placements[move.aggregate_id]
    draft.put_placement(
        replace(
            placement,
            start_date=move.data.get("start_date", placement.start_date),
            planned_end=move.data.get("planned_end", placement.planned_end),
        )
    )


def corrected(draft: Draft, move: Move) -> None:
    """Take over what was wrong: dates, programme, assignments."""
    rescheduled(draft, move)
    data, placement = move.data, draft.case.placements[move.aggregate_id]
    cleared = data.get("cleared", ())
    placement = replace(
        placement,
        programme=data.get("programme", placement.programme),
        planned_end=None if "planned_end" in cleared else placement.planned_end,
        offer_id=None if "offer_id" in cleared else data.get("offer_id", placement.offer_id),
    )
    draft.put_placement(placement)
    if "assignments" in data:
        _assign(draft, placement.id, data["assignments"], whole=True)


def extended(draft: Draft, move: Move) -> None:
    """Take over the new end, and count."""
    moved(draft, move)
    placement = draft.case.placements[move.aggregate_id]
    draft.put_placement(
        replace(placement, planned_end=move.data["new_end"], extensions=placement.extensions + 1)
    )


def start_confirmed(draft: Draft, move: Move) -> None:
    """The host has said so."""
    moved(draft, move)
    draft.put_placement(replace(draft.case.placements[move.aggregate_id], confirmed=True))


def suspended(draft: Draft, move: Move) -> None:
    """Remember until when it is expected to last."""
    moved(draft, move)
    placement = draft.case.placements[move.aggregate_id]
    draft.put_placement(replace(placement, expected_until=move.data.get("expected_until")))
