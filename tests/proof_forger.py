"""Makes DPoP proofs for tests: right ones, and ones that are wrong on purpose in one thing."""

from __future__ import annotations

import base64
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from joserfc import jws
from joserfc.jwk import ECKey

from schemas.proofs import encoded, token_hash

if TYPE_CHECKING:
    from collections.abc import Callable

    from joserfc.jwk import Key

REGISTRY = jws.JWSRegistry(
    algorithms=["ES256", "PS256", "EdDSA", "Ed25519", "RS256", "HS256"], strict_check_header=False
)


def _new_key() -> ECKey:
    return ECKey.generate_key("P-256")


@dataclass
class Forger:
    """A client's key, with every part of the proofs it makes open to a test.

    Attributes:
        key: signs.
        algorithm: what it signs with.
        now: real time in seconds since the epoch.
        nonce: the claim, when there is one.
    """

    key: Key = field(default_factory=_new_key)
    algorithm: str = "ES256"
    now: Callable[[], float] = time.time
    nonce: str | None = None

    @property
    def thumbprint(self) -> str:
        """The `jkt` of the key."""
        return str(self.key.thumbprint())

    def claims(self, method: str, url: str, token: str | None = None) -> dict[str, Any]:
        """The claims of a good proof."""
        claims = {
            "jti": str(uuid.uuid4()),
            "htm": method,
            "htu": url,
            "iat": int(self.now()),
            "ath": None if token is None else token_hash(token),
            "nonce": self.nonce,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def header(self) -> dict[str, Any]:
        """The header of a good proof."""
        jwk = {
            name: value
            for name, value in self.key.as_dict(private=False).items()
            if name in ("kty", "crv", "x", "y", "n", "e")
        }
        return {"typ": "dpop+jwt", "alg": self.algorithm, "jwk": jwk}

    def sign(self, header: dict[str, Any], claims: dict[str, Any] | bytes) -> str:
        """Both, signed with the key as its algorithm does it, whatever the header says.

        A value of None takes a member away.
        """
        parts = [
            part
            if isinstance(part, bytes)
            else orjson.dumps({name: one for name, one in part.items() if one is not None})
            for part in (header, claims)
        ]
        return self.sign_raw(encoded(parts[0]), encoded(parts[1]))

    def sign_raw(self, header: str, payload: str) -> str:
        """Two segments as they are, signed."""
        algorithm = REGISTRY.algorithms[self.algorithm]
        signed = f"{header}.{payload}"
        signature = algorithm.sign(signed.encode(), self.key)
        return f"{signed}.{encoded(signature)}"

    def proof(self, method: str, url: str, token: str | None = None, **changes: Any) -> str:
        """A proof with changed claims; None takes one away."""
        return self.sign(self.header(), {**self.claims(method, url, token), **changes})


def plain(segment: str) -> bytes:
    """The bytes of a base64url segment."""
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
