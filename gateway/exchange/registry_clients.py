"""The rules for one client at a time: making it, giving it a new key or secret. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.errors import ClientExists, InvalidClient, UnknownRecord
from gateway.exchange.registry_entries import ID_HINT, KEYS_MAX, is_identifier
from gateway.exchange.scopes import allowed_scopes
from schemas.documents import Faults
from schemas.errors import Message

if TYPE_CHECKING:
    from gateway.exchange.registry import Client, Credential, Registry

OVERLAP_MAX_SECONDS = 30 * 86_400


def check_new(registry: Registry, client: Client) -> None:
    """Check a client that is to be made.

    Raises:
        ClientExists: one of that id exists or existed.
        InvalidClient: with every fault in it.
    """
    if registry.client(client.id) is not None:
        raise ClientExists(
            Message(
                nl=f"Client {client.id} bestaat al; kies een ander id of wissel de sleutel.",
                en=f"Client {client.id} exists; choose another id or rotate its key.",
            )
        )
    faults = Faults()
    if not is_identifier(client.id):
        faults.add("id", "invalid_id", ID_HINT.nl, ID_HINT.en)
    _check_participant(registry, client, faults)
    if client.auth == "client_secret_basic" and registry.environment == "production":
        nl, en = "Geheimen bestaan alleen in testinstallaties.", "Secrets exist in tests only."
        faults.add("auth", "secret_in_production", nl, en)
    if faults.found:
        raise InvalidClient(
            Message(
                nl=f"De client is niet gemaakt: {len(faults.found)} fout(en).",
                en=f"The client was not made: {len(faults.found)} fault(s).",
            ),
            invalid=faults.found,
        )


def with_credential(
    client: Client, credential: Credential, *, now_seconds: float, overlap_seconds: int
) -> Client:
    """The client with a new key or secret; older ones end after the overlap, ended ones go.

    Raises:
        InvalidClient: revoked, the wrong kind of credential, or too long an overlap.
    """
    if client.status != "active":
        raise _invalid("De client is herroepen.", "The client is revoked.")
    kind = "client_secret_basic" if credential.jwk is None else "private_key_jwt"
    if kind != client.auth:
        raise _invalid(
            f"Deze client gebruikt {client.auth}.", f"This client authenticates by {client.auth}."
        )
    if not 0 <= overlap_seconds <= OVERLAP_MAX_SECONDS:
        raise _invalid("De overlap is te lang.", "The overlap is too long.")
    end = int(now_seconds) + overlap_seconds
    older = [
        one if one.not_after is not None and one.not_after < end else replace(one, not_after=end)
        for one in client.credentials
        if one.jwk != credential.jwk or credential.jwk is None
    ]
    kept = [one for one in older if one.is_usable(now_seconds)][: KEYS_MAX - 1]
    return replace(client, credentials=(credential, *kept))


def known_client(registry: Registry, client_id: str) -> Client:
    """The client of an id.

    Raises:
        UnknownRecord: there is none.
    """
    client = registry.client(client_id)
    if client is None:
        raise UnknownRecord(
            Message(nl="Deze client bestaat niet.", en="There is no such client."),
        )
    return client


def _check_participant(registry: Registry, client: Client, faults: Faults) -> None:
    participant = registry.participant(client.participant)
    if participant is None or participant.status != "active":
        nl, en = "Deze deelnemer bestaat niet of is herroepen.", "No such active participant."
        faults.add("participant", "unknown_participant", nl, en)
        return
    allowed = allowed_scopes(participant.role)
    names = ", ".join(sorted(allowed))
    if not client.scopes:
        faults.add("scopes", "missing", f"Kies uit {names}.", f"Choose from {names}.")
    for scope in sorted(client.scopes - allowed):
        nl, en = f"{scope} past niet bij deze rol; kies uit {names}.", f"{scope}: use {names}."
        faults.add("scopes", "unknown_value", nl, en)


def _invalid(nl: str, en: str) -> InvalidClient:
    return InvalidClient(Message(nl=nl, en=en))
