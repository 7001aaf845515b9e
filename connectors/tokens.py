"""Gets, keeps and uses the access token: `private_key_jwt` or `client_secret_basic`.

A token is used until shortly before it ends and asked for anew after a 401; it is never written
anywhere. With a prover it is bound to a key of this process (RFC 9449), and each request carries a
proof; the hub's nonce is taken from the first refusal, and from then on renewed with the token.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key

from connectors.backoff import retry_after_seconds
from connectors.errors import HubUnavailable, InvalidCredentials
from schemas.errors import Message
from schemas.proofs import SCHEME

if TYPE_CHECKING:
    from collections.abc import Callable

    from connectors.credentials import Credentials
    from schemas.proofs import Prover

_log = structlog.get_logger(__name__)
ASSERTION_SECONDS = 60
EARLY_SECONDS = 20
PROOF_REFUSED = "invalid_dpop_proof"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ALGORITHMS = {"EC": "ES256", "RSA": "PS256", "OKP": "EdDSA"}


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token and the moment, on the given clock, after which it is not used any more."""

    value: str
    until: float

    def __repr__(self) -> str:
        return f"AccessToken(***, until={self.until})"


class TokenSource:
    """Gives a token that still holds; one request per token. Not for use by several threads.

    Args:
        http: the client of the hub's address.
        credentials: who asks.
        prover: the key that tokens are bound to; without one they are bearer tokens, which only
            test installations give.
        now: seconds since the epoch; real time, because OAuth always uses it.
    """

    def __init__(
        self,
        http: httpx.Client,
        credentials: Credentials,
        *,
        prover: Prover | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._http = http
        self._prover = prover
        self._credentials = credentials
        self._now = now
        self._token: AccessToken | None = None
        self._issuer = credentials.issuer

    def token(self) -> str:
        """Return a token that holds for another 20 s at least; may block on the hub.

        Raises:
            InvalidCredentials: the hub does not take them.
            HubUnavailable: no answer, or not now.
        """
        if self._token is None or self._now() >= self._token.until:
            self._token = self._ask()
        return self._token.value

    def send(self, request: httpx.Request, *, stream: bool = False) -> httpx.Response:
        """Send one request with the token, and with a proof when there is a prover; blocks.

        A request that is answered with a new nonce is sent once more. With `stream` the answer's
        body is the caller's to read and to close.

        Raises:
            InvalidCredentials, HubUnavailable: as `token`.
            httpx.HTTPError: the request itself got no answer.
        """
        token = self.token()
        if self._prover is None:
            request.headers["authorization"] = f"Bearer {token}"
            return self._http.send(request, stream=stream)
        return self._proven(self._prover, request, token, stream=stream)

    def forget(self) -> None:
        """Drop the token, after the hub refused it."""
        self._token = None

    def _ask(self) -> AccessToken:
        form: dict[str, str] = {"grant_type": "client_credentials"}
        if self._credentials.scope is not None:
            form["scope"] = self._credentials.scope
        auth = httpx.Auth()
        if self._credentials.secret is not None:
            auth = httpx.BasicAuth(self._credentials.client_id, self._credentials.secret.reveal())
        else:
            form |= self._assertion_form()
        request = self._http.build_request("POST", "/oauth/token", data=form)
        try:
            if self._prover is None:
                response = self._http.send(request, auth=auth)
            else:
                response = self._proven(self._prover, request, None, auth)
        except httpx.HTTPError as error:
            raise _no_answer() from error
        return self._read(response)

    def _proven(
        self,
        prover: Prover,
        request: httpx.Request,
        token: str | None,
        auth: httpx.Auth | None = None,
        *,
        stream: bool = False,
    ) -> httpx.Response:
        # The hub judges the proof before it uses up an assertion, so the same one is sent again.
        for _ in range(2):
            request.headers.update(prover.headers(request.method, str(request.url), token))
            response = self._http.send(request, auth=auth, stream=stream)
            if not prover.should_repeat(response.status_code, response.headers):
                break
            response.close()
        return response

    def _read(self, response: httpx.Response) -> AccessToken:
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
            asked = retry_after_seconds(response.headers.get("retry-after"), self._now())
            raise HubUnavailable(_no_answer().detail, retry_after_seconds=asked)
        body = _object(response)
        if response.is_error:
            raise _error(body.get("error"))
        token, lifetime = body.get("access_token"), body.get("expires_in")
        if not isinstance(token, str) or not isinstance(lifetime, int):
            raise _no_answer()
        kind = str(body.get("token_type", "")).lower()
        if self._prover is not None and kind != SCHEME.lower():
            # A token that is good for anybody is not what was asked for (RFC 9449 §5).
            raise _refused("the hub gives no DPoP token")
        return AccessToken(token, self._now() + max(1, lifetime - EARLY_SECONDS))

    def _assertion_form(self) -> dict[str, str]:
        now = int(self._now())
        claims = {
            "iss": self._credentials.client_id,
            "sub": self._credentials.client_id,
            "aud": self._known_issuer(),
            "jti": str(uuid4()),
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
        }
        key = _signing_key(self._credentials)
        header = {"alg": _ALGORITHMS[key.key_type], "typ": "JWT"}
        if key.kid is not None:
            header["kid"] = key.kid
        return {
            "client_assertion_type": _ASSERTION_TYPE,
            "client_assertion": jwt.encode(header, claims, key, algorithms=[header["alg"]]),
        }

    def _known_issuer(self) -> str:
        # The audience of an assertion is the issuer and nothing else (RFC 7523bis).
        if self._issuer is None:
            try:
                response = self._http.get("/.well-known/oauth-authorization-server")
            except httpx.HTTPError as error:
                raise _no_answer() from error
            issuer = _object(response).get("issuer")
            if response.is_error or not isinstance(issuer, str):
                raise _no_answer()
            self._issuer = issuer
        return self._issuer


def _signing_key(credentials: Credentials) -> ECKey | RSAKey | OKPKey:
    text = "" if credentials.private_key is None else credentials.private_key.reveal()
    try:
        if text.lstrip().startswith("{"):
            key = import_key(json.loads(text))
        else:
            key = import_key(text, _pem_type(text))
    except (JoseError, ValueError, TypeError):
        # Without `from`: the cause's own text may hold the key.
        raise _refused("unreadable private_key") from None
    if not isinstance(key, ECKey | RSAKey | OKPKey) or not key.is_private:
        raise _refused("private_key is not a private EC, RSA or Ed25519 key")
    return key


def _pem_type(text: str) -> Any:
    if "RSA PRIVATE KEY" in text:
        return "RSA"
    return "EC"


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def proof_refused() -> HubUnavailable:
    """What a refused proof means: nothing is wrong with the credentials, nearly always a clock."""
    _log.warning("proof_refused", advice="set the clock of this machine; it is tried again")
    return HubUnavailable(
        Message(
            nl="De hub aanvaardt het bewijs van deze oproep niet: zet de klok gelijk; "
            "er wordt opnieuw geprobeerd.",
            en="The hub does not accept the proof of this call: set the clock; it is tried again.",
        )
    )


def _error(error: object) -> HubUnavailable | InvalidCredentials:
    # `error` is one of a closed list of RFC 6749; the description may echo what was sent.
    if not isinstance(error, str):
        # Something that stands in between answered, not the hub.
        return _no_answer()
    return proof_refused() if error == PROOF_REFUSED else _refused(error)


def _no_answer() -> HubUnavailable:
    return HubUnavailable(
        Message(
            nl="De hub geeft nu geen token; het wordt opnieuw gevraagd.",
            en="The hub gives no token now; it is asked for again.",
        )
    )


def _refused(why: str) -> InvalidCredentials:
    return InvalidCredentials(
        Message(
            nl=f"De toegangsgegevens worden niet aanvaard ({why}). Vraag nieuwe aan uw beheerder.",
            en=f"The credentials are not accepted ({why}). Ask your administrator for new ones.",
        )
    )
