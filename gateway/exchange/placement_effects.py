"""What each placement event does to the case, and which hub events follow (`domain.md` §3.4)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from gateway.exchange.offer_effects import used
from gateway.exchange.state import Placement
from schemas.lifecycle import lifecycles

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.exchange.draft import Draft, Move

MONTHS_KEPT = 36
"""Reported months that a placement remembers: what is late by a year, and a year before that."""


def planned(draft: Draft, move: Move) -> None:
    """Add the placement; its planner is its organiser."""
    data = move.data
    assignments = data.get("assignments", ())
    draft.put_placement(
        Placement(
            id=move.aggregate_id,
            state=move.state,
            version=1,
            programme=data["programme"],
            organiser=move.actor.id,
            referral_id=data.get("referral_id"),
            offer_id=data.get("offer_id"),
            planned_hosts=_hosts(draft, assignments),
            start_date=data.get("start_date"),
            planned_end=data.get("planned_end"),
            mentored=_is_mentored(assignments),
            hosted=_is_hosted(assignments),
        )
    )
    used(draft, data.get("offer_id"), move.actor.id)
    referral = draft.case.referrals.get(data.get("referral_id", ""))
    if referral is not None:
        draft.put_referral(replace(referral, placement_id=move.aggregate_id))


def _hosts(draft: Draft, assignments: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    """The hosts that take part in the hub; others are reached by a signed link only."""
    registry = draft.context.registry
    found = (
        one.id
        for assignment in assignments
        for one in registry.participants_of(assignment.get("host_org", ""))
        if one.role == "H" and one.is_valid(draft.today)
    )
    return tuple(dict.fromkeys(found))


def _is_mentored(assignments: Iterable[dict[str, Any]]) -> bool:
    """Every assignment at an organisation names a mentor; at a household the coach stands in."""
    rows = list(assignments)
    return bool(rows) and all("mentor" in row or "household" in row for row in rows)


def _is_hosted(assignments: Iterable[dict[str, Any]]) -> bool:
    """Some work floor is an organisation's, which confirms the start."""
    return any("household" not in row for row in assignments)


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
    moved(draft, move)
    data = move.data
    placement = draft.case.placements[move.aggregate_id]
    assignments = data.get("assignments")
    hosts = _hosts(draft, assignments) if assignments else placement.planned_hosts
    placement = replace(
        placement,
        started=True,
        hosts=hosts,
        mentored=placement.mentored or _is_mentored(assignments or ()),
        hosted=_is_hosted(assignments) if assignments else placement.hosted,
        start_date=data.get("start_date", placement.start_date),
        planned_end=data.get("planned_end", placement.planned_end),
    )
    draft.put_placement(placement)
    referral = draft.case.referrals.get(placement.referral_id or "")
    if referral is not None and referral.state == "accepted":
        draft.follow("referral.closed", referral.id, result="placed", placement_id=placement.id)


def mentor_assigned(draft: Draft, move: Move) -> None:
    """A mentor is known from now on."""
    moved(draft, move)
    draft.put_placement(replace(draft.case.placements[move.aggregate_id], mentored=True))


def assignment_added(draft: Draft, move: Move) -> None:
    """The host of the new assignment becomes one of this placement's hosts."""
    moved(draft, move)
    placement = draft.case.placements[move.aggregate_id]
    added = _hosts(draft, [move.data.get("assignment", {})])
    if placement.started:
        placement = replace(placement, hosts=tuple(dict.fromkeys((*placement.hosts, *added))))
    else:
        hosts = tuple(dict.fromkeys((*placement.planned_hosts, *added)))
        placement = replace(placement, planned_hosts=hosts)
    draft.put_placement(placement)


def rescheduled(draft: Draft, move: Move) -> None:
    """Take over the new dates."""
    moved(draft, move)
    placement = draft.case.placements[move.aggregate_id]
    draft.put_placement(
        replace(
            placement,
            start_date=move.data.get("start_date", placement.start_date),
            planned_end=move.data.get("planned_end", placement.planned_end),
        )
    )


def extended(draft: Draft, move: Move) -> None:
    """Take over the new end."""
    moved(draft, move)
    placement = draft.case.placements[move.aggregate_id]
    draft.put_placement(replace(placement, planned_end=move.data["new_end"]))


def converted(draft: Draft, move: Move) -> None:
    """Go on under another programme."""
    moved(draft, move)
    placement = draft.case.placements[move.aggregate_id]
    draft.put_placement(replace(placement, programme=move.data["to_programme"]))


def start_confirmed(draft: Draft, move: Move) -> None:
    """The host has said so."""
    moved(draft, move)
    draft.put_placement(replace(draft.case.placements[move.aggregate_id], confirmed=True))


def hours_reported(draft: Draft, move: Move) -> None:
    """Remember that the month was reported; hours that were worked keep the person's rights."""
    moved(draft, move)
    placement, period = draft.case.placements[move.aggregate_id], move.data["period"]
    months = sorted({*placement.reported, period})[-MONTHS_KEPT:]
    draft.put_placement(replace(placement, reported=tuple(months)))
    if Decimal(move.data.get("hours", 0)) <= 0:
        return
    for right in draft.case.rights.values():
        if (right.last_activity or "") < period:
            draft.put_right(replace(right, last_activity=period))


def suspended(draft: Draft, move: Move) -> None:
    """Remember until when it is expected to last."""
    moved(draft, move)
    placement = draft.case.placements[move.aggregate_id]
    draft.put_placement(replace(placement, expected_until=move.data.get("expected_until")))


def ended(draft: Draft, move: Move) -> None:
    """Remember the last day, from which the outcome is waited for."""
    moved(draft, move)
    placement = draft.case.placements[move.aggregate_id]
    end_date = move.data.get("end_date", draft.occurred_on.isoformat())
    draft.put_placement(replace(placement, ended_on=end_date))


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
