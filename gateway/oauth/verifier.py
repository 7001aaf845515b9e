"""Checks the token of a request and who sent it, and what the registry says of that caller now.

A token that was verified once is remembered until it ends, because this runs on every request;
the memory belongs to one version of the registry and goes with it, so a revoked client or token
is refused as soon as the newer version is known (polled every 2 s). What a token is bound to is
held against the sender each time, because a remembered token may come from anybody. OAuth uses
real time always.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from joserfc import jws, jwt
from joserfc.errors import InvalidKeyIdError, JoseError

from gateway.errors import InvalidToken
from gateway.oauth.compact import MalformedJwtError, check_jwt
from gateway.oauth.foreign_tokens import issuer_of
from gateway.oauth.senders import BEARER_SENDER, Binding, Sender, Senders, binding_of
from gateway.oauth.tokens import ALGORITHM, GATEWAY, TOKEN_TYPE
from schemas import proofs
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from joserfc.jwk import KeySet

    from gateway.exchange.registry import Client, Participant, Registry
    from gateway.oauth.foreign_tokens import ForeignTokens

LEEWAY_SECONDS = 10
TOKEN_MAX_LENGTH = 4096
REMEMBERED_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: a client, the participant it acts for, and what the registry lets it do.

    Attributes:
        scopes: those of the token that the client still has.
        role: the participant's role letter.
    """

    client_id: str
    participant: str
    scopes: frozenset[str]
    trusted_trace: bool
    role: str


@dataclass(frozen=True, slots=True)
class _Known:
    """A token that was verified: whose, bound to what, its hash, and until when it counts."""

    principal: Principal
    binding: Binding
    token_hash: str
    until: float


class VerifyingKeys(Protocol):
    """Where the public signing keys come from; `gateway.oauth.keys.SigningKeys` is the real one."""

    def published(self) -> KeySet:
        """The keys of the JWKS as known here; does not block."""
        ...

    def refresh(self) -> bool:
        """Look for keys made elsewhere; True when there may be new ones. May block briefly."""
        ...


class Verifier:
    """Turns a token into a `Principal`; safe from any thread.

    Args:
        issuer: the exact `iss` a token must carry.
        keys: the public keys.
        registry: gives the newest snapshot; called once per verification, so it must be cheap.
        senders: holds a request against what its token is bound to.
        foreign: checks tokens of trusted issuers; without it only the hub's own count.
        audience: the exact and only `aud` a token must carry.
        now: real time in seconds since the epoch.
    """

    def __init__(
        self,
        *,
        issuer: str,
        keys: VerifyingKeys,
        registry: Callable[[], Registry],
        senders: Senders,
        foreign: ForeignTokens | None = None,
        audience: str = GATEWAY.audience,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = issuer
        self._keys = keys
        self._registry = registry
        self._senders = senders
        self._foreign = foreign
        self._audience = audience
        self._now = now
        self._jws = jws.JWSRegistry(algorithms=[ALGORITHM])
        # Snapshot and memory are swapped as one, so that a slow verification against an old
        # snapshot can never be remembered under a new one.
        self._known: tuple[Registry | None, dict[str, _Known]] = (None, {})

    def verify(self, token: str, sender: Sender = BEARER_SENDER) -> Principal:
        """Check a compact token and who sent it. A remembered one costs a dictionary look-up.

        A token that is bound to a key costs the signature of a proof each time, one that is bound
        to a certificate a comparison.

        Raises:
            InvalidToken: 401; forged, malformed, expired, revoked, for another audience, of a
                client that is no longer active, or not its sender's. The sentence never repeats
                the token.
            InvalidProof: 401, the proof of its key is not right; NonceRequired brings a nonce.
            TooManyCalls, Overloaded: the proof cannot be remembered.
        """
        registry = self._registry()
        known = self._known_token(token, registry)
        self._senders.check(
            sender,
            known.binding,
            token_hash=known.token_hash,
            client_id=known.principal.client_id,
            is_production=registry.environment == "production",
        )
        return known.principal

    def holds(self, token: str) -> bool:
        """Whether a token that was verified before still counts; for an answer that goes on."""
        try:
            self._known_token(token, self._registry())
        except InvalidToken:
            return False
        return True

    def may_block(self, token: str) -> bool:
        """Whether checking a token would ask its issuer, which takes a thread."""
        registry = self._registry()
        if self._foreign is None or not registry.issuers:
            return False
        known_registry, remembered = self._known
        entry = remembered.get(token) if known_registry is registry else None
        if entry is not None and self._now() < entry.until:
            return False
        issuer = issuer_of(token, registry)
        return issuer is not None and issuer.introspection is not None

    def _known_token(self, token: str, registry: Registry) -> _Known:
        known_registry, remembered = self._known
        if known_registry is not registry:
            remembered = {}
            self._known = (registry, remembered)
        entry = remembered.get(token)
        if entry is not None and self._now() < entry.until:
            return entry
        entry = self._verify(token, registry)
        if len(remembered) >= REMEMBERED_MAX:
            remembered.clear()
        remembered[token] = entry
        return entry

    def _verify(self, token: str, registry: Registry) -> _Known:
        issuer = None if self._foreign is None else issuer_of(token, registry)
        if self._foreign is not None and issuer is not None and issuer.issuer != self._issuer:
            found = self._foreign.verify(token, issuer, registry)
            return _Known(
                _principal_of(found.client, found.participant, found.scopes),
                found.binding,
                proofs.token_hash(token),
                found.until,
            )
        claims = self._signed_claims(token)
        until = self._check_claims(claims)
        if claims["jti"] in registry.revoked_tokens:
            raise _invalid("revoked")
        client = registry.client(claims["sub"])
        if client is None or client.status != "active":
            raise _invalid("client_inactive")
        principal = _principal(client, claims, registry)
        return _Known(principal, binding_of(claims), proofs.token_hash(token), until)

    def _signed_claims(self, token: str) -> dict[str, Any]:
        """The claims of a token whose header and signature are right."""
        if len(token) > TOKEN_MAX_LENGTH:
            raise _invalid("too_long")
        try:
            check_jwt(token)
            decoded = self._decode(token)
        except (MalformedJwtError, JoseError, ValueError) as error:
            raise _invalid("not_signed_by_this_hub") from error
        if decoded.header.get("typ") != TOKEN_TYPE:
            raise _invalid("not_an_access_token")
        return decoded.claims

    def _decode(self, token: str) -> jwt.Token:
        keys = self._keys.published()
        try:
            return jwt.decode(token, keys, algorithms=[ALGORITHM], registry=self._jws)
        except InvalidKeyIdError:
            # Another gateway may have rotated the keys within the last poll.
            if not self._keys.refresh():
                raise
        return jwt.decode(token, self._keys.published(), algorithms=[ALGORITHM], registry=self._jws)

    def _check_claims(self, claims: dict[str, Any]) -> float:
        """Check issuer, audience, subject and times; gives the moment the token stops counting."""
        if claims.get("iss") != self._issuer:
            raise _invalid("wrong_issuer")
        # A list, even of one, is refused: the hub's issuer never makes one.
        if claims.get("aud") != self._audience:
            raise _invalid("wrong_audience")
        for name in ("sub", "client_id", "jti", "participant", "scope"):
            if not isinstance(claims.get(name), str):
                raise _invalid(f"no_{name}")
        if not claims["sub"] or claims["sub"] != claims["client_id"]:
            raise _invalid("no_sub")
        # The hub makes none: acting for another is said by each event, under a delegation.
        if "act" in claims:
            raise _invalid("acts_for_another")
        return self._check_times(claims)

    def _check_times(self, claims: dict[str, Any]) -> float:
        now = self._now()
        expires_at, issued_at = claims.get("exp"), claims.get("iat")
        not_before = claims.get("nbf", issued_at)
        # type(), not isinstance(): True is an int, and json gives inf for 1e999.
        if type(expires_at) is not int or type(issued_at) is not int or type(not_before) is not int:
            raise _invalid("no_times")
        if now >= expires_at + LEEWAY_SECONDS:
            raise _invalid("expired")
        if max(issued_at, not_before) > now + LEEWAY_SECONDS:
            raise _invalid("not_yet_valid")
        if expires_at - issued_at > GATEWAY.lifetime_seconds:
            raise _invalid("lives_too_long")
        return float(expires_at + LEEWAY_SECONDS)


def _principal(client: Client, claims: dict[str, Any], registry: Registry) -> Principal:
    participant = registry.participant(client.participant)
    if participant is None or participant.status != "active":
        raise _invalid("participant_inactive")
    if claims["participant"] != participant.id:
        raise _invalid("participant_changed")
    scopes = client.scopes & frozenset(claims["scope"].split())
    return _principal_of(client, participant, scopes)


def _principal_of(client: Client, participant: Participant, scopes: frozenset[str]) -> Principal:
    return Principal(
        client_id=client.id,
        participant=participant.id,
        scopes=scopes,
        trusted_trace=client.trusted_trace,
        role=participant.role,
    )


def _invalid(reason: str) -> InvalidToken:
    return InvalidToken(
        Message(
            nl="Het token is niet geldig; vraag een nieuw aan bij /oauth/token.",
            en="The token is not valid; ask for a new one at /oauth/token.",
        ),
        facts={"reason": reason},
    )
