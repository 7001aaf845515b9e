"""Whom a referral goes to: the target that it names, and the desk of the municipality.

The desk (`domain.md` §3.9) is the OCMW, or VDAB for whom VDAB alone knows; it is where a partner's
referral is decided on, and where a person comes who is known nowhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.errors import NoAgreement
from gateway.exchange.draft import broken
from schemas.errors import Message
from schemas.roles import LETTER, NAME

if TYPE_CHECKING:
    from gateway.errors import RuleBroken
    from gateway.exchange.draft import Draft, Move

RECEIVING_ROLES = ("V", "O", "W", "S", "T")
DESKS = ("O", "V")


def named_target(draft: Draft, data: dict[str, Any]) -> str | None:
    """The participant that `target_org` means; None for an open referral.

    `target_role` alone means the desk of the municipality: its OCMW or VDAB, or the one of the two
    that takes part. A desk that names itself refers openly.

    Raises:
        Unresolvable: nobody or several fit.
        RuleBroken: the role alone names no desk, or none takes part.
    """
    role = data.get("target_role", "")
    if "target_org" in data:
        return draft.resolve(data["target_org"], RECEIVING_ROLES, LETTER.get(role))
    if not role:
        return None
    found = _desk_in_role(draft, LETTER[role])
    return None if found == draft.sender.id else found


def _desk_in_role(draft: Draft, role: str) -> str:
    if role not in DESKS:
        raise broken(
            "target_org_missing",
            "Geef target_org bij target_role; zonder target_org kan het alleen pes of "
            "welfare_centre zijn: het loket van de gemeente.",
            "Give target_org with target_role; without target_org it can only be pes or "
            "welfare_centre: the desk of the municipality.",
            "target_org",
        )
    found = _first(draft, (role, *(one for one in DESKS if one != role)))
    if found is None:
        raise no_desk()
    return found


def endorser(draft: Draft) -> str | None:
    """The desk that decides on a partner's referral (`domain.md` §3.9).

    The OCMW, unless the person is known at VDAB alone; if only one takes part, that one.
    """
    order = ("V", "O") if draft.data.get("known_at") == "vdab" else DESKS
    return _first(draft, order)


def first_competent(draft: Draft, roles: tuple[str, ...]) -> str | None:
    """The participant that is competent for the municipality in the first of these roles.

    Of those that may still do something in the case: nobody that had its data in it erased.
    """
    return _first(draft, roles, () if draft.trajectory is None else draft.trajectory.erased)


def _first(draft: Draft, roles: tuple[str, ...], gone: tuple[str, ...] = ()) -> str | None:
    for role in roles:
        found = draft.context.registry.competent(role, draft.nis, draft.today)
        if found is not None and found.id not in gone:
            return found.id
    return None


def onward(draft: Draft, move: Move, referrer_id: str) -> tuple[str, str | None]:
    """The new target, if the referrer's agreements cover it; else the desk of the municipality."""
    registry, data = draft.context.registry, move.data
    role = data.get("target_role")
    referrer = registry.participant(referrer_id)
    named = registry.participant(
        draft.resolve(data["new_target"], RECEIVING_ROLES, LETTER.get(role or ""))
    )
    if referrer is None or named is None:
        return data["new_target"], role
    if draft.is_covered(referrer.organisation, named, "referral.created"):
        return data["new_target"], role
    desk = registry.participant(first_competent(draft, DESKS) or "")
    if desk is None or desk.id in (move.actor.id, referrer_id):
        raise NoAgreement(
            Message(
                nl=f"Geen actieve overeenkomst van de doorverwijzer dekt {named.name} voor "
                f"gemeente {draft.nis}. Kies een ander in new_target, of weiger met een reden.",
                en=f"No active agreement of the referrer covers {named.name} for municipality "
                f"{draft.nis}. Choose another in new_target, or decline with a reason.",
            ),
            leg="agreement",
        )
    draft.warn(
        "redirected_to_desk",
        f"Geen overeenkomst van de doorverwijzer dekt {named.name}: {desk.name} krijgt het.",
        f"No agreement of the referrer covers {named.name}: {desk.name} gets it.",
    )
    return desk.organisation, NAME[desk.role]


def no_desk() -> RuleBroken:
    """The refusal of a case that would be nobody's."""
    return broken(
        "no_desk",
        "In deze gemeente neemt geen OCMW of VDAB deel aan wie dit dossier kan toekomen.",
        "No OCMW or VDAB that could hold this case takes part in this municipality.",
    )
