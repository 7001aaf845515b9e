"""What must hold when a person is led in: informed, consent, age, and an open programme.

Pure checks on the draft, by the names that the tables use; see `guards.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.exchange.decision import HUB
from gateway.exchange.decision import Warning as Notice
from gateway.exchange.desks import DESKS, endorser, named_target
from gateway.exchange.draft import broken
from gateway.exchange.minors import is_minor
from schemas.errors import Message
from schemas.rule_set import ENDED
from schemas.vocabulary import CONSENT_6_1_A

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft, Move


NOT_IN_FORCE = "programme_not_in_force"


def informed_before(draft: Draft, move: Move) -> None:
    """The person was told before its data are sent on."""
    on = move.data.get("informed", {}).get("on", "")
    if on > draft.today.isoformat():
        raise broken(
            "informed_in_future",
            "informed.on ligt in de toekomst. Informeer de persoon eerst.",
            "informed.on lies in the future. Inform the person first.",
            "informed.on",
        )


def programme_open(draft: Draft, move: Move) -> None:
    """The programme takes people in; a test installation also lets in where no law is yet."""
    programme = move.data.get("programme")
    if programme is not None and move.actor.id != HUB:
        must_be_open(draft, programme, "programme")


def must_be_open(draft: Draft, programme: str, field: str) -> None:
    """Refuse a programme that has ended, and in production one without law.

    Raises:
        RuleBroken: naming the field.
    """
    if draft.context.registry.rules.rule_set(programme, draft.occurred_on).status == ENDED:
        raise broken(
            "programme_ended",
            f"Het programma {programme} neemt geen nieuwe mensen meer op. Kies een ander, "
            "of to_be_determined.",
            f"The programme {programme} takes nobody in any more. Choose another, "
            "or to_be_determined.",
            field,
        )
    if draft.rules(programme).is_in_force:
        return
    missing = Message(
        nl=f"Voor {programme} zijn nog geen regels met een rechtsgrond van kracht.",
        en=f"No rules with a legal reference are in force for {programme} yet.",
    )
    if draft.context.environment == "production":
        raise broken(
            NOT_IN_FORCE,
            f"{missing.nl} Kies een ander programma, of to_be_determined.",
            f"{missing.en} Choose another programme, or to_be_determined.",
            field,
        )
    draft.warnings.append(Notice(NOT_IN_FORCE, missing, (programme,)))


def consent_referenced(draft: Draft, move: Move) -> None:
    """Where the agreement's ground is consent, the referrer says where the consent is kept."""
    if "consent_ref" in move.data or move.actor.id == HUB:
        return
    if _legal_basis(draft, move.data) == CONSENT_6_1_A:
        raise broken(
            "consent_missing",
            "Uw overeenkomst steunt op toestemming. Geef consent_ref: waar u ze bewaart.",
            "Your agreement rests on consent. Give consent_ref: where you keep it.",
            "consent_ref",
        )


def _legal_basis(draft: Draft, data: dict[str, Any]) -> str | None:
    """The ground of the grant under which the referral goes to whoever gets it first."""
    first = draft.context.registry.participant(named_target(draft, data) or endorser(draft) or "")
    if first is None:
        return None
    grant = draft.grant(draft.sender.organisation, first, "referral.created")
    return None if grant is None else grant.legal_basis


def minor_to_desk(draft: Draft, move: Move) -> None:
    """Whoever is of compulsory school age is led to an OCMW or VDAB, with a representative."""
    if move.actor.id == HUB or not is_minor(draft, move.data):
        return
    target = draft.context.registry.participant(named_target(draft, move.data) or "")
    if target is None or target.role not in DESKS:
        raise broken(
            "minor_needs_desk",
            "Een leerplichtige jongere wordt alleen naar een OCMW of VDAB toegeleid. Geef "
            "target_role welfare_centre of pes.",
            "A young person of compulsory school age is led to an OCMW or VDAB only. Give "
            "target_role welfare_centre or pes.",
            "target_org",
        )
    if move.data.get("represented_by", "none") == "none":
        raise broken(
            "representative_missing",
            "Informeer bij een leerplichtige jongere ook de ouder of vertegenwoordiger, en "
            "geef represented_by.",
            "With a young person of compulsory school age, inform the parent or representative "
            "too, and give represented_by.",
            "represented_by",
        )


def protected_to_desk(draft: Draft, move: Move) -> None:
    """A referral of a minor is passed on between OCMW and VDAB only."""
    if not draft.case.referrals[move.aggregate_id].protected:
        return
    if _new_target_role(draft, move) not in DESKS:
        raise broken(
            "minor_needs_desk",
            "Een leerplichtige jongere wordt alleen naar een OCMW of VDAB doorverwezen.",
            "A young person of compulsory school age is redirected to an OCMW or VDAB only.",
            "new_target",
        )


def undecided_to_desk(draft: Draft, move: Move) -> None:
    """Before the toeleidingsbeslissing a referral is passed to the other desk, which decides."""
    if _new_target_role(draft, move) not in DESKS:
        raise broken(
            "endorsement_first",
            "Zonder toeleidingsbeslissing geeft u door aan VDAB of een OCMW. Stuur eerst "
            "referral.endorsed om naar een andere organisatie te verwijzen.",
            "Without a decision of endorsement you pass on to VDAB or an OCMW. Send "
            "referral.endorsed first to redirect to another organisation.",
            "new_target",
        )


def _new_target_role(draft: Draft, move: Move) -> str | None:
    data = {"target_org": move.data["new_target"], "target_role": move.data.get("target_role", "")}
    target = draft.context.registry.participant(named_target(draft, data) or "")
    return None if target is None else target.role
