"""What each referral event does to the case, and which hub events follow (`domain.md` §3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from gateway.exchange.desks import endorser, named_target, onward
from gateway.exchange.minors import is_minor
from gateway.exchange.offer_effects import accepted as accepted_offer
from gateway.exchange.offer_effects import offer_of, used
from gateway.exchange.state import Referral
from gateway.exchange.tasks import raise_task
from gateway.exchange.trajectory_effects import holder_due
from schemas.lifecycle import lifecycles

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft, Move

CLAIMING_ROLES = ("W", "S", "T")
ADVERTISED = ("availability", "expires_on")


def created(draft: Draft, move: Move) -> None:
    """Open the case when it is the first referral; route it to endorser, target or candidates."""
    referral = _new_referral(draft, move)
    draft.put_referral(referral)
    used(draft, referral.offer_id, referral.referrer)
    if draft.case.version == 0:
        _open_trajectory(draft)
    elif draft.case.state == "closed":
        draft.follow("trajectory.reopened", draft.case.id, reason="new_information")
    if referral.state == "open":
        _advertise(draft, referral, "open", move.data)


def _new_referral(draft: Draft, move: Move) -> Referral:
    data, state = move.data, move.state
    target = named_target(draft, data)
    parent = draft.case.referrals.get(data.get("parent_referral_id", ""))
    referral = Referral(
        id=move.aggregate_id,
        state=state,
        version=1,
        programme=data.get("programme", "to_be_determined"),
        referrer=_referrer(draft, move),
        target=target,
        handler=target if state == "sent" else None,
        endorser=endorser(draft) if state == "pending_endorsement" else None,
        offer_id=data.get("offer_id"),
        parent_id=data.get("parent_referral_id"),
        predecessor_id=data.get("predecessor_referral_id"),
        expires_on=data.get("expires_on"),
        protected=is_minor(draft, data) or (parent is not None and parent.protected),
    )
    return _with_candidates(draft, referral)


def _referrer(draft: Draft, move: Move) -> str:
    """A child of a redirection keeps the original referrer."""
    parent = draft.case.referrals.get(move.data.get("parent_referral_id", ""))
    if move.actor.role == "HUB" and parent is not None:
        return parent.referrer
    return move.actor.caused_by


def _open_trajectory(draft: Draft) -> None:
    """The case of a partner's referral is proposed to the desk, which has working days for it."""
    proposed = None
    if draft.sender.role not in ("V", "O"):
        proposed = draft.context.registry.participant(endorser(draft) or "")
    if proposed is None:
        draft.follow("trajectory.opened", draft.case.id)
        return
    draft.follow(
        "trajectory.opened",
        draft.case.id,
        proposed_holder=proposed.organisation,
        due=holder_due(draft),
    )


def _with_candidates(draft: Draft, referral: Referral) -> Referral:
    """Who may claim an open referral: V and O by territory, W, S and T with a fitting offer."""
    if referral.state != "open":
        return replace(referral, candidates=())
    registry, nis, today = draft.context.registry, draft.nis, draft.today
    owners = draft.context.offer_owners(referral.programme, nis)
    found = {one.id for role in ("V", "O") for one in registry.in_role(role, nis, today)}
    for role in CLAIMING_ROLES:
        found |= {one.id for one in registry.in_role(role, nis, today) if one.id in owners}
    offer = offer_of(draft, referral.offer_id)
    owner = None if offer is None else registry.participant(offer.owner)
    if owner is not None and owner.role in CLAIMING_ROLES and owner.serves(nis, today):
        found.add(owner.id)
    return replace(referral, candidates=tuple(sorted(found - {referral.referrer})))


def _advertise(
    draft: Draft, referral: Referral, status: str, data: dict[str, Any] | None = None
) -> None:
    shown = {key: data[key] for key in ADVERTISED if data and key in data}
    draft.follow(
        "referral.advertised",
        referral.id,
        referral_id=referral.id,
        status=status,
        programme=referral.programme,
        **shown,
    )


def moved(draft: Draft, move: Move) -> None:
    """Change the state alone; leaving `open` is told to the candidates."""
    before = draft.case.referrals[move.aggregate_id]
    after = replace(before, state=move.state, version=before.version + 1)
    table = lifecycles()["referral"]
    if table.is_active(before.state) and not table.is_active(move.state):
        after = replace(
            after, previous=before.state, closed_by=move.actor.id, closed_at=draft.context.now
        )
    if before.state == "open" and move.state != "open":
        _advertise(draft, before, "closed")
        draft.opened.extend(_waiting_members(draft))
    draft.put_referral(after)


def _waiting_members(draft: Draft) -> list[str]:
    """Members from whom the person was hidden while the referral was open."""
    return [one for one in (draft.case.proposed_holder, draft.case.holder) if one is not None]


def endorsed(draft: Draft, move: Move) -> None:
    """Send it on to its target, or open it to the candidates."""
    moved(draft, move)
    referral = draft.case.referrals[move.aggregate_id]
    handler = referral.target if move.state == "sent" else None
    referral = _with_candidates(draft, replace(referral, handler=handler))
    draft.put_referral(referral)
    if move.state == "open":
        _advertise(draft, referral, "open")


def claimed(draft: Draft, move: Move) -> None:
    """The claimant becomes the handler and gets the referral as backfill."""
    moved(draft, move)
    referral = replace(draft.case.referrals[move.aggregate_id], handler=move.actor.id)
    draft.put_referral(referral)


def accepted(draft: Draft, move: Move) -> None:
    """Settle the programme and the organiser that the handler names."""
    moved(draft, move)
    referral = draft.case.referrals[move.aggregate_id]
    organiser = referral.organiser
    if "organiser_org" in move.data:
        organiser = draft.resolve(move.data["organiser_org"], ("W", "O", "S"))
    referral = replace(
        referral,
        programme=move.data.get("programme", referral.programme),
        organiser=organiser,
        offer_id=move.data.get("offer_id", referral.offer_id),
    )
    draft.put_referral(referral)
    used(draft, referral.offer_id, referral.referrer)
    accepted_offer(draft, referral.offer_id)


def declined(draft: Draft, move: Move) -> None:
    """Nobody falls out: a task goes to the case holder, else to the competent OCMW."""
    moved(draft, move)
    raise_task(draft, f"{move.state}_referral", move.aggregate_id)


def redirected(draft: Draft, move: Move) -> None:
    """Close this referral and make its child for the new target, in the same transaction."""
    parent = draft.case.referrals[move.aggregate_id]
    moved(draft, move)
    target, role = onward(draft, move, parent.referrer)
    draft.follow(
        "referral.created",
        move.data["child_referral_id"],
        programme=parent.programme,
        target_org=target,
        target_role=role,
        offer_id=parent.offer_id,
        parent_referral_id=parent.id,
    )


def withdrawn(draft: Draft, move: Move) -> None:
    """Cancel a placement that was only planned."""
    moved(draft, move)
    for placement in draft.case.placements.values():
        if placement.referral_id == move.aggregate_id and placement.state == "planned":
            draft.follow("placement.cancelled", placement.id, reason="referral_withdrawn")


def reopened(draft: Draft, move: Move) -> None:
    """Return to the state before; an open one is advertised again."""
    moved(draft, move)
    referral = replace(
        draft.case.referrals[move.aggregate_id], previous=None, closed_by=None, closed_at=None
    )
    referral = _with_candidates(draft, referral)
    draft.put_referral(referral)
    if move.state == "open":
        _advertise(draft, referral, "open")


def closed(draft: Draft, move: Move) -> None:
    """Remember the placement that closed it, so that voiding that one reopens this."""
    moved(draft, move)
    referral = draft.case.referrals[move.aggregate_id]
    draft.put_referral(replace(referral, placement_id=move.data.get("placement_id")))
    if move.actor.role == "HUB" and move.data.get("result") == "not_placed":
        _end_without_start(draft, move)


def _end_without_start(draft: Draft, move: Move) -> None:
    """Nobody falls out: what was planned for it is over, and somebody decides how to go on."""
    for placement in draft.case.placements.values():
        if placement.referral_id == move.aggregate_id and placement.state == "planned":
            draft.follow("placement.cancelled", placement.id, reason="no_start")
    raise_task(draft, "expired_referral", move.aggregate_id)
