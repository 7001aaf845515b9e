"""The administrator's calls: the registry, the clients and the signing keys (scope `sj_admin`).

Every change is made in one transaction with a line that says who did it, and counts at once in
this process and within two seconds in the others. Keys come in as public parts, and nothing that
proves a client ever goes out again.
"""

from dataclasses import asdict
from typing import Annotated, Any, Self

from fastapi import APIRouter, Body, Depends
from pydantic import BaseModel, ConfigDict, Field, model_validator

from gateway.api.authentication import principal_with
from gateway.api.collaborators import TokenVerifier
from gateway.api.documented import refusals
from gateway.exchange.credentials import checked_public_jwk, secret_hash
from gateway.exchange.registry import Client, Credential
from gateway.exchange.registry_document import parse
from gateway.exchange.registry_live import LiveRegistry
from gateway.exchange.registry_plan import Plan
from gateway.exchange.registry_store import RegistryStore
from gateway.oauth.keys import SigningKeys
from gateway.oauth.verifier import Principal

SCOPE = "sj_admin"
ROTATION_OVERLAP_SECONDS = 86_400


class Application(BaseModel):
    """A registry file, and the version of the plan that was agreed to."""

    model_config = ConfigDict(extra="forbid", strict=True)

    document: dict[str, Any]
    expected_version: int | None = None


class Proof(BaseModel):
    """What a client will prove itself with: a public key or a secret, exactly one of the two."""

    model_config = ConfigDict(extra="forbid", strict=True)

    jwk: dict[str, Any] | None = None
    secret: Annotated[str, Field(min_length=32, max_length=256)] | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if (self.jwk is None) == (self.secret is None):
            raise ValueError("give jwk or secret")
        return self

    def credential(self) -> Credential:
        """As the registry keeps it.

        Raises:
            InvalidClient: the key is not a public one of an accepted type.
        """
        if self.secret is not None:
            return Credential(secret_hash=secret_hash(self.secret))
        return Credential(jwk=checked_public_jwk(self.jwk))


class NewClient(Proof):
    """A client to be made."""

    id: str
    participant: str
    scopes: list[str]
    name: str = ""
    trusted_trace: bool = False

    def client(self) -> Client:
        """As the registry keeps it; raises as `credential`."""
        return Client(
            id=self.id,
            participant=self.participant,
            auth="private_key_jwt" if self.secret is None else "client_secret_basic",
            scopes=frozenset(self.scopes),
            trusted_trace=self.trusted_trace,
            credentials=(self.credential(),),
            name=self.name or self.id,
        )


class Replacement(Proof):
    """A client's new key or secret.

    Attributes:
        overlap_seconds: how long the older ones still count.
    """

    overlap_seconds: int = ROTATION_OVERLAP_SECONDS


def router(
    *, live: LiveRegistry, store: RegistryStore, signing: SigningKeys, verifier: TokenVerifier
) -> APIRouter:
    """All routes; every one refuses a caller without the scope before it reads anything."""
    administrator = principal_with(verifier, SCOPE)
    routes = APIRouter(tags=["administration"], dependencies=[Depends(administrator)])
    _add_registry_routes(routes, administrator, live, store)
    _add_client_routes(routes, administrator, live, store)

    @routes.post(
        "/v1/signing-keys/rotate", summary="Sign tokens with the next key", responses=refusals(409)
    )
    def rotate_signing_key(
        principal: Annotated[Principal, Depends(administrator)],
        *,
        emergency: Annotated[bool, Body(embed=True)] = False,
    ) -> dict[str, Any]:
        current, following = signing.rotate(actor=principal.client_id, emergency=emergency)
        live.refresh()
        return {"current": current, "next": following}

    return routes


def _add_registry_routes(
    routes: APIRouter, administrator: Any, live: LiveRegistry, store: RegistryStore
) -> None:
    @routes.post(
        "/v1/registry/plan",
        summary="What applying a registry file would change",
        responses=refusals(422),
    )
    def plan(document: Annotated[dict[str, Any], Body()]) -> dict[str, Any]:
        changes = store.plan(parse(document, store.environment))
        return _shown(changes, changes.version)

    @routes.post(
        "/v1/registry/apply",
        summary="Apply a registry file, in one transaction",
        responses=refusals(409, 422),
    )
    def apply(
        principal: Annotated[Principal, Depends(administrator)], wanted: Application
    ) -> dict[str, Any]:
        changes = store.apply(
            parse(wanted.document, store.environment),
            principal.client_id,
            expected_version=wanted.expected_version,
        )
        return _shown(changes, live.refresh().version)


def _add_client_routes(
    routes: APIRouter, administrator: Any, live: LiveRegistry, store: RegistryStore
) -> None:
    @routes.get("/v1/clients", summary="The clients, without what proves them")
    def clients() -> dict[str, Any]:
        found = sorted(live.refresh().clients.values(), key=lambda one: one.id)
        return {"clients": [_described(one) for one in found]}

    @routes.post(
        "/v1/clients", status_code=201, summary="Make a client", responses=refusals(409, 422)
    )
    def create(
        principal: Annotated[Principal, Depends(administrator)], wanted: NewClient
    ) -> dict[str, Any]:
        client = wanted.client()
        store.create_client(client, principal.client_id)
        live.refresh()
        return _described(client)

    @routes.post(
        "/v1/clients/{client_id}/rotate",
        summary="Give a client a new key or secret",
        responses=refusals(404, 409, 422),
    )
    def rotate(
        principal: Annotated[Principal, Depends(administrator)], client_id: str, wanted: Replacement
    ) -> dict[str, Any]:
        client = store.rotate_client(
            client_id,
            wanted.credential(),
            principal.client_id,
            overlap_seconds=wanted.overlap_seconds,
        )
        live.refresh()
        return _described(client)

    @routes.post(
        "/v1/clients/{client_id}/revoke",
        summary="Take a client back, for good",
        responses=refusals(404, 409),
    )
    def revoke(
        principal: Annotated[Principal, Depends(administrator)], client_id: str
    ) -> dict[str, Any]:
        client = store.revoke_client(client_id, principal.client_id)
        live.refresh()
        return _described(client)


def _shown(changes: Plan, version: int) -> dict[str, Any]:
    return {
        "version": version,
        "changes": [asdict(change) for change in changes.changes],
        "clients_without_key": list(changes.without_key),
    }


def _described(client: Client) -> dict[str, Any]:
    return {
        "id": client.id,
        "name": client.name,
        "participant": client.participant,
        "auth": client.auth,
        "scopes": sorted(client.scopes),
        "trusted_trace": client.trusted_trace,
        "status": client.status,
        "credentials": [
            {"kid": one.jwk["kid"] if one.jwk else None, "not_after": one.not_after}
            for one in client.credentials
        ],
    }
