"""Client authentication with `private_key_jwt` (RFC 7523 as updated by RFC 10070; FAPI 2.0).

Stricter than the library's default on every point that was ever attacked: the issuer is the only
audience, the algorithm is on a list, an assertion ends within a minute and counts once. Ids of
used assertions are rows in the database, so a restart or a second gateway does not forget them.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from authlib.oauth2.rfc6749 import InvalidClientError
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from joserfc import jws, jwt
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwk import KeySet, import_key
from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError

from gateway.exchange import registry_tables as tables
from gateway.oauth.compact import MalformedJwtError, check_jwt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.engine import Engine

    from gateway.oauth.client_view import ClientView
    from gateway.oauth.request import FormRequest

METHOD = "private_key_jwt"
ALGORITHMS = ("ES256", "PS256", "EdDSA", "Ed25519")
"""Ed25519 is RFC 9864's name of what most clients still call EdDSA."""

TYPES = (None, "JWT", "client-authentication+jwt")
MAX_AHEAD_SECONDS = 60
LEEWAY_SECONDS = 10
MAX_LENGTH = 4096
JTI = re.compile(r"[\x21-\x7e]{1,128}")

NOT_PROVEN = "The client is not known, or the assertion is not signed with a key of that client."


class ListedAlgorithms(jws.JWSRegistry):
    """Knows the listed algorithms and no other; the library would warn at every EdDSA."""

    def get_alg(self, name: str) -> Any:
        """The algorithm of a listed name."""
        if name not in ALGORITHMS:
            raise UnsupportedAlgorithmError(f"{name} is not on the list")
        return self.algorithms[name]


class UsedAssertions:
    """The ids of assertions that were used, in the table `client_assertions`."""

    def __init__(self, engine: Engine, *, now: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._now = now

    def use(self, client_id: str, jti: str, until_seconds: int) -> bool:
        """Write down that a client used this id; False when it did so before.

        One durable transaction, which also forgets ids whose assertions have ended. Blocks.
        """
        table = tables.CLIENT_ASSERTIONS
        try:
            with self._engine.begin() as connection:
                connection.execute(delete(table).where(table.c.expires_at_seconds < self._now()))
                connection.execute(
                    insert(table).values(
                        client_id=client_id, jti=jti, expires_at_seconds=until_seconds
                    )
                )
        except IntegrityError:
            return False
        return True


class PrivateKeyJwt(JWTBearerClientAssertion):  # type: ignore[misc] # Authlib has no types
    """The client authentication method itself, as Authlib calls it.

    Args:
        issuer: the one audience an assertion may have.
        used: remembers assertion ids.
        now: real time in seconds since the epoch.
    """

    CLIENT_AUTH_METHOD = METHOD

    def __init__(self, issuer: str, used: UsedAssertions, now: Callable[[], float]) -> None:
        super().__init__()
        self._issuer = issuer
        self._used = used
        self._now = now
        self._jws = ListedAlgorithms()

    def __call__(
        self, query_client: Callable[[str], ClientView | None], request: FormRequest
    ) -> ClientView | None:
        """The client that an assertion in the form proves; None when there is no assertion."""
        assertion = request.form.get("client_assertion", "")
        if len(assertion) > MAX_LENGTH:
            raise InvalidClientError(description="The assertion is too long.")
        try:
            if assertion:
                check_jwt(assertion)
            client: ClientView | None = super().__call__(query_client, request)
        except (MalformedJwtError, JoseError, ValueError) as error:
            raise InvalidClientError(description="The assertion is not a JWT.") from error
        return client

    def get_audiences(self) -> list[str]:
        """The issuer's identifier only; the token endpoint's address is not one."""
        return [self._issuer]

    def resolve_client_public_key(self, client: ClientView) -> KeySet:
        """The keys the client may sign with now."""
        return KeySet([import_key(dict(jwk)) for jwk in client.usable_jwks(self._now())])

    def process_assertion_claims(self, assertion: str, resolve_key: KeySet) -> dict[str, Any]:
        """Check signature, header and claims; an assertion that passes is used up."""
        try:
            token = jwt.decode(assertion, resolve_key, list(ALGORITHMS), self._jws)
        except (JoseError, ValueError) as error:
            raise InvalidClientError(description=NOT_PROVEN) from error
        if token.header.get("typ") not in TYPES:
            raise InvalidClientError(description="The typ of the assertion is not accepted.")
        until = self._checked(token.claims)
        if not self._used.use(token.claims["sub"], token.claims["jti"], until):
            raise InvalidClientError(description="The jti of the assertion was used before.")
        return token.claims

    def _checked(self, claims: Mapping[str, Any]) -> int:
        """Check the claims of a signed assertion; gives the second after which it is void."""
        if claims.get("iss") != claims["sub"]:
            raise InvalidClientError(description="iss and sub must both be the client id.")
        # A list is refused, even of one (FAPI 2.0 Security Profile 5.3.2.1).
        if claims.get("aud") != self._issuer:
            raise InvalidClientError(
                description=f"aud must be the issuer alone, as text: {self._issuer}"
            )
        jti = claims.get("jti")
        if not isinstance(jti, str) or not JTI.fullmatch(jti):
            raise InvalidClientError(description="jti must be 1 to 128 visible characters.")
        return self._checked_times(claims)

    def _checked_times(self, claims: Mapping[str, Any]) -> int:
        now, expires_at = self._now(), claims.get("exp")
        if type(expires_at) is not int:
            raise InvalidClientError(description="exp is missing or not a whole number.")
        if now >= expires_at + LEEWAY_SECONDS:
            raise InvalidClientError(description="The assertion has expired.")
        if expires_at > now + MAX_AHEAD_SECONDS + LEEWAY_SECONDS:
            raise InvalidClientError(description="exp is more than 60 seconds ahead.")
        for name in ("iat", "nbf"):
            moment = claims.get(name, 0)
            if type(moment) is not int or moment > now + LEEWAY_SECONDS:
                raise InvalidClientError(description=f"{name} is not a number or in the future.")
        return expires_at + LEEWAY_SECONDS
