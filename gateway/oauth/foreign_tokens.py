"""Tokens of trusted issuers: which issuer, whether the token holds, and whose client it is.

A token proves a client of its issuer. Which client of the hub that is stands in the registry, and
so does what it may do; the organisation that the token names has to be the one that the client
belongs to (`design/domain.md` §4, the rule of the Flemish base registries).
"""

from __future__ import annotations

import base64
import binascii
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from joserfc import jws, jwt
from joserfc.errors import JoseError, UnsupportedAlgorithmError

from gateway.errors import InvalidToken
from gateway.oauth.compact import MalformedJwtError, check_jwt
from gateway.oauth.senders import Binding, binding_of
from schemas import identifiers, strictjson
from schemas.errors import InvalidIdentifier, Message, StrictJsonError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.exchange.registry import Client, Organisation, Participant, Registry
    from gateway.exchange.trusted_issuers import TrustedIssuer
    from gateway.oauth.foreign_keys import ForeignKeys
    from gateway.oauth.introspection import Introspector

TOKEN_MAX_LENGTH: Final = 8192
LEEWAY_SECONDS: Final = 10
LONGEST_SECONDS: Final = 24 * 3600
TRUSTED_SECONDS: Final = 20.0
"""How long a verified token is not looked at again, so that a key taken back is noticed."""

_JSON_DEPTH: Final = 8
_SEGMENTS: Final = 3


@dataclass(frozen=True, slots=True)
class ForeignToken:
    """A token of a trusted issuer that holds.

    Attributes:
        scopes: those of the hub that both the issuer and the registry give.
        until: the moment, in seconds since the epoch, at which it is checked again.
    """

    client: Client
    participant: Participant
    scopes: frozenset[str]
    binding: Binding
    until: float


class _Listed(jws.JWSRegistry):
    """Knows the algorithms of one issuer and no other; the library would warn at every EdDSA."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(algorithms=list(names))
        self._names = names

    def get_alg(self, name: str) -> Any:
        if name not in self._names:
            raise UnsupportedAlgorithmError(f"{name} is not on the list")
        return self.algorithms[name]


class ForeignTokens:
    """Checks tokens of trusted issuers; safe from any thread.

    Args:
        keys: the keys of issuers that publish them.
        introspector: asks the issuer that wants to be asked; blocks.
        now: real time in seconds since the epoch.
    """

    def __init__(
        self,
        keys: ForeignKeys,
        introspector: Introspector,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._introspector = introspector
        self._now = now

    def verify(self, token: str, issuer: TrustedIssuer, registry: Registry) -> ForeignToken:
        """Check a token of an issuer. Blocks when that issuer is asked about its tokens.

        Raises:
            InvalidToken: 401, it does not hold, or is of nobody that the registry knows.
            IssuerUnavailable: 503, it cannot be checked now.
        """
        if len(token) > TOKEN_MAX_LENGTH:
            raise invalid("too_long")
        if issuer.introspection is not None:
            claims = self._introspector.ask(issuer.introspection, token)
            if not claims:
                raise invalid("not_active")
            if claims.get("iss", issuer.issuer) != issuer.issuer:
                raise invalid("wrong_issuer")
        else:
            claims = self._signed(token, issuer)
        until = self._checked_times(claims)
        _check_claims(claims, issuer)
        client, participant = _known_client(claims, issuer, registry)
        return ForeignToken(
            client,
            participant,
            client.scopes & issuer.ours(str(claims.get("scope", ""))),
            binding_of(claims),
            min(until, self._now() + TRUSTED_SECONDS),
        )

    def _signed(self, token: str, issuer: TrustedIssuer) -> Mapping[str, Any]:
        keys, names = self._keys.of(issuer), issuer.algorithms
        try:
            check_jwt(token)
            found = jwt.decode(token, keys, algorithms=list(names), registry=_Listed(names))
        except (MalformedJwtError, JoseError, ValueError) as error:
            raise invalid("not_signed_by_its_issuer") from error
        kind = str(found.header.get("typ", "JWT")).lower().removeprefix("application/")
        if kind not in {one.lower() for one in issuer.types}:
            raise invalid("not_an_access_token")
        if found.claims.get("iss") != issuer.issuer:
            raise invalid("wrong_issuer")
        claims: Mapping[str, Any] = found.claims
        return claims

    def _checked_times(self, claims: Mapping[str, Any]) -> float:
        now, expires_at = self._now(), claims.get("exp")
        if type(expires_at) is not int:
            raise invalid("no_times")
        if now >= expires_at + LEEWAY_SECONDS:
            raise invalid("expired")
        if expires_at > now + LONGEST_SECONDS:
            raise invalid("lives_too_long")
        for name in ("iat", "nbf"):
            moment = claims.get(name, 0)
            if type(moment) is not int or moment > now + LEEWAY_SECONDS:
                raise invalid("not_yet_valid")
        return float(expires_at + LEEWAY_SECONDS)


def issuer_of(token: str, registry: Registry) -> TrustedIssuer | None:
    """The trusted issuer that a token is to be checked with; None when it is none of theirs.

    A JWT says whose it is, which is not believed before it is checked. Any other token goes to the
    one issuer that is asked about its tokens.
    """
    if not registry.issuers:
        return None
    segments = token.split(".")
    if len(segments) == _SEGMENTS:
        found = registry.issuers.get(_said_issuer(segments[1]))
    else:
        found = next((one for one in registry.issuers.values() if _is_asked(one)), None)
    return found if found is not None and found.status == "active" else None


def _is_asked(issuer: TrustedIssuer) -> bool:
    return issuer.introspection is not None and issuer.status == "active"


def _said_issuer(payload: str) -> str:
    if len(payload) > TOKEN_MAX_LENGTH:
        return ""
    try:
        padded = payload + "=" * (-len(payload) % 4)
        found = strictjson.loads(base64.urlsafe_b64decode(padded), _JSON_DEPTH)
    except (binascii.Error, ValueError, StrictJsonError):
        return ""
    issuer = found.get("iss") if isinstance(found, dict) else None
    return issuer if isinstance(issuer, str) else ""


def _check_claims(claims: Mapping[str, Any], issuer: TrustedIssuer) -> None:
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if not any(isinstance(one, str) and one in issuer.audiences for one in named):
        raise invalid("wrong_audience")
    # Acting for another is said by each event, under a delegation; a token that stands for
    # somebody else would open that one's inbox too.
    if "act" in claims:
        raise invalid("acts_for_another")


def _known_client(
    claims: Mapping[str, Any], issuer: TrustedIssuer, registry: Registry
) -> tuple[Client, Participant]:
    subject = claims.get("client_id")
    client = registry.external_client(issuer.issuer, subject) if isinstance(subject, str) else None
    if client is None or client.status != "active" or client.auth != "external":
        raise invalid("client_inactive")
    participant = registry.participant(client.participant)
    if participant is None or participant.status != "active":
        raise invalid("participant_inactive")
    organisation = registry.organisation(participant.organisation)
    if organisation is None or not _is_named(organisation, claims):
        raise invalid("other_organisation")
    return client, participant


def _is_named(organisation: Organisation, claims: Mapping[str, Any]) -> bool:
    """Whether the token's organisation is this one: by OVO code if it has one, else by KBO."""
    code = claims.get("vo_ovocode") or claims.get("vo_orgcode")
    if not isinstance(code, str):
        return False
    try:
        if code.upper().startswith("OVO"):
            ovo = identifiers.ovo(code)
            return ovo == organisation.ovo or organisation.urn == f"urn:be:ovo:{ovo}"
        kbo = identifiers.kbo(code)
    except InvalidIdentifier:
        return False
    return kbo == organisation.kbo or organisation.urn == f"urn:be:kbo:{kbo}"


def invalid(reason: str) -> InvalidToken:
    """The refusal of a token of a trusted issuer."""
    return InvalidToken(
        Message(
            nl="Het token van uw uitgever wordt niet aanvaard; vraag daar een nieuw aan.",
            en="The token of your issuer is not accepted; ask for a new one there.",
        ),
        facts={"reason": reason},
    )
