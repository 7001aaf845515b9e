"""A registered client as Authlib wants to see one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authlib.oauth2.rfc6749 import ClientMixin

from gateway.exchange.credentials import secret_matches

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.exchange.registry import Client


class ClientView(ClientMixin):  # type: ignore[misc] # Authlib has no types
    """Adapts `gateway.exchange.registry.Client`; lives for one request.

    Args:
        client: an active client.
        now: real time in seconds since the epoch.
    """

    def __init__(self, client: Client, now: Callable[[], float]) -> None:
        self.client = client
        self._now = now

    def get_client_id(self) -> str:
        """The client's id."""
        return self.client.id

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """What is asked for, or all the client has; None when it asks for what it has not."""
        asked = frozenset((scope or "").split())
        if not asked <= self.client.scopes:
            return None
        return " ".join(sorted(asked or self.client.scopes))

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether it is a secret of this client; takes a scrypt for each one it has."""
        now = self._now()
        hashes = [
            one.secret_hash
            for one in self.client.credentials
            if one.secret_hash is not None and one.is_usable(now)
        ]
        matches = [secret_matches(client_secret, stored) for stored in hashes]
        return any(matches)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002
        """Whether the client may authenticate like that; the same at every endpoint."""
        return method == self.client.auth

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether the client may use this grant; there is one."""
        return grant_type == "client_credentials"

    def usable_jwks(self, now_seconds: float) -> list[Mapping[str, Any]]:
        """The public keys it may sign with now."""
        return [
            one.jwk
            for one in self.client.credentials
            if one.jwk is not None and one.is_usable(now_seconds)
        ]
