"""The public keys of trusted issuers, fetched beside the requests and never by one.

Looked for every half minute, so that a key that an issuer took back is refused within a minute.
While an issuer does not answer, the keys that were read last go on for a day; then its tokens are
refused until it answers. A key set that is empty or unreadable is no answer.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import structlog
from joserfc.jwk import KeySet, import_key

from gateway.errors import InvalidClient, IssuerUnavailable
from gateway.exchange.credentials import checked_public_jwk
from gateway.oauth.fetching import unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gateway.exchange.registry import Registry
    from gateway.exchange.trusted_issuers import TrustedIssuer
    from gateway.oauth.fetching import Fetcher

log = structlog.get_logger(__name__)

REFRESH_SECONDS: Final = 30.0
KEPT_SECONDS: Final = 24 * 3600.0
KEYS_MAX: Final = 50
_TURN_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Fetched:
    """The keys of one issuer as read from one address at one moment."""

    address: str
    keys: KeySet
    at: float


class ForeignKeys:
    """The keys of every issuer that publishes them; safe from any thread.

    Args:
        fetcher: reads a document; called on this object's own thread only.
        registry: the newest snapshot: which issuers there are.
        now: seconds that only go forward.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        registry: Callable[[], Registry],
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetcher = fetcher
        self._registry = registry
        self._now = now
        self._fetched: dict[str, _Fetched] = {}
        self._tried_at: dict[str, float] = {}
        self._inline: dict[str, tuple[tuple[Mapping[str, Any], ...], KeySet]] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="foreign-keys", daemon=True)

    def start(self) -> None:
        """Begin to look for keys."""
        self._thread.start()

    def stop(self) -> None:
        """Look no longer; a fetch under way is not waited for, as it may take its whole bound."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_TURN_SECONDS)

    def of(self, issuer: TrustedIssuer) -> KeySet:
        """The keys that tokens of an issuer may be signed with now; never blocks.

        Raises:
            IssuerUnavailable: 503, none were read within a day.
        """
        if issuer.jwks:
            return self._from_file(issuer)
        found = self._fetched.get(issuer.issuer)
        if found is None or found.address != issuer.jwks_uri:
            raise unavailable("no_keys_yet")
        if self._now() - found.at > KEPT_SECONDS:
            raise unavailable("keys_too_old")
        return found.keys

    def oldest_seconds(self) -> float:
        """How long ago the keys of some trusted issuer were read last, 0 when all are fresh.

        Past `KEPT_SECONDS` that issuer's tokens are refused; an issuer that was never read counts
        as that old.
        """
        wanted = [one for one in self._registry().issuers.values() if _is_fetched(one)]
        now = self._now()
        ages = [self._age(one, now) for one in wanted]
        return max((one for one in ages if one > 2 * REFRESH_SECONDS), default=0.0)

    def _age(self, issuer: TrustedIssuer, now: float) -> float:
        found = self._fetched.get(issuer.issuer)
        is_known = found is not None and found.address == issuer.jwks_uri
        return now - found.at if found is not None and is_known else KEPT_SECONDS

    def refresh(self) -> None:
        """Read the keys of every issuer whose time it is; blocks on each in turn."""
        for issuer in self._due():
            address = issuer.jwks_uri or ""
            self._tried_at[address] = self._now()
            try:
                keys = _usable(self._fetcher.get(address))
            except IssuerUnavailable as error:
                log.warning("issuer_keys_unread", reason=error.facts["reason"], at=address)
                continue
            self._fetched[issuer.issuer] = _Fetched(address, keys, self._now())

    def _due(self) -> list[TrustedIssuer]:
        now = self._now()
        return [
            one
            for one in self._registry().issuers.values()
            if _is_fetched(one)
            and now - self._tried_at.get(one.jwks_uri or "", float("-inf")) >= REFRESH_SECONDS
        ]

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.refresh()
            except Exception as error:  # noqa: BLE001 - the edge of the thread: it has to survive
                log.error("issuer_keys_failed", error=type(error).__name__)  # noqa: TRY400
            self._stopping.wait(_TURN_SECONDS)

    def _from_file(self, issuer: TrustedIssuer) -> KeySet:
        known = self._inline.get(issuer.issuer)
        if known is None or known[0] != issuer.jwks:
            known = (issuer.jwks, KeySet([import_key(dict(one)) for one in issuer.jwks]))
            self._inline[issuer.issuer] = known
        return known[1]


def _is_fetched(issuer: TrustedIssuer) -> bool:
    return issuer.jwks_uri is not None and issuer.status == "active"


def _usable(document: Any) -> KeySet:
    """The signing keys of a JWK Set; others are left out.

    Raises:
        IssuerUnavailable: there is not one.
    """
    found = document.get("keys") if isinstance(document, dict) else None
    keys = list(_public(found[:KEYS_MAX])) if isinstance(found, list) else []
    if not keys:
        raise unavailable("no_usable_key")
    return KeySet([import_key(one) for one in keys])


def _public(found: Iterable[Any]) -> Iterable[dict[str, Any]]:
    for one in found:
        if not isinstance(one, dict) or one.get("use", "sig") != "sig" or "kid" not in one:
            continue
        try:
            yield {**checked_public_jwk(one), "kid": str(one["kid"])}
        except InvalidClient:
            continue
