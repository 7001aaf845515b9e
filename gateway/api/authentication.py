"""Who calls: the token of a request and its sender, verified, and the scope a call needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotation

from gateway import errors
from gateway.api import fair_use, traces
from gateway.oauth.senders import BEARER, DPOP, sender_of
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.api.collaborators import Collaborators, TokenVerifier
    from gateway.api.responses import Scope
    from gateway.oauth.senders import Sender
    from gateway.oauth.verifier import Principal

_SCHEMES: Final = frozenset({BEARER, DPOP})
PRINCIPAL_KEY: Final = "schakel.principal"
"""Where an ASGI scope keeps who calls: a proof counts once, however often a call asks."""


def authenticate(verifier: TokenVerifier, scope: Scope) -> Principal:
    """The principal of an ASGI request: of its token, when it is its sender's, and in its budget.

    Asked again within the same request it gives the same answer without judging again.

    Raises:
        InvalidToken: 401, no token, a scheme other than DPoP and Bearer, or it does not hold.
        InvalidProof, NonceRequired: 401, the token is bound to a key that is not proven.
        TooManyCalls, Overloaded: the proof cannot be remembered.
        BudgetSpent, TooManyAtOnce: 429, the participant asks more than its share.
    """
    known: Principal | None = scope.get(PRINCIPAL_KEY)
    return _judged(verifier, scope, *sender_of(scope)) if known is None else known


async def authenticate_on_loop(verifier: TokenVerifier, scope: Scope) -> Principal:
    """As `authenticate`, for an endpoint on the event loop: on a thread when it would block."""
    known: Principal | None = scope.get(PRINCIPAL_KEY)
    if known is not None:
        return known
    sender, token = sender_of(scope)
    if verifier.may_block(token):
        return await run_in_threadpool(_judged, verifier, scope, sender, token)
    return _judged(verifier, scope, sender, token)


async def holds_on_loop(verifier: TokenVerifier, token: str) -> bool:
    """Whether a token that was verified before still counts: on a thread when it would block."""
    if verifier.may_block(token):
        return await run_in_threadpool(verifier.holds, token)
    return verifier.holds(token)


def _judged(verifier: TokenVerifier, scope: Scope, sender: Sender, token: str) -> Principal:
    if sender.scheme not in _SCHEMES:
        raise errors.InvalidToken(
            Message(
                nl="Stuur Authorization: DPoP met een bewijs, en een token van /oauth/token.",
                en="Send Authorization: DPoP with a proof, and a token from /oauth/token.",
            ),
            facts={"absent": True},
        )
    if not token.isascii():
        raise errors.InvalidToken(
            Message(nl="Het token is onleesbaar.", en="The token cannot be read.")
        )
    principal = verifier.verify(token, sender)
    fair_use.count(scope, principal)
    scope[PRINCIPAL_KEY] = principal
    return principal


def require_scope(principal: Principal, scope: str, *others: str) -> None:
    """Refuse a call whose token has neither `scope` nor one of those that count as well.

    Raises:
        MissingScope: 403, naming `scope`.
    """
    if principal.scopes.isdisjoint((scope, *others)):
        raise errors.MissingScope(
            Message(
                nl=f"Deze oproep vraagt scope {scope}, die dit token niet heeft.",
                en=f"This call needs scope {scope}, which this token does not have.",
            ),
            facts={"leg": "scope", "requiredScope": scope},
        )


def principal_with(verifier: TokenVerifier, *scopes: str) -> Callable[[Request], Principal]:
    """A route dependency: the verified principal, which has one of `scopes` when any are given.

    It raises as `authenticate` and, naming the first of `scopes`, as `require_scope`.
    """

    def dependency(request: Request) -> Principal:
        principal = authenticate(verifier, request.scope)
        if scopes:
            require_scope(principal, *scopes)
        return principal

    return dependency


def caller(
    collaborators: Collaborators, scope: str | None = None
) -> Callable[[Request], Principal]:
    """A route dependency: the verified principal, which has `scope` when one is given.

    It also begins the request's trace, which may continue a trusted client's.
    """

    def dependency(request: Request) -> Principal:
        principal = authenticate(collaborators.verifier, request.scope)
        request.scope[traces.SCOPE_KEY] = traces.begin(
            collaborators.tracing,
            request.headers.get("traceparent"),
            trusted=principal.trusted_trace,
        )
        if scope is not None:
            require_scope(principal, scope)
        return principal

    return dependency
