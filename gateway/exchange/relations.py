"""Who stands in which relation to a case (`domain.md` §3.3, §3.13), derived from its state.

Relations are never stored: the referral says who its handler is, the trajectory who holds it.
Audience expressions, the actors of the lifecycle tables and membership all read these names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.exchange.mandate import Mandate
    from gateway.exchange.state import Offer, Outcome, Placement, Referral, Right, Trajectory

HIDDEN = frozenset({"pending_endorsement", "open"})
"""Referral states in which nobody but the referrer and the endorser learns who the person is."""

ENDORSING = "pending_endorsement"

MEMBER = "member"
"""Relation of a member that has no other one to the aggregate at hand."""

Relations = dict[str, set[str]]
"""Participant to the relations it stands in."""


def _add(found: Relations, participant: str | None, relation: str) -> None:
    if participant is not None:
        found.setdefault(participant, set()).add(relation)


def add_trajectory(found: Relations, trajectory: Trajectory) -> None:
    """Relations to the trajectory itself."""
    _add(found, trajectory.holder, "case_holder")
    _add(found, trajectory.proposed_holder, "proposed_holder")
    _add(found, trajectory.offered_holder, "offered_holder")
    for viewer in trajectory.viewers:
        _add(found, viewer, "viewer")


def add_referral(found: Relations, referral: Referral) -> None:
    """Relations to one referral. A target is none before the referral reaches it."""
    _add(found, referral.referrer, "referrer")
    if referral.state not in HIDDEN:
        _add(found, referral.target, "target")
    _add(found, referral.handler, "handler")
    _add(found, referral.endorser, "endorser")
    _add(found, referral.organiser, "organiser")


def add_placement(found: Relations, placement: Placement) -> None:
    """Relations to one placement. A host is a member only once the placement has started."""
    _add(found, placement.organiser, "organiser")
    _add(found, placement.organiser, "responsible")
    for host in placement.hosts if placement.started else ():
        _add(found, host, "host")


def add_outcome(found: Relations, outcome: Outcome) -> None:
    """Relations to one outcome."""
    _add(found, outcome.recorder, "recorder")


def add_right(found: Relations, right: Right) -> None:
    """Relations to one acquired right."""
    _add(found, right.registrant, "registrant")
    _add(found, right.service, "verifier")


def members(trajectory: Trajectory) -> Relations:
    """Every member of a trajectory with all its relations to anything in it.

    Candidates of an open referral and hosts of a planned placement are no members.
    """
    found: Relations = {}
    add_trajectory(found, trajectory)
    for referral in trajectory.referrals.values():
        if referral.state != "voided":
            add_referral(found, referral)
    for placement in trajectory.placements.values():
        if placement.state != "voided":
            add_placement(found, placement)
    for outcome in trajectory.outcomes.values():
        add_outcome(found, outcome)
    for right in trajectory.rights.values():
        add_right(found, right)
    return found


def to_referral(known: Iterable[str], trajectory: Trajectory, referral: Referral) -> Relations:
    """Every member, of `known`, with the relations that count for one referral."""
    found = {participant: {MEMBER} for participant in known}
    add_trajectory(found, trajectory)
    add_referral(found, referral)
    _add_placements(found, (trajectory.placements.get(referral.placement_id or ""),))
    return found


def to_placement(known: Iterable[str], trajectory: Trajectory, placement: Placement) -> Relations:
    """Every member, of `known`, with the relations to one placement and its referral."""
    found = {participant: {MEMBER} for participant in known}
    add_trajectory(found, trajectory)
    add_placement(found, placement)
    referral = trajectory.referrals.get(placement.referral_id or "")
    if referral is not None:
        add_referral(found, referral)
    return found


def to_outcome(known: Relations, trajectory: Trajectory, outcome: Outcome) -> Relations:
    """Every member, of `known`, with the relations to one outcome and its placement."""
    placement = trajectory.placements.get(outcome.placement_id or "")
    if placement is None:
        found = {participant: relations - {"recorder"} for participant, relations in known.items()}
    else:
        found = to_placement(known, trajectory, placement)
    add_outcome(found, outcome)
    return found


def _add_placements(found: Relations, placements: Iterable[Placement | None]) -> None:
    for placement in placements:
        if placement is not None:
            add_placement(found, placement)


def to_offer(offer: Offer) -> Relations:
    """The owner and the hosts of an offer."""
    found: Relations = {}
    _add(found, offer.owner, "offer_owner")
    for host in offer.hosts:
        _add(found, host, "host")
    return found


def to_mandate(mandate: Mandate) -> Relations:
    """Who proposed a change of mandate, who gives it and who is to have it."""
    found: Relations = {}
    _add(found, mandate.mover, "mover")
    _add(found, mandate.giver, "giver")
    _add(found, mandate.receiver, "target")
    return found
