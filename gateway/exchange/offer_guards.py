"""What else must hold for an offer, and for a referral that names one.

Pure checks on the draft, by the names that the tables use; see `guards.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.exchange.draft import broken, unknown_case
from gateway.exchange.offer_effects import is_declared, offer_of

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft, Move
    from gateway.exchange.offer_state import Offer
    from gateway.exchange.registry import Participant

AUTHORITY = "G"


def independent_of_offer(draft: Draft, _move: Move) -> None:
    """Displacement is never resolved by the offer's owner, its host or their municipality."""
    offer = _offer(draft)
    if draft.sender.organisation in _concerned(draft, offer) or _is_their_town(draft, offer):
        raise broken(
            "not_independent",
            "Wie het aanbod beheert, de werkplek of hun gemeente beslist niet over verdringing. "
            "VDAB beslist.",
            "The offer's owner, its host or their municipality does not decide on displacement. "
            "VDAB decides.",
        )


def _concerned(draft: Draft, offer: Offer) -> set[str]:
    """The organisations that have a stake in the offer."""
    found = {one.organisation for one in _participants(draft, offer)}
    return found | ({offer.host_org} if offer.host_org else set())


def _participants(draft: Draft, offer: Offer) -> list[Participant]:
    registry = draft.context.registry
    found = (registry.participant(one) for one in (offer.owner, *offer.hosts))
    return [one for one in found if one is not None]


def _is_their_town(draft: Draft, offer: Offer) -> bool:
    """Whether the sender is the authority of the one municipality that a public party serves."""
    if draft.sender.role != AUTHORITY:
        return False
    registry = draft.context.registry
    for one in _participants(draft, offer):
        organisation = registry.organisation(one.organisation)
        public = organisation is not None and not organisation.private
        local = one.territory is not None and len(one.territory) == 1
        if public and local and draft.sender.serves(next(iter(one.territory or ())), draft.today):
            return True
    return False


def declaration_kept(_draft: Draft, move: Move) -> None:
    """What is published keeps its declaration: it may be renewed, not taken away."""
    taken = "non_displacement" in move.data and not is_declared(move.data)
    if taken or "non_displacement" in move.data.get("cleared", ()):
        raise broken(
            "declaration_withdrawn",
            "Een gepubliceerd aanbod houdt zijn verklaring van niet-verdringing. Trek het aanbod "
            "in met offer.withdrawn.",
            "A published offer keeps its non-displacement declaration. Withdraw the offer with "
            "offer.withdrawn.",
            "non_displacement",
        )


def not_over(draft: Draft, move: Move) -> None:
    """An offer can still be filled on the day it is published or prolonged."""
    if move.data.get("valid_to", "9999-12-31") < draft.today.isoformat():
        raise broken(
            "valid_to_past",
            "valid_to ligt in het verleden: op die dag verviel het aanbod al.",
            "valid_to lies in the past: the offer lapsed on that day already.",
            "valid_to",
        )


def within_places(draft: Draft, move: Move) -> None:
    """No more places are free than there are."""
    if move.data["free_places"] > _offer(draft).places:
        raise broken(
            "more_free_than_places",
            "Er zijn niet meer vrije plaatsen dan plaatsen. Pas eerst places aan met "
            "offer.updated.",
            "No more places are free than there are. Change places first, with offer.updated.",
            "free_places",
        )


def offer_open(draft: Draft, move: Move) -> None:
    """A referral names an offer that exists and can be filled; the rest is told, not refused."""
    offer_id = move.data.get("offer_id")
    if offer_id is None or move.actor.role == "HUB":
        return
    offer = offer_of(draft, offer_id)
    if offer is None:
        raise broken(
            "unknown_offer",
            "Dit aanbod bestaat niet. Zoek het op met GET /v1/offers, of laat offer_id weg.",
            "There is no such offer. Look it up with GET /v1/offers, or leave offer_id out.",
            "offer_id",
        )
    if offer.state != "published" or (offer.valid_to or "9999") < draft.today.isoformat():
        raise broken(
            "offer_not_open",
            "Dit aanbod is niet (meer) gepubliceerd. Kies een ander, of laat offer_id weg.",
            "This offer is not published (any more). Choose another, or leave offer_id out.",
            "offer_id",
        )
    _tell(draft, move, offer)


def _tell(draft: Draft, move: Move, offer: Offer) -> None:
    programme = move.data.get("programme", "to_be_determined")
    if programme not in ("to_be_determined", *offer.programmes):
        draft.warn(
            "offer_for_other_programme",
            f"Dit aanbod is niet voor {programme} bedoeld.",
            f"This offer is not meant for {programme}.",
        )
    if move.name == "referral.created" and offer.accepted >= offer.free_places:
        draft.warn(
            "no_free_places",
            "De aanbieder meldt nu geen vrije plaats voor dit aanbod.",
            "The owner states no free place for this offer now.",
        )


def _offer(draft: Draft) -> Offer:
    if draft.offer is None:
        raise unknown_case()
    return draft.offer


def still_used(draft: Draft, move: Move) -> None:
    """An offer that went away is told to a case only while something there depends on it."""
    if move.data["kind"] != "offer_withdrawn":
        return
    offer_id = move.data["detail_code"]
    waiting = [
        one
        for one in draft.case.referrals.values()
        if one.offer_id == offer_id and one.state not in _SETTLED
    ]
    planned = [
        one
        for one in draft.case.placements.values()
        if one.offer_id == offer_id and one.state == "planned"
    ]
    if not waiting and not planned:
        raise broken(
            "nothing_to_warn_of",
            "In dit traject hangt niets meer van dit aanbod af.",
            "Nothing in this case depends on this offer any more.",
        )


_SETTLED = frozenset({"declined", "redirected", "withdrawn", "expired", "closed", "voided"})
