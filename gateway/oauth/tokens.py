"""The hub's access tokens: `at+jwt` of RFC 9068, signed with ES256, short-lived.

One resource is one audience (RFC 8707): the gateway, or the Kafka broker. A token for the one is
refused by the other. The token says who calls; what that caller may do is read from the registry.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from joserfc import jwt

from gateway.oauth.senders import UNBOUND, Binding

if TYPE_CHECKING:
    from joserfc.jwk import ECKey

    from gateway.exchange.registry import Client

ALGORITHM = "ES256"
TOKEN_TYPE = "at+jwt"  # noqa: S105 - a media type, not a secret


@dataclass(frozen=True, slots=True)
class Resource:
    """What a token can be for.

    Attributes:
        indicator: the `resource` parameter that asks for it.
        audience: the `aud` claim its tokens carry.
        lifetime_seconds: from `iat` to `exp`.
        scopes: the scopes its tokens may carry; None means all the client has.
        checks_senders: whether who takes its tokens can tell who sent them. The broker cannot, so
            its tokens carry no binding; they are made for a proven sender all the same.
    """

    indicator: str
    audience: str
    lifetime_seconds: int
    scopes: frozenset[str] | None = None
    checks_senders: bool = True


GATEWAY = Resource("urn:schakel:gateway", "urn:schakel:gateway", 300)
KAFKA = Resource(
    "urn:schakel:kafka", "kafka", 120, frozenset({"sj_kafka_read"}), checks_senders=False
)
RESOURCES = {one.indicator: one for one in (GATEWAY, KAFKA)}


def mint(
    key: ECKey,
    client: Client,
    *,
    issuer: str,
    resource: Resource,
    scope: str,
    now_seconds: float,
    binding: Binding = UNBOUND,
) -> str:
    """Sign an access token for a client, naming its participant; `key` must hold its `kid`."""
    issued_at = int(now_seconds)
    claims = {
        "iss": issuer,
        "sub": client.id,
        "aud": resource.audience,
        "iat": issued_at,
        "exp": issued_at + resource.lifetime_seconds,
        "jti": secrets.token_urlsafe(16),
        "client_id": client.id,
        "participant": client.participant,
        "scope": scope,
        **binding.claim(),
    }
    header = {"alg": ALGORITHM, "typ": TOKEN_TYPE, "kid": key.kid}
    return jwt.encode(header, claims, key, algorithms=[ALGORITHM])
