"""What offer events do, and what a referral or placement means to the offer that it names.

An offer is about no person. It remembers on which cases it is used, so that those are told when it
is withdrawn; who is told is decided on the case itself, by an errand of the hub.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from gateway.exchange.decision import Errand
from gateway.exchange.offer_state import Offer
from gateway.exchange.trajectory_effects import moved as trajectory_moved
from schemas.lifecycle import lifecycles

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.exchange.draft import Draft, Move

WITHDRAWN = "offer_withdrawn"
"""Code of the warning and of the task that follow when an offer is no longer there."""

_LISTS = ("dayparts", "languages", "accessibility")


def published(draft: Draft, move: Move) -> None:
    """Add the offer; its sender owns it, and all its places are free."""
    data = move.data
    offer = Offer(
        id=move.aggregate_id,
        state=move.state,
        version=1,
        owner=move.actor.id,
        territory_nis=draft.nis,
    )
    draft.offer = _taken_over(draft, offer, data)
    _warn_of_overlap(draft)


def updated(draft: Draft, move: Move) -> None:
    """Take over what the rules and the search need of the changed and cleared fields."""
    _moved(draft, move)
    if draft.offer is not None:
        draft.offer = _taken_over(draft, draft.offer, move.data)
    _warn_of_overlap(draft)


def capacity_changed(draft: Draft, move: Move) -> None:
    """The owner states what is free; what was accepted before is in it."""
    _moved(draft, move)
    if draft.offer is not None:
        data = move.data
        free, waiting = data["free_places"], data.get("waiting", 0)
        draft.offer = replace(draft.offer, free_places=free, waiting=waiting, accepted=0)


def ended(draft: Draft, move: Move) -> None:
    """Tell every case that uses the offer: its referrals stay, its planned placements too."""
    _moved(draft, move)
    offer = draft.offer
    for trajectory_id, participant in offer.uses.items() if offer is not None else ():
        draft.errands.append(
            Errand(
                id=f"{WITHDRAWN}-{move.aggregate_id}-{trajectory_id}",
                due_at=draft.context.now,
                name="trajectory.warning_raised",
                target_id=trajectory_id,
                aggregate_id=None,
                acts_for=participant,
                data={"kind": WITHDRAWN, "detail_code": move.aggregate_id},
            )
        )


def resolved(draft: Draft, move: Move) -> None:
    """Published again, or withdrawn like any other."""
    if move.state == "withdrawn":
        ended(draft, move)
    else:
        _moved(draft, move)


def moved(draft: Draft, move: Move) -> None:
    """Change the state alone."""
    _moved(draft, move)


def _moved(draft: Draft, move: Move) -> None:
    if draft.offer is not None:  # the engine found it already; this keeps the type checker's word
        draft.offer = replace(draft.offer, state=move.state, version=draft.offer.version + 1)


def _taken_over(draft: Draft, offer: Offer, data: dict[str, Any]) -> Offer:
    """The offer with what the data say; a cleared field has its value of before there was one."""
    fields: dict[str, Any] = {name: tuple(data[name]) for name in _LISTS if name in data} | {
        name: () for name in _LISTS if name in data.get("cleared", ())
    }
    if "programme_scope" in data:
        fields["programmes"] = tuple(data["programme_scope"])
    if "host_org" in data:
        fields |= {"host_org": data["host_org"], "hosts": _hosts(draft, data["host_org"])}
    if "non_displacement" in data:
        fields["declared"] = is_declared(data)
    if "valid_to" in data:
        fields["valid_to"] = data["valid_to"]
    if "activity_code" in data:
        fields["activity"] = data["activity_code"]
    if "places" in data:
        taken = offer.places - offer.free_places
        fields |= {"places": data["places"], "free_places": max(0, data["places"] - taken)}
    return replace(offer, **fields)


def _hosts(draft: Draft, host_org: str) -> tuple[str, ...]:
    found = draft.context.registry.participants_of(host_org)
    return tuple(one.id for one in found if one.role == "H")


def is_declared(data: dict[str, Any]) -> bool:
    """Whether the data hold a non-displacement declaration that says yes."""
    return data.get("non_displacement", {}).get("declared") is True


def _warn_of_overlap(draft: Draft) -> None:
    """The same work at the same place as paid employment elsewhere: told, never blocked (R9)."""
    offer = draft.offer
    if offer is None or offer.state == "draft":
        return
    near = [
        one
        for one in draft.context.offers_at(offer.territory_nis)
        if (one.host_org, one.activity) == (offer.host_org, offer.activity) and one.id != offer.id
    ]
    own = {_is_employment(draft, one) for one in offer.programmes}
    others = {_is_employment(draft, code) for one in near for code in one.programmes}
    if len(own) > 1 or (others and own != others):
        draft.warn(
            "overlap_of_offers",
            "Op dezelfde werkplek wordt dezelfde activiteit ook als betaalde sociale "
            "tewerkstelling aangeboden. Kijk na of dit geen werk verdringt.",
            "The same activity at the same workplace is also offered as paid social employment. "
            "Check that this displaces no work.",
        )


def _is_employment(draft: Draft, programme: str) -> bool:
    return bool(draft.rules(programme).is_employment)


def used(draft: Draft, offer_id: str | None, participant: str) -> None:
    """Remember on the offer that this case uses it."""
    offer = draft.named_offer
    if offer is None or offer.id != offer_id or draft.case.id in offer.uses:
        return
    draft.named_offer = replace(offer, uses={**offer.uses, draft.case.id: participant})


def accepted(draft: Draft, offer_id: str | None) -> None:
    """Capacity is the owner's statement: acceptances beyond it are told, not refused."""
    offer = offer_of(draft, offer_id)
    if offer is None:
        return
    if offer.accepted >= offer.free_places:
        draft.warn(
            "no_free_places",
            "De aanbieder meldt geen vrije plaats meer voor dit aanbod. Overleg met de aanbieder.",
            "The owner states no free place for this offer any more. Speak to the owner.",
        )
    if draft.named_offer is offer:
        draft.named_offer = replace(offer, accepted=offer.accepted + 1)


def offer_of(draft: Draft, offer_id: str | None) -> Offer | None:
    """The offer that a referral or placement is about; the newest that is known of it."""
    if offer_id is None:
        return None
    if draft.named_offer is not None and draft.named_offer.id == offer_id:
        return draft.named_offer
    return draft.context.find_offer(offer_id)


def case_warned(raise_task: Callable[..., None]) -> Callable[[Draft, Move], None]:
    """The effect of a warning on a case: an offer that went away is the handler's next step."""

    def warned(draft: Draft, move: Move) -> None:
        trajectory_moved(draft, move)
        if move.data["kind"] != WITHDRAWN:
            return
        for referral in draft.case.referrals.values():
            live = lifecycles()["referral"].is_active(referral.state)
            if live and referral.offer_id == move.data["detail_code"]:
                raise_task(draft, WITHDRAWN, referral.id, referral.handler or referral.endorser)

    return warned
