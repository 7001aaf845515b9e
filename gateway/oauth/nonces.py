"""The nonces that a client must put into its DPoP proofs (RFC 9449 §8 and §9).

A nonce carries the boot id of the gateway that gave it: a proof with another gateway's nonce, or
one of before a restart, is challenged anew. So each gateway has to remember only the proofs that
were made for itself. Nothing is kept of a nonce: it proves itself by a keyed digest.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

LIFETIME_SECONDS: Final = 360
"""Longer than a token lives, so that whoever asks for tokens in time is hardly ever challenged."""

_BOOT: Final = slice(0, 8)
_BODY: Final = slice(0, 12)
_AT: Final = slice(8, 12)
_DIGEST: Final = slice(12, 24)
_LENGTH: Final = 32


class Nonces:
    """One process's nonces; safe from any thread.

    Args:
        now: real time in seconds since the epoch.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._boot = secrets.token_bytes(8)
        self._key = secrets.token_bytes(32)

    def fresh(self) -> str:
        """A nonce of now: 32 characters of base64url."""
        body = self._boot + int(self._now()).to_bytes(4)
        return base64.urlsafe_b64encode(body + self._digest(body)).decode()

    def is_good(self, nonce: str) -> bool:
        """Whether this process gave it, and lately."""
        if len(nonce) != _LENGTH or not nonce.isascii():
            return False
        try:
            raw = base64.urlsafe_b64decode(nonce)
        except ValueError:
            return False
        body = raw[_BODY]
        if raw[_BOOT] != self._boot or not hmac.compare_digest(raw[_DIGEST], self._digest(body)):
            return False
        return self._now() - int.from_bytes(raw[_AT]) <= LIFETIME_SECONDS

    def _digest(self, body: bytes) -> bytes:
        return hashlib.blake2b(body, digest_size=12, key=self._key).digest()
