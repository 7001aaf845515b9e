"""What else must hold for a placement: who plans, mentor, insurance, endorsement, agreement.

Pure checks on the draft, by the names that the tables use; see `guards.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import NoAgreement
from gateway.exchange.draft import broken
from gateway.exchange.offer_effects import offer_of
from schemas.errors import Message

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft, Move
    from gateway.exchange.state import Referral

PROGRAMMES_OF = {
    "O": frozenset({"art60_7", "art61"}),
    "S": frozenset({"maatwerk_collectief", "maatwerk_individueel"}),
}


def may_plan(draft: Draft, move: Move) -> None:
    """The handler of an accepted referral plans, or the organiser that the handler named."""
    fitting = PROGRAMMES_OF.get(move.actor.role)
    if fitting is not None and move.data["programme"] not in fitting:
        raise broken(
            "programme_of_other_role",
            "Deze rol kan voor dit programma geen plaatsing plannen.",
            "This role cannot plan a placement of this programme.",
            "programme",
        )
    named = move.data.get("referral_id")
    if named is not None and named not in draft.case.referrals:
        raise broken(
            "unknown_referral",
            "referral_id hoort niet bij dit traject.",
            "referral_id is not part of this trajectory.",
            "referral_id",
        )
    referrals = [draft.case.referrals[named]] if named else list(draft.case.referrals.values())
    if not any(_plans_for(one, move.actor.id) for one in referrals):
        raise broken(
            "referral_not_accepted",
            "Plannen kan wie een doorverwijzing aanvaardde, of wie daarbij als organisator "
            "is genoemd. Stuur eerst referral.accepted.",
            "Planning is for whoever accepted a referral, or was named its organiser. "
            "Send referral.accepted first.",
            "referral_id",
        )


def _plans_for(referral: Referral, participant: str) -> bool:
    return referral.state == "accepted" and participant in (referral.handler, referral.organiser)


def mentor(draft: Draft, move: Move) -> None:
    """Every work floor of an organisation has a mentor at the start (R5)."""
    placement = draft.case.placements[move.aggregate_id]
    known = placement.assignments
    rows = move.data.get("assignments")
    if rows is None:
        has_mentors = placement.mentored
    else:
        has_mentors = all(
            "mentor" in row
            or "household" in row
            or (row["assignment_id"] in known and known[row["assignment_id"]].mentored)
            for row in rows
        )
    if not has_mentors:
        raise broken(
            "mentor_missing",
            "Een plaatsing start niet zonder mentor op de werkvloer. Vul assignments[].mentor in "
            "of stuur placement.mentor_assigned.",
            "A placement does not start without a mentor on the work floor. Fill in "
            "assignments[].mentor or send placement.mentor_assigned.",
            "assignments[].mentor",
        )


def insured(_draft: Draft, move: Move) -> None:
    """Nobody starts uninsured."""
    if move.data.get("insured") is not True:
        raise broken(
            "not_insured",
            "Een plaatsing start niet zonder verzekering: insured moet true zijn.",
            "A placement does not start without insurance: insured must be true.",
            "insured",
        )


def declaration(draft: Draft, move: Move) -> None:
    """A start needs a non-displacement declaration, with the placement or on its offer (R9)."""
    stated = move.data.get("declaration", {}).get("declared") is True
    known = draft.case.placements.get(move.aggregate_id)
    named = move.data.get("offer_id") or (known.offer_id if known is not None else None)
    offer = offer_of(draft, named)
    if not stated and not (offer is not None and offer.declared):
        raise broken(
            "declaration_missing",
            "Een plaatsing start niet zonder verklaring van niet-verdringing. Vul declaration in.",
            "A placement does not start without a non-displacement declaration. "
            "Fill in declaration.",
            "declaration",
        )


def case_holder_known(draft: Draft, _move: Move) -> None:
    """No placement starts while nobody holds the case."""
    if draft.case.holder is None:
        raise broken(
            "no_case_holder",
            "Er is nog geen dossierhouder. Het voorgestelde OCMW of VDAB stuurt eerst "
            "trajectory.case_holder_assigned.",
            "There is no case holder yet. The proposed OCMW or VDAB first sends "
            "trajectory.case_holder_assigned.",
        )


def endorsed(draft: Draft, move: Move) -> None:
    """A programme that asks for an endorsement gets one, also when it was chosen afterwards."""
    known = draft.case.placements.get(move.aggregate_id)
    programme = move.data.get("programme") or (known.programme if known else "")
    named = move.data.get("referral_id") or (known.referral_id if known else None)
    referral = draft.case.referrals.get(named or "")
    if referral is None or referral.endorser is not None:
        return
    referrer = draft.context.registry.participant(referral.referrer)
    if referrer is None or referrer.role in ("V", "O"):
        return
    if draft.rules(programme).endorsement_required(referrer.role):
        raise broken(
            "endorsement_missing",
            f"{programme} vraagt een toeleidingsbeslissing van OCMW of VDAB; deze doorverwijzing "
            "kreeg er geen. Verwijs opnieuw door voor dit programma.",
            f"{programme} asks for the endorsement of OCMW or VDAB, and this referral got none. "
            "Refer again for this programme.",
            "programme",
        )


def hosts_covered(draft: Draft, move: Move) -> None:
    """A workplace that takes part in the hub starts under an agreement with the organiser."""
    registry, sender = draft.context.registry, draft.sender.organisation
    rows = move.data.get("assignments", ())
    for row in rows:
        for host in registry.participants_of(row.get("host_org", "")):
            if host.role == "H" and not draft.is_covered(sender, host, "placement.started"):
                raise NoAgreement(
                    Message(
                        nl=f"Geen actieve overeenkomst met {host.name} dekt plaatsingen in "
                        f"gemeente {draft.nis}. Sluit er een voor de start.",
                        en=f"No active agreement with {host.name} covers placements in "
                        f"municipality {draft.nis}. Conclude one before the start.",
                    ),
                    leg="agreement",
                )
