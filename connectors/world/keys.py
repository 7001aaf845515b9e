"""The keys of a world's clients: derived from its seed, so that they protect nothing.

They let a test installation be played on without asking its administrator for each of them; the
registry that names them says `environment: test`, and a production hub takes no such file.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the curve P-256; a private key is a number from 1 to one less (FIPS 186-5)."""
COORDINATE_BYTES = 32


def private_jwk(seed: int, client: str) -> dict[str, Any]:
    """The private key of a client in the world of this seed, as a JWK for ES256."""
    digest = hashlib.sha256(f"{seed}/key/{client}".encode()).digest()
    secret = int.from_bytes(digest, "big") % (ORDER - 1) + 1
    numbers = ec.derive_private_key(secret, ec.SECP256R1()).public_key().public_numbers()
    return {
        "kty": "EC",
        "crv": "P-256",
        "alg": "ES256",
        "use": "sig",
        "kid": f"{client}-{seed}",
        "x": _text(numbers.x),
        "y": _text(numbers.y),
        "d": _text(secret),
    }


def public_part(private: dict[str, Any]) -> dict[str, Any]:
    """What the registry may know of a key."""
    return {name: value for name, value in private.items() if name != "d"}


def _text(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(COORDINATE_BYTES, "big")).rstrip(b"=").decode()
