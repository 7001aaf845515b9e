"""Signatures as Standard Webhooks has them: HMAC-SHA256 over id, time and body.

While a secret is being replaced, both sign; a receiver takes either.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Final

PREFIX: Final = "whsec_"
NEW_SECRET_BYTES: Final = 32
FEWEST_BYTES, MOST_BYTES = 24, 64


def new_secret() -> str:
    """A secret that nobody had before."""
    return PREFIX + base64.b64encode(secrets.token_bytes(NEW_SECRET_BYTES)).decode()


def is_secret(text: str) -> bool:
    """Whether a text can be a secret: the prefix and 24 to 64 bytes in base64."""
    try:
        return text.startswith(PREFIX) and FEWEST_BYTES <= len(_key(text)) <= MOST_BYTES
    except (binascii.Error, ValueError):
        return False


def headers(signing: Sequence[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of a message; `timestamp` is in seconds, real time."""
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(secret, signed) for secret in signing),
    }


def _signature(secret: str, signed: bytes) -> str:
    digest = hmac.digest(_key(secret), signed, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
