"""Who stands in which relation to a case (`domain.md` §3.3, §3.13), derived from its state.

Relations are never stored: the referral says who its handler is, the trajectory who holds it.
Audience expressions, the actors of the lifecycle tables and membership all read these names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.lifecycle import lifecycles

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.exchange.mandate import Mandate
    from gateway.exchange.offer_state import Offer
    from gateway.exchange.state import Outcome, Placement, Referral, Right, Trajectory

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
    """Every member of a trajectory now, with all its relations to anything in it.

    A membership ends with the role: with the referral that was declined, withdrawn or closed, the
    placement that ended, the outcome that was confirmed, the right that is over. A referrer stays,
    to hear what came of it, until the case is reopened after its part was over.
    Candidates of an open referral and hosts of a planned placement are no members.
    """
    return _held(trajectory, is_over_too=False)


def parties(trajectory: Trajectory) -> Relations:
    """Every member, and whoever may still add something to a part that is over.

    Such as late hours, an outcome or after-care; they are given nothing new of the case itself.
    """
    return _held(trajectory, is_over_too=True)


def _held(trajectory: Trajectory, *, is_over_too: bool) -> Relations:
    found: Relations = {}
    tables = lifecycles()
    add_trajectory(found, trajectory)
    placed = set()
    for placement in trajectory.placements.values():
        is_over = is_over_too and placement.state == "ended"
        if is_over or tables["placement"].is_active(placement.state):
            add_placement(found, placement)
            placed.add(placement.referral_id)
    for referral in trajectory.referrals.values():
        is_placed = referral.state == "closed" and referral.id in placed
        if is_placed or tables["referral"].is_active(referral.state):
            add_referral(found, referral)
        elif is_over_too or _hears_of(trajectory, referral):
            _add(found, None if referral.state == "voided" else referral.referrer, "referrer")
    for outcome in trajectory.outcomes.values():
        if is_over_too or tables["outcome"].is_active(outcome.state):
            add_outcome(found, outcome)
    for right in trajectory.rights.values():
        if is_over_too or tables["right"].is_active(right.state):
            add_right(found, right)
    return found


def _hears_of(trajectory: Trajectory, referral: Referral) -> bool:
    """Whether a referrer still hears what came of a referral that is over."""
    return referral.state != "withdrawn" and referral.since >= trajectory.reopened_at


def involved(trajectory: Trajectory) -> Relations:
    """Every party, and whoever was once asked in a part that still stands; for looking it up."""
    found = parties(trajectory)
    for referral in trajectory.referrals.values():
        if referral.state != "voided":
            add_referral(found, referral)
    for placement in trajectory.placements.values():
        if placement.state != "voided":
            add_placement(found, placement)
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


def acting_on_placement(trajectory: Trajectory, placement: Placement, participant: str) -> set[str]:
    """The relations in which somebody may do something about one placement.

    Its organiser is whoever planned it or took it over. Another that the referral names may look
    at it, and does nothing about it.
    """
    found = to_placement(parties(trajectory), trajectory, placement).get(participant, set())
    if participant != placement.organiser:
        found.discard("organiser")
    if placement.state == "planned" and participant in placement.planned_hosts:
        found.add("planned_host")
    if participant == placement.closed_by:
        found.add("closer")
    if any(one.participant == participant for one in placement.former):
        found.add("former_organiser")
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
