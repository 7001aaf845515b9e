"""The administrator's calls: the registry, the clients and the signing keys (scope `sj_admin`).

Every change is made in one transaction with a line that says who did it, and counts at once in
this process and within two seconds in the others.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Body, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from gateway.api.authentication import authenticate, require_scope
from gateway.exchange.credentials import checked_public_jwk, secret_hash
from gateway.exchange.registry import Client, Credential
from gateway.exchange.registry_document import parse
from gateway.oauth.verifier import Principal

if TYPE_CHECKING:
    from gateway.api.collaborators import TokenVerifier
    from gateway.exchange.registry_live import LiveRegistry
    from gateway.exchange.registry_plan import Plan
    from gateway.exchange.registry_store import RegistryStore
    from gateway.oauth.keys import SigningKeys

SCOPE = "sj_admin"
ROTATION_OVERLAP_SECONDS = 86_400


class Apply(BaseModel):
    """A registry file, and the version of the plan that was agreed to."""

    model_config = ConfigDict(extra="forbid")

    document: dict[str, Any]
    expected_version: int | None = None


class NewCredential(BaseModel):
    """A public key or a secret, exactly one of the two."""

    model_config = ConfigDict(extra="forbid")

    jwk: dict[str, Any] | None = None
    secret: str | None = Field(None, min_length=32, max_length=256)

    def credential(self) -> Credential:
        """As the registry keeps it.

        Raises:
            InvalidClient: the key is not of an accepted type.
        """
        if self.secret is not None:
            return Credential(secret_hash=secret_hash(self.secret))
        return Credential(jwk=checked_public_jwk(self.jwk))


class NewClient(NewCredential):
    """A client to be made."""

    id: str
    participant: str
    scopes: list[str]
    auth: str = "private_key_jwt"
    trusted_trace: bool = False


def router(
    *,
    live: LiveRegistry,
    store: RegistryStore,
    signing: SigningKeys,
    verifier: TokenVerifier,
) -> APIRouter:
    """The administrator's routes."""
    routes = APIRouter(tags=["administration"])

    def administrator(request: Request) -> Principal:
        header = request.headers.get("authorization")
        principal = authenticate(verifier, None if header is None else header.encode())
        require_scope(principal, SCOPE)
        return principal

    who = Annotated[Principal, Depends(administrator)]

    @routes.post("/v1/registry/plan", summary="What applying a registry file would change")
    def plan(_: who, document: Annotated[dict[str, Any], Body()]) -> dict[str, Any]:
        return _shown(store.plan(parse(document, store.environment)), live.refresh().version)

    @routes.post("/v1/registry/apply", summary="Apply a registry file, in one transaction")
    def apply(principal: who, wanted: Apply) -> dict[str, Any]:
        changes = store.apply(
            parse(wanted.document, store.environment),
            principal.client_id,
            expected_version=wanted.expected_version,
        )
        return _shown(changes, live.refresh().version)

    @routes.get("/v1/clients", summary="The clients, without their keys")
    def clients(_: who) -> dict[str, Any]:
        found = sorted(live.refresh().clients.values(), key=lambda one: one.id)
        return {"clients": [_client(one) for one in found]}

    @routes.post("/v1/clients", status_code=201, summary="Make a client")
    def create(principal: who, wanted: NewClient) -> dict[str, Any]:
        client = Client(
            id=wanted.id,
            participant=wanted.participant,
            auth="client_secret_basic" if wanted.secret is not None else "private_key_jwt",
            scopes=frozenset(wanted.scopes),
            trusted_trace=wanted.trusted_trace,
            credentials=(wanted.credential(),),
        )
        store.create_client(client, principal.client_id)
        live.refresh()
        return _client(client)

    @routes.post("/v1/clients/{client_id}/rotate", summary="Give a client a new key or secret")
    def rotate(principal: who, client_id: str, wanted: NewCredential) -> dict[str, Any]:
        client = store.rotate_client(
            client_id,
            wanted.credential(),
            principal.client_id,
            overlap_seconds=ROTATION_OVERLAP_SECONDS,
        )
        live.refresh()
        return _client(client)

    @routes.post("/v1/clients/{client_id}/revoke", summary="Take a client back, for good")
    def revoke(principal: who, client_id: str) -> dict[str, Any]:
        client = store.revoke_client(client_id, principal.client_id)
        live.refresh()
        return _client(client)

    @routes.post("/v1/signing-keys/rotate", summary="Sign tokens with the next key")
    def rotate_signing(
        principal: who, *, emergency: Annotated[bool, Body(embed=True)] = False
    ) -> dict[str, Any]:
        current, following = signing.rotate(actor=principal.client_id, emergency=emergency)
        live.refresh()
        return {"current": current, "next": following}

    return routes


def _shown(changes: Plan, version: int) -> dict[str, Any]:
    return {"version": version, "changes": [asdict(change) for change in changes.changes]}


def _client(client: Client) -> dict[str, Any]:
    return {
        "id": client.id,
        "participant": client.participant,
        "auth": client.auth,
        "scopes": sorted(client.scopes),
        "trusted_trace": client.trusted_trace,
        "status": client.status,
    }
