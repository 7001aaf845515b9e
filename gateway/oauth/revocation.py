"""Taking back an access token before it ends (RFC 7009).

The gateway's verifiers hear of it with the registry's next version. The broker does not: its
tokens live two minutes, and revoking the client takes the broker's access away by its ACL.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from authlib.oauth2.rfc7009 import RevocationEndpoint
from joserfc import jwt
from joserfc.errors import JoseError
from sqlalchemy import delete, insert, select

from gateway.exchange import registry_tables as tables
from gateway.exchange.registry_rows import bump
from gateway.oauth.compact import MalformedJwtError, check_jwt
from gateway.oauth.tokens import ALGORITHM, TOKEN_TYPE

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Engine

    from gateway.oauth.client_view import ClientView
    from gateway.oauth.issuer import Issuer
    from gateway.oauth.request import FormRequest

TOKEN_MAX_LENGTH = 4096


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """An access token that this hub signed, whether or not it still counts."""

    jti: str
    client_id: str
    expires_at: int

    def check_client(self, client: ClientView) -> bool:
        """Whether it was issued to this client."""
        return self.client_id == client.get_client_id()


class RevokedTokens:
    """The ids of tokens taken back, kept until the tokens would have ended anyway."""

    def __init__(self, engine: Engine, *, now: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._now = now

    def add(self, token: IssuedToken, *, actor: str) -> None:
        """Write a token's id down and bump the registry's version, once; blocks."""
        table = tables.REVOKED_TOKENS
        now = self._now()
        with self._engine.begin() as connection:
            known = select(table.c.jti).where(table.c.jti == token.jti)
            if token.expires_at < now or connection.execute(known).first() is not None:
                return
            bump(
                connection,
                actor=actor,
                changes=[{"kind": "token", "id": token.jti, "action": "revoke"}],
                now_us=int(now * 1_000_000),
            )
            if connection.execute(known).first() is None:
                connection.execute(
                    insert(table).values(jti=token.jti, expires_at_seconds=token.expires_at)
                )
            # A day's grace, so that no clock of another gateway revives one.
            connection.execute(delete(table).where(table.c.expires_at_seconds < now - 86_400))


class Revocation(RevocationEndpoint):  # type: ignore[misc] # Authlib has no types
    """The revocation endpoint: a client may take back its own tokens."""

    server: Issuer

    def __init__(self, server: Issuer, revoked: RevokedTokens) -> None:
        super().__init__(server)
        self._revoked = revoked

    def authenticate_endpoint_client(self, request: FormRequest) -> ClientView:
        """The client, by the same methods as at the token endpoint."""
        client = self.server.authenticated(request)
        request.client = client
        return client

    def query_token(self, token_string: str, token_type_hint: str | None) -> IssuedToken | None:  # noqa: ARG002
        """The token if this hub signed it; an unknown one is no error (RFC 7009 §2.2)."""
        if len(token_string) > TOKEN_MAX_LENGTH:
            return None
        try:
            check_jwt(token_string)
            token = jwt.decode(token_string, self.server.keys.published(), algorithms=[ALGORITHM])
        except (MalformedJwtError, JoseError, ValueError):
            return None
        claims: dict[str, Any] = token.claims
        if token.header.get("typ") != TOKEN_TYPE or claims.get("iss") != self.server.url:
            return None
        return IssuedToken(claims["jti"], claims["client_id"], claims["exp"])

    def revoke_token(self, token: IssuedToken, request: FormRequest) -> None:
        """Write it down."""
        self._revoked.add(token, actor=request.client.get_client_id())
