"""Whom alerts of a participant may reach by mail: those that the registry knows a desk of.

A receiver of webhooks repeats a word; a mailbox cannot. So an address has to lie in a domain where
the registry, which an administrator keeps, has a contact of the same organisation: nobody can have
mail sent to strangers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumers.alerting import Owner
from consumers.mail import domain_of, is_address

if TYPE_CHECKING:
    from datetime import date

    from gateway.exchange.registry import Registry


def owner_of(registry: Registry, participant: str, on: date) -> Owner | None:
    """Who is told when a subscription says nothing else; None when it takes no part that day."""
    found = registry.participants.get(participant)
    if found is None or not found.is_valid(on):
        return None
    return Owner(found.contact.email if found.contact else None)


def is_known(registry: Registry, participant: str, email: str) -> bool:
    """Whether the address lies in a domain of one of its organisation's contacts."""
    own = registry.participants.get(participant)
    if own is None or not is_address(email):
        return False
    contacts = [
        one.contact.email
        for one in registry.participants.values()
        if one.organisation == own.organisation and one.contact and one.contact.email
    ]
    return domain_of(email) in {domain_of(one) for one in contacts}
