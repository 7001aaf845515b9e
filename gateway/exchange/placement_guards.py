"""What else must hold for a placement or outcome event: who plans, mentor, insurance, hours.

Pure checks on the draft, by the names that the tables use; see `guards.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.exchange.draft import broken
from gateway.exchange.offer_effects import offer_of

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft, Move
    from gateway.exchange.state import Referral

INDEPENDENT = frozenset({"document", "dimona_checked"})
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
    rows = move.data.get("assignments")
    known = draft.case.placements[move.aggregate_id].mentored
    if rows is not None:
        known = known or all("mentor" in row or "household" in row for row in rows)
    if not known:
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


def period_not_future(draft: Draft, move: Move) -> None:
    """Hours of a month that has not begun cannot have been worked."""
    if move.data["period"] > draft.today.isoformat()[:7]:
        raise broken(
            "period_in_future",
            "period ligt in de toekomst. Meld uren van een begonnen maand.",
            "period lies in the future. Report hours of a month that has begun.",
            "period",
        )


def independent_evidence(draft: Draft, move: Move) -> None:
    """Whoever recorded an outcome confirms it only on paper or Dimona."""
    recorder = draft.context.registry.participant(draft.case.outcomes[move.aggregate_id].recorder)
    same = recorder is not None and recorder.organisation == draft.sender.organisation
    if same and move.data.get("evidence") not in INDEPENDENT:
        raise broken(
            "evidence_not_independent",
            "U registreerde dit resultaat zelf: bevestig met evidence document of dimona_checked.",
            "You recorded this outcome yourself: confirm with evidence document or dimona_checked.",
            "evidence",
        )
