"""Asking an issuer about a token (RFC 7662), at most every half minute for the same one.

Anything but a plain `active: true` is no. An issuer that does not answer is neither yes nor no:
its tokens get 503, everybody else's go on. A few questions at a time, so that an issuer that hangs
takes no more threads than that.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from typing import TYPE_CHECKING, Any, Final

import structlog
from joserfc import jwt

from gateway.errors import IssuerUnavailable
from gateway.oauth.fetching import unavailable
from gateway.oauth.tokens import ALGORITHM

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from joserfc.jwk import ECKey

    from gateway.exchange.trusted_issuers import Introspection
    from gateway.oauth.fetching import Fetcher

log = structlog.get_logger(__name__)

KEPT_SECONDS: Final = 30.0
KEPT_MAX: Final = 20_000
AT_ONCE: Final = 4
PAUSE_SECONDS: Final = 2.0
ASSERTION_SECONDS: Final = 50
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
INACTIVE: Final[Mapping[str, Any]] = {}
"""What an issuer knows of a token that is not active: nothing."""


class Introspector:
    """Asks, and remembers the answers for a while; safe from any thread.

    Args:
        fetcher: posts the question; blocks for its own bound at most.
        key: the private key that the hub signs with now, which proves it to the issuer.
        now: real time in seconds since the epoch.
    """

    def __init__(
        self, fetcher: Fetcher, key: Callable[[], ECKey], *, now: Callable[[], float] = time.time
    ) -> None:
        self._fetcher = fetcher
        self._key = key
        self._now = now
        self._answers: dict[tuple[str, bytes], tuple[Mapping[str, Any], float]] = {}
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self._paused_until = float("-inf")

    def ask(self, at: Introspection, token: str) -> Mapping[str, Any]:
        """What the issuer says of a token; empty when it is not active.

        Raises:
            IssuerUnavailable: 503, it did not answer, or too many questions are under way.
        """
        # The token itself is kept nowhere.
        key = (at.endpoint, hashlib.sha256(token.encode()).digest())
        known = self._answers.get(key)
        if known is not None and self._now() < known[1]:
            return known[0]
        answer = self._asked(at, token)
        if len(self._answers) >= KEPT_MAX:
            self._answers.clear()
        self._answers[key] = (answer, self._now() + KEPT_SECONDS)
        return answer

    def _asked(self, at: Introspection, token: str) -> Mapping[str, Any]:
        if self._now() < self._paused_until:
            raise unavailable("paused")
        if not self._places.acquire(blocking=False):
            raise unavailable("too_many_questions")
        try:
            answer = self._fetcher.post(at.endpoint, self._question(at, token))
        except IssuerUnavailable as error:
            self._paused_until = self._now() + PAUSE_SECONDS
            log.warning("issuer_unanswered", reason=error.facts["reason"], at=at.endpoint)
            raise
        finally:
            self._places.release()
        is_active = isinstance(answer, dict) and answer.get("active") is True
        return answer if is_active else INACTIVE

    def _question(self, at: Introspection, token: str) -> dict[str, str]:
        return {
            "token": token,
            "token_type_hint": "access_token",
            "client_id": at.client_id,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self._assertion(at),
        }

    def _assertion(self, at: Introspection) -> str:
        """Who asks: the hub, as the issuer's client (RFC 7523, `private_key_jwt`)."""
        now, key = int(self._now()), self._key()
        claims = {
            "iss": at.client_id,
            "sub": at.client_id,
            "aud": at.audience,
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
            "jti": secrets.token_urlsafe(16),
        }
        header = {"alg": ALGORITHM, "typ": "client-authentication+jwt", "kid": key.kid}
        return jwt.encode(header, claims, key, algorithms=[ALGORITHM])
