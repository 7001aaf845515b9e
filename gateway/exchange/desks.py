"""Whom a referral goes to: the target that it names, and the desk of the municipality.

The desk (`domain.md` §3.9) is the OCMW, or VDAB for whom VDAB alone knows; it is where a partner's
referral is decided on, and where a person comes who is known nowhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.exchange.draft import broken
from schemas.roles import LETTER

if TYPE_CHECKING:
    from gateway.errors import RuleBroken
    from gateway.exchange.draft import Draft

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
    found = first_competent(draft, (role, *(one for one in DESKS if one != role)))
    if found is None:
        raise no_desk()
    return found


def endorser(draft: Draft) -> str | None:
    """The desk that decides on a partner's referral (`domain.md` §3.9).

    The OCMW, unless the person is known at VDAB alone; if only one takes part, that one.
    """
    order = ("V", "O") if draft.data.get("known_at") == "vdab" else DESKS
    return first_competent(draft, order)


def first_competent(draft: Draft, roles: tuple[str, ...]) -> str | None:
    """The participant that is competent for the municipality in the first of these roles."""
    for role in roles:
        found = draft.context.registry.competent(role, draft.nis, draft.today)
        if found is not None:
            return found.id
    return None


def no_desk() -> RuleBroken:
    """The refusal of a case that would be nobody's."""
    return broken(
        "no_desk",
        "In deze gemeente neemt geen OCMW of VDAB deel aan wie dit dossier kan toekomen.",
        "No OCMW or VDAB that could hold this case takes part in this municipality.",
    )
