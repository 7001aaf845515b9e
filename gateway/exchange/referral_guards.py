"""What else must hold for a referral event: target, programme, child, reopening.

Pure checks on the draft, by the names that the tables use; see `guards.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumers.clock import MICROSECONDS_PER_DAY
from gateway.errors import NoAgreement
from gateway.exchange.desks import named_target
from gateway.exchange.draft import broken
from schemas.errors import Message
from schemas.lifecycle import lifecycles

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft, Move
    from gateway.exchange.state import Placement, Referral


def target_covered(draft: Draft, move: Move) -> None:
    """A directed referral needs a grant from the referrer's organisation to its target."""
    target = named_target(draft, move.data)
    participant = draft.context.registry.participant(target or "")
    if participant is None or move.actor.role == "HUB":
        return
    if not draft.is_covered(draft.sender.organisation, participant, "referral.created"):
        raise NoAgreement(
            Message(
                nl=f"Geen actieve overeenkomst dekt een doorverwijzing aan {participant.name} "
                f"voor gemeente {draft.nis}. Sluit er een, of verwijs open door.",
                en=f"No active agreement covers a referral to {participant.name} for "
                f"municipality {draft.nis}. Conclude one, or refer openly.",
            ),
            leg="agreement",
        )


def programme_determined(draft: Draft, move: Move) -> None:
    """Whoever accepts a referral without programme chooses one."""
    referral = draft.case.referrals[move.aggregate_id]
    if referral.programme == "to_be_determined" and "programme" not in move.data:
        raise broken(
            "programme_missing",
            "Deze doorverwijzing heeft nog geen programma. Geef programme mee.",
            "This referral has no programme yet. State programme.",
            "programme",
        )


def new_child(draft: Draft, move: Move) -> None:
    """The child of a redirection is a referral that does not exist yet."""
    if move.data["child_referral_id"] in draft.case.referrals:
        raise broken(
            "child_exists",
            "child_referral_id bestaat al in dit traject. Geef een nieuw UUID.",
            "child_referral_id exists in this trajectory already. Give a fresh UUID.",
            "child_referral_id",
        )


def no_living_placement(draft: Draft, move: Move) -> None:
    """A referral cannot be voided under a placement that lives."""
    living = lifecycles()["placement"].is_active
    if any(living(one.state) for one in _placements_of(draft, move.aggregate_id)):
        raise broken(
            "placement_lives",
            "Aan deze doorverwijzing hangt nog een lopende plaatsing. Beëindig die eerst.",
            "A placement still lives under this referral. End it first.",
        )


def _placements_of(draft: Draft, referral_id: str) -> list[Placement]:
    return [one for one in draft.case.placements.values() if one.referral_id == referral_id]


def still_reversible(draft: Draft, move: Move) -> None:
    """A final state may be taken back for as many days as the programme's rules say."""
    case = draft.case
    referral = case.referrals.get(move.aggregate_id)
    closed: Referral | Placement = referral or case.placements[move.aggregate_id]
    rules = draft.rules(closed.programme)
    days = rules.end_revoke_days if referral is None else rules.reopen_days
    if days is None or closed.closed_at is None or move.actor.role == "HUB":
        return
    if draft.context.now - closed.closed_at > days * MICROSECONDS_PER_DAY:
        raise broken(
            "too_late_to_reopen",
            f"Meer dan {days} dagen geleden afgesloten. Maak een nieuwe doorverwijzing of "
            "plaatsing.",
            f"Closed more than {days} days ago. Make a new referral or placement.",
        )
