"""Whose topic which clients may read, by the registry: the Kafka door's side of agreements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import date

    from gateway.exchange.registry import Participant, Registry

DOOR: Final = "kafka"
SCOPE: Final = "sj_kafka_read"


def kafka_readers(registry: Registry, on: date) -> dict[str, frozenset[str]]:
    """The active clients with the scope, by participant, where a grant of the day has this door.

    A participant without such a client has no topic: nobody could read what is written there, and
    written there counts as disclosed.
    """
    asking: dict[str, set[str]] = {}
    for client in registry.clients.values():
        if client.status == "active" and SCOPE in client.scopes:
            asking.setdefault(client.participant, set()).add(client.id)
    return {
        name: frozenset(clients)
        for name, clients in asking.items()
        if (participant := registry.participant(name)) is not None
        and _has_door(registry, participant, on)
    }


def _has_door(registry: Registry, participant: Participant, on: date) -> bool:
    if not participant.is_valid(on):
        return False
    grants = registry.grants.grants_to(participant.organisation, participant.role)
    return any(DOOR in grant.doors and grant.is_valid_on(on) for grant in grants)
