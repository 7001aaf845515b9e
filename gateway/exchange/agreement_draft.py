"""Whether a draft may be put before its parties: the law, the registry and the calendar. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import AgreementRefused, NotAParty
from gateway.exchange.agreement_law import Ground, check
from schemas.documents import Faults
from schemas.errors import Message

if TYPE_CHECKING:
    from datetime import date

    from gateway.exchange.registry import Registry
    from schemas.agreement import Agreement


def check_draft(registry: Registry, agreement: Agreement, organisation: str, today: date) -> None:
    """Refuse a draft that the law, the registry or the calendar does not allow.

    Raises:
        NotAParty: the caller's organisation does not stand in it.
        AgreementRefused: with every fault.
    """
    if organisation not in agreement.parties:
        raise _not_a_party()
    faults = Faults()
    ground = Ground(
        registry.environment,
        registry.organisation,
        lambda urn: {one.role for one in registry.participants_of(urn)},
    )
    check(agreement, ground, faults)
    if agreement.valid_to is not None and agreement.valid_to < today:
        nl, en = "De laatste dag is al voorbij.", "The last day has passed already."
        faults.add("validity.to", "past", nl, en)
    _check_older(registry, agreement, faults)
    if faults.found:
        count = len(faults.found)
        raise AgreementRefused(
            Message(
                nl=f"De overeenkomst is niet voorgesteld: {count} fout(en), alle opgesomd.",
                en=f"The agreement was not proposed: {count} fault(s), all listed.",
            ),
            invalid=faults.found,
        )


def _check_older(registry: Registry, agreement: Agreement, faults: Faults) -> None:
    """Only an agreement whose parties all sign the new one is replaced by it."""
    if agreement.supersedes is None:
        return
    older = registry.agreement(agreement.supersedes)
    if older is None or not set(older.agreement.parties) <= set(agreement.parties):
        faults.add(
            "supersedes",
            "unknown_agreement",
            "Geen overeenkomst waarvan alle partijen ook hier partij zijn.",
            "No agreement of which all parties are parties here too.",
        )


def _not_a_party() -> NotAParty:
    return NotAParty(
        Message(
            nl="Alleen een partij stelt een overeenkomst voor.",
            en="Only a party proposes an agreement.",
        )
    )
