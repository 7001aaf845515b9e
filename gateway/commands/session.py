"""A command's way to the hub: gets a token with the credentials of its place, and asks.

Everything goes over HTTP, so a command sees and may do exactly what its client sees and may do.
Its token is bound to a key that lives as long as the session (RFC 9449).
"""

from __future__ import annotations

import json
import time
import uuid
from typing import TYPE_CHECKING, Any, Self

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import import_key

from gateway.commands.hub_place import Place, missing
from gateway.errors import HubUnreachable, RefusedByHub
from schemas.errors import InvalidParam, Message
from schemas.proofs import Prover

if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECT_SECONDS, ANSWER_SECONDS = 3.0, 60.0
ASSERTION_SECONDS = 60
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ALGORITHMS = {"EC": "ES256", "RSA": "PS256", "OKP": "EdDSA"}


class Session:
    """Asks the hub as one client; use as a context manager.

    Args:
        place: from `find`.
        language: of the sentences in problems.
        transport: httpx's, for tests.
    """

    def __init__(
        self, place: Place, language: str = "nl", transport: httpx.BaseTransport | None = None
    ) -> None:
        self._place = place
        self._token: str | None = None
        self._prover = Prover()
        self._http = httpx.Client(
            base_url=place.url,
            transport=transport,
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            headers={"accept-language": language, "user-agent": "schakel-command"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, **query: str | int) -> dict[str, Any]:
        """One JSON document.

        Raises:
            RefusedByHub: whatever the hub says is wrong, 404 included.
            HubUnreachable: no answer.
            CredentialsMissing: the credentials are not usable.
        """
        response = self._authorised(path, query)
        if response.status_code == httpx.codes.UNAUTHORIZED:  # the token ended: once more
            self._token = None
            response = self._authorised(path, query)
        return answer_of(response)

    def create(
        self, path: str, body: Mapping[str, Any], key: str, **query: str | int
    ) -> dict[str, Any]:
        """Send one JSON document under an `Idempotency-Key`; raises as `get`."""
        headers = {"idempotency-key": key}
        response = self._authorised(path, query, "POST", json=dict(body), headers=headers)
        return answer_of(response)

    def publish(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Send one CloudEvent; its receipt. The same id again repeats the call. Raises as `get`."""
        headers = {"content-type": "application/cloudevents+json"}
        content = json.dumps(event).encode()
        return answer_of(
            self._authorised("/v1/events", {}, "POST", content=content, headers=headers)
        )

    def ask(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Send one JSON document that makes nothing; raises as `get`."""
        return answer_of(self._authorised(path, {}, "POST", json=dict(body)))

    def text(self, path: str, *, accept: str, **query: str | int) -> str:
        """An answer that is no JSON, as it is. Raises as `get`."""
        response = self._authorised(path, query, headers={"accept": accept})
        if response.is_error:
            answer_of(response)
        return response.text

    def find(self, path: str, **query: str | int) -> dict[str, Any] | None:
        """One JSON document, None when the hub knows none there. Raises as `get`."""
        try:
            return self.get(path, **query)
        except RefusedByHub as error:
            if error.status == httpx.codes.NOT_FOUND:
                return None
            raise

    def _authorised(
        self, path: str, query: Mapping[str, str | int], method: str = "GET", **options: Any
    ) -> httpx.Response:
        if self._token is None:
            self._token = self._new_token()
        headers = {"accept": "application/json", **options.pop("headers", {})}
        options |= {"params": dict(query), "headers": headers}
        return self._proven(method, path, self._token, **options)

    def _proven(self, method: str, path: str, token: str | None, **options: Any) -> httpx.Response:
        """Send with a proof; once more when the hub asks for a nonce in it."""
        for _ in range(2):
            response = self._sent(method, path, prover=self._prover, token=token, **options)
            if not self._prover.should_repeat(response.status_code, response.headers):
                break
        return response

    def _new_token(self, *, is_bound: bool = True) -> str:
        form = {"grant_type": "client_credentials"}
        auth: httpx.Auth = httpx.Auth()
        client_id, secret = self._place.document["client_id"], self._secret()
        if secret is not None:
            auth = httpx.BasicAuth(client_id, secret)
        else:
            form |= {"client_assertion_type": _ASSERTION, "client_assertion": self._assertion()}
        options: dict[str, Any] = {"data": form, "auth": auth}
        if is_bound:
            response = self._proven("POST", "/oauth/token", None, **options)
        else:
            response = self._sent("POST", "/oauth/token", **options)
        return str(answer_of(response)["access_token"])

    def _secret(self) -> str | None:
        found = self._place.document.get("client_secret")
        return found if isinstance(found, str) else None

    def _assertion(self) -> str:
        document = self._place.document
        given = document.get("private_key")
        now = int(time.time())
        claims = {
            "iss": document["client_id"],
            "sub": document["client_id"],
            "aud": document.get("issuer") or self._issuer(),
            "jti": str(uuid.uuid4()),
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
        }
        try:
            if isinstance(given, str) and given.lstrip().startswith("{"):
                given = json.loads(given)
            key = import_key(given) if isinstance(given, dict) else import_key(str(given), "EC")
            algorithm = _ALGORITHMS[key.key_type]
            header = {"alg": algorithm, "typ": "JWT", **({"kid": key.kid} if key.kid else {})}
            return jwt.encode(header, claims, key, algorithms=[algorithm])
        except (JoseError, KeyError, ValueError, TypeError):
            # Without `from`: the cause's own text may hold the key.
            raise missing("de sleutel is onbruikbaar", "the key is not usable") from None

    def _issuer(self) -> str:
        found = answer_of(self._sent("GET", "/.well-known/oauth-authorization-server"))
        return str(found["issuer"])

    def _sent(
        self,
        method: str,
        path: str,
        *,
        prover: Prover | None = None,
        token: str | None = None,
        auth: httpx.Auth | None = None,
        **options: Any,
    ) -> httpx.Response:
        request = self._http.build_request(method, path, **options)
        if prover is not None:
            request.headers.update(prover.headers(method, str(request.url), token))
        try:
            return self._http.send(request, auth=auth)
        except httpx.HTTPError as error:
            raise unreachable(self._place.url) from error


def unreachable(url: str) -> HubUnreachable:
    """The error of a hub that does not answer."""
    return HubUnreachable(
        Message(
            nl=f"De hub op {url} antwoordt niet. Draait `schakel up`?",
            en=f"The hub at {url} does not answer. Is `schakel up` running?",
        )
    )


def answer_of(response: httpx.Response) -> dict[str, Any]:
    """The JSON object of an answer.

    Raises:
        RefusedByHub: the answer is a problem; its fields come along.
    """
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        body = {}
    if response.is_error:
        told = body.get("detail") or body.get("error_description") or response.status_code
        raise RefusedByHub(
            Message(nl=f"De hub weigert: {told}", en=f"The hub refuses: {told}"),
            status=response.status_code,
            invalid=_invalid(body.get("invalidParams")),
        )
    return body


def _invalid(found: Any) -> list[InvalidParam]:
    """The fields that a problem names, with the hub's sentence in the language it was asked in."""
    entries = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return [
        InvalidParam(
            str(one.get("name", "")),
            str(one.get("code", "")),
            Message(nl=str(one.get("reason", "")), en=str(one.get("reason", ""))),
        )
        for one in entries
    ]
