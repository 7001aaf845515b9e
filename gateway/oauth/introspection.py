"""Asking an issuer about a token (RFC 7662), at most every half minute for the same one.

Anything but a plain `active: true` is no. An issuer that does not answer is neither yes nor no:
its tokens get 503, everybody else's go on. A few questions at a time, so that an issuer that hangs
takes no more threads than that.

Anybody can send a token that nobody knows. So each issuer has places and pauses of its own, and
tokens that were active before have theirs apart: what strangers bring about stops strangers only.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import structlog
from joserfc import jwt

from gateway.errors import IssuerUnavailable
from gateway.oauth.fetching import is_away, unavailable
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
"""Questions under way to one issuer about unknown tokens, and as many about known ones."""

PAUSE_SECONDS: Final = 2.0
ASSERTION_SECONDS: Final = 50
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
INACTIVE: Final[Mapping[str, Any]] = {}
"""What an issuer knows of a token that is not active: nothing."""


_Key = tuple[str, bytes]
"""Where a token is asked about, and its hash: the token itself is kept nowhere."""

_Answers = dict[_Key, tuple["Mapping[str, Any]", float]]


@dataclass(slots=True)
class _Lane:
    """Questions to one issuer that wait for each other, and for no others.

    Attributes:
        quiet_until: until then nothing more is logged, as anybody can make the hub ask.
    """

    places: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(AT_ONCE)
    )
    paused_until: float = float("-inf")
    quiet_until: float = float("-inf")


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
        self._active: _Answers = {}
        self._inactive: _Answers = {}
        self._keeping = threading.Lock()
        self._lanes: dict[tuple[str, bool], _Lane] = {}

    def ask(self, at: Introspection, token: str) -> Mapping[str, Any]:
        """What the issuer says of a token; empty when it is not active.

        Raises:
            IssuerUnavailable: 503, it did not answer, or too many questions are under way.
        """
        key = (at.endpoint, hashlib.sha256(token.encode()).digest())
        was_active = self._active.get(key)
        known = was_active or self._inactive.get(key)
        if known is not None and self._now() < known[1]:
            return known[0]
        lane = self._lanes.setdefault((at.endpoint, was_active is not None), _Lane())
        answer = self._asked(at, token, lane)
        self._keep(key, answer)
        return answer

    def _keep(self, key: _Key, answer: Mapping[str, Any]) -> None:
        """Remember an answer; the oldest of its kind goes when there are too many.

        Apart, so that no number of unknown tokens makes the hub forget those that were active.
        """
        kept, other = self._active, self._inactive
        if answer is INACTIVE:
            kept, other = other, kept
        with self._keeping:
            other.pop(key, None)
            kept.pop(key, None)
            if len(kept) >= KEPT_MAX:
                del kept[next(iter(kept))]
            kept[key] = (answer, self._now() + KEPT_SECONDS)

    def _asked(self, at: Introspection, token: str, lane: _Lane) -> Mapping[str, Any]:
        if self._now() < lane.paused_until:
            raise unavailable("paused")
        if not lane.places.acquire(blocking=False):
            raise unavailable("too_many_questions")
        try:
            answer = self._fetcher.post(at.endpoint, self._question(at, token))
        except IssuerUnavailable as error:
            if is_away(error):
                lane.paused_until = self._now() + PAUSE_SECONDS
            self._warn(lane, at, str(error.facts["reason"]))
            raise
        finally:
            lane.places.release()
        if answer is None:
            self._warn(lane, at, "status_400")
        is_active = isinstance(answer, dict) and answer.get("active") is True
        return answer if is_active else INACTIVE

    def _warn(self, lane: _Lane, at: Introspection, reason: str) -> None:
        if self._now() >= lane.quiet_until:
            lane.quiet_until = self._now() + PAUSE_SECONDS
            log.warning("issuer_unanswered", reason=reason, at=at.endpoint)

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
