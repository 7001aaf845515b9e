"""The first administrator of a hub on one machine, and credentials files of its clients."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import structlog

from gateway.exchange.credentials import new_private_jwk, public_part
from gateway.exchange.registry import Client, Credential
from gateway.exchange.registry_document import parse

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.exchange.registry_store import RegistryStore
    from gateway.settings import HubSettings

log = structlog.get_logger(__name__)

ADMIN_FILE = "admin.json"
ADMIN = "hub-admin"
ORGANISATION: dict[str, Any] = {
    "organisations": [
        {
            "urn": "urn:schakel:org:hub",
            "name": "Schakel",
            "participants": [
                {"id": ADMIN, "role": "hub_admin", "name": "Beheer", "territory": "all"}
            ],
        }
    ]
}


def ensure_administrator(store: RegistryStore, settings: HubSettings) -> None:
    """Make the first administrator and its credentials file, once; idempotent.

    A file that is not here later is kept somewhere else, or lost: its key goes on to count, and
    the log says how to get another.
    """
    path = settings.data / ADMIN_FILE
    if path.exists():
        return
    known = store.load().client(ADMIN)
    if known is not None and (known.credentials or known.status != "active"):
        log.info("administrator_file_not_here", path=str(path), if_lost="schakel client recover")
        return
    document = {"environment": settings.environment, **ORGANISATION}
    store.apply(parse(document, store.environment), ADMIN)
    key = new_private_jwk()
    credential = Credential(jwk=public_part(key))
    if known is None:
        scopes = frozenset({"sj_admin", "sj_audit"})
        store.create_client(
            Client(ADMIN, ADMIN, "private_key_jwt", scopes, credentials=(credential,)), ADMIN
        )
    else:
        store.rotate_client(ADMIN, credential, ADMIN, overlap_seconds=0)
    write_credentials(path, ADMIN, ADMIN, settings, private_key=key)


def renew_administrator(store: RegistryStore, actor: str) -> dict[str, Any]:
    """Give the first administrator a new key, which is returned; its older ones end at once.

    Raises:
        UnknownRecord: this hub never had one.
        InvalidClient: it was revoked.
    """
    key = new_private_jwk()
    store.rotate_client(ADMIN, Credential(jwk=public_part(key)), actor, overlap_seconds=0)
    return key


def credentials_of(
    client_id: str, participant: str, settings: HubSettings, private_key: Any
) -> dict[str, Any]:
    """What stands in a client's credentials file."""
    return {
        "client_id": client_id,
        "participant": participant,
        "private_key": private_key,
        "issuer": settings.issuer,
        "token_url": f"{settings.issuer}/oauth/token",
        "gateway": settings.base_url,
    }


def write_credentials(
    path: Path, client_id: str, participant: str, settings: HubSettings, *, private_key: Any
) -> None:
    """Write a client's credentials, for its owner's eyes only, whole or not at all."""
    document = credentials_of(client_id, participant, settings, private_key)
    partial = path.with_name(f"{path.name}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
