"""The issuer over HTTP: token, revocation, JWKS and metadata (RFC 6749, 7009, 7517, 8414).

Errors of the two POSTs have OAuth's own shape, not problem details, because OAuth clients read it.
The JWKS and the metadata are served from memory and may be cached: brokers ask for them often.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import orjson
import structlog
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.exc import SQLAlchemyError

from gateway.errors import NonceRequired
from gateway.exchange.scopes import SCOPES
from gateway.oauth.assertions import ALGORITHMS
from gateway.oauth.keys import JWKS_MAX_AGE_SECONDS
from gateway.oauth.proof_keys import ALGORITHMS as PROOF_ALGORITHMS
from gateway.oauth.request import FORM_MAX_BYTES, Answer, HttpForm
from gateway.oauth.senders import sender_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.oauth.issuer import Issuer

log = structlog.get_logger(__name__)

AWAY = Answer(
    503,
    {
        "error": "temporarily_unavailable",
        "error_description": "The database does not answer; ask again.",
    },
    {"Retry-After": "1", "Cache-Control": "no-store"},
)


def oauth_router(issuer: Issuer) -> APIRouter:
    """The routes of one issuer, to be mounted at the root of the gateway's application."""
    router = APIRouter(tags=["oauth"])

    @router.post("/oauth/token", summary="An access token for client credentials")
    async def token(request: Request) -> Response:
        return await _posted(request, issuer.token)

    @router.post("/oauth/revoke", summary="Take back an access token (RFC 7009)")
    async def revoke(request: Request) -> Response:
        return await _posted(request, issuer.revoke)

    @router.get("/oauth/jwks", summary="The public keys that access tokens are signed with")
    async def jwks(request: Request) -> Response:
        return _cacheable(request, issuer.keys.jwks())

    @router.get("/.well-known/oauth-authorization-server", summary="The issuer (RFC 8414)")
    async def metadata(request: Request) -> Response:
        return _cacheable(request, orjson.dumps(issuer_metadata(issuer)))

    return router


def issuer_metadata(issuer: Issuer) -> dict[str, object]:
    """The RFC 8414 document of an issuer."""
    signing = list(ALGORITHMS)
    return {
        "issuer": issuer.url,
        "token_endpoint": f"{issuer.url}/oauth/token",
        "jwks_uri": f"{issuer.url}/oauth/jwks",
        "revocation_endpoint": f"{issuer.url}/oauth/revoke",
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "scopes_supported": sorted(SCOPES),
        "token_endpoint_auth_methods_supported": issuer.auth_methods,
        "token_endpoint_auth_signing_alg_values_supported": signing,
        "revocation_endpoint_auth_methods_supported": issuer.auth_methods,
        "revocation_endpoint_auth_signing_alg_values_supported": signing,
        "dpop_signing_alg_values_supported": list(PROOF_ALGORITHMS),
        "tls_client_certificate_bound_access_tokens": issuer.takes_certificates,
    }


async def _posted(request: Request, handle: Callable[[HttpForm], Answer]) -> Response:
    """Read a form, bounded, and answer on a thread: scrypt and the database both block."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_MAX_BYTES:
            break
    sender, _ = sender_of(request.scope)
    form = HttpForm(bytes(body), dict(request.headers), sender)
    try:
        answer = await run_in_threadpool(handle, form)
    except SQLAlchemyError as error:
        log.warning("oauth_database_away", error=type(error).__name__)
        answer = AWAY
    # Asking for a nonce is how every client begins, and refuses nothing.
    if answer.body.get("error", NonceRequired.code) != NonceRequired.code:
        log.info("oauth_refused", error=answer.body["error"], status=answer.status)
    return Response(
        orjson.dumps(answer.body),
        answer.status,
        media_type="application/json",
        headers={**answer.headers, "Content-Type": "application/json"},
    )


def _cacheable(request: Request, body: bytes) -> Response:
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"Cache-Control": f"public, max-age={JWKS_MAX_AGE_SECONDS}", "ETag": etag}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)
