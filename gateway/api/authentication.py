"""Who calls: the bearer token of a request, verified, and the scope a call needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotation

from gateway import errors
from gateway.api import traces
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.api.collaborators import Collaborators, TokenVerifier
    from gateway.oauth.verifier import Principal

_SCHEME: Final = b"bearer "


def authenticate(verifier: TokenVerifier, authorization: bytes | None) -> Principal:
    """The principal of an `Authorization` header.

    Raises:
        InvalidToken: 401, the header is absent, not Bearer, or its token does not hold.
    """
    if authorization is None or authorization[:7].lower() != _SCHEME:
        raise errors.InvalidToken(
            Message(
                nl="Stuur Authorization: Bearer met een token van /oauth/token.",
                en="Send Authorization: Bearer with a token from /oauth/token.",
            ),
            facts={"absent": True},
        )
    try:
        token = authorization[7:].decode("ascii").strip()
    except UnicodeDecodeError as error:
        raise errors.InvalidToken(
            Message(nl="Het token is onleesbaar.", en="The token cannot be read.")
        ) from error
    return verifier.verify(token)


def require_scope(principal: Principal, scope: str) -> None:
    """Refuse a call whose token lacks a scope.

    Raises:
        MissingScope: 403, naming the scope.
    """
    if scope not in principal.scopes:
        raise errors.MissingScope(
            Message(
                nl=f"Deze oproep vraagt scope {scope}, die dit token niet heeft.",
                en=f"This call needs scope {scope}, which this token does not have.",
            ),
            facts={"leg": "scope", "requiredScope": scope},
        )


def caller(
    collaborators: Collaborators, scope: str | None = None
) -> Callable[[Request], Principal]:
    """A route dependency: the verified principal, which has `scope` when one is given.

    It also begins the request's trace, which may continue a trusted client's.
    """

    def dependency(request: Request) -> Principal:
        header = request.headers.get("authorization")
        principal = authenticate(
            collaborators.verifier, header.encode("latin-1") if header is not None else None
        )
        request.scope[traces.SCOPE_KEY] = traces.begin(
            collaborators.tracing,
            request.headers.get("traceparent"),
            trusted=principal.trusted_trace,
        )
        if scope is not None:
            require_scope(principal, scope)
        return principal

    return dependency
