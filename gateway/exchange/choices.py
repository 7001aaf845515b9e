"""The rules that pick one of several targets of a transition, by the name the tables use."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gateway.exchange.desks import endorser, named_target, no_desk
from gateway.exchange.offer_effects import is_declared

if TYPE_CHECKING:
    from gateway.exchange.draft import Actor, Draft

Choice = Callable[["Draft", "Actor", str, dict[str, Any]], str]


def entry(draft: Draft, actor: Actor, _aggregate_id: str, data: dict[str, Any]) -> str:
    """Endorsement first when the programme's rules ask it; else to the target, or open (R1, R4)."""
    if actor.role == "HUB":
        return "sent"
    if actor.role not in ("V", "O"):
        if endorser(draft) is None:
            raise no_desk()
        rules = draft.rules(data.get("programme", "to_be_determined"))
        if rules.endorsement_required(actor.role):
            return "pending_endorsement"
    return "open" if named_target(draft, data) is None else "sent"


def entry_after_endorsement(
    draft: Draft, _actor: Actor, aggregate_id: str, _data: dict[str, Any]
) -> str:
    """To the target that the referrer named, or open."""
    return "open" if draft.case.referrals[aggregate_id].target is None else "sent"


def holder(draft: Draft, _actor: Actor, _aggregate_id: str, _data: dict[str, Any]) -> str:
    """Held by the VDAB or OCMW that refers; else nobody holds it yet."""
    return "held" if draft.sender.role in ("V", "O") else "unassigned"


def holder_again(draft: Draft, _actor: Actor, _aggregate_id: str, _data: dict[str, Any]) -> str:
    """Held again by whoever held it, if that still takes part there."""
    former = draft.context.registry.participant(draft.case.holder or "")
    if former is None or not former.is_valid(draft.today):
        return "unassigned"
    return "held" if former.serves(draft.nis, draft.today) else "unassigned"


def declaration(draft: Draft, _actor: Actor, _aggregate_id: str, data: dict[str, Any]) -> str:
    """An offer without non-displacement declaration stays a draft (R9)."""
    known = draft.offer is not None and draft.offer.declared and "non_displacement" not in data
    return "published" if known or is_declared(data) else "draft"


def displacement_decision(
    _draft: Draft, _actor: Actor, _aggregate_id: str, data: dict[str, Any]
) -> str:
    """Unfounded or under conditions: published again."""
    return "withdrawn" if data.get("decision") == "withdrawn" else "published"


CHOICES: dict[str, Choice] = {
    choice.__name__: choice
    for choice in (
        entry,
        entry_after_endorsement,
        holder,
        holder_again,
        declaration,
        displacement_decision,
    )
}
"""Choice by the name that the tables use."""
