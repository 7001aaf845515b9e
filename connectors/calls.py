"""One call of the hub: the token and its proof, one attempt, and what the answer means.

Every call ends in exactly one of three ways: an answer, `HubRefused` (never written; the same
again gives the same) or `HubUnavailable` (unknown; the same call may be sent again).
"""

from __future__ import annotations

import secrets
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import httpx
import orjson

from connectors.answers import invalid_params, unreadable
from connectors.backoff import retry_after_seconds
from connectors.errors import HubRefused, HubUnavailable, InvalidCredentials
from connectors.tokens import PROOF_REFUSED, TokenSource, proof_refused
from schemas.errors import Message
from schemas.proofs import Prover

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from connectors.credentials import Credentials

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 30.0
JSON: Final = "application/json"


def new_traceparent() -> str:
    """A W3C trace context of its own with the sampled flag set: one trace per record."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


class Calls:
    """The hub over HTTPS, for one client; its tokens are bound to a key of this object's own.

    Args:
        url: the gateway's address.
        credentials: who calls.
        transport: httpx's, for tests.
        language: of the sentences in problems, `nl` or `en`.
        now: real time in seconds since the epoch.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        *,
        transport: httpx.BaseTransport | None = None,
        language: str = "nl",
        now: Callable[[], float] = time.time,
    ) -> None:
        self._now = now
        self._http = httpx.Client(
            base_url=url,
            transport=transport,
            # No redirects: a token is for this host only.
            follow_redirects=False,
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            headers={"accept-language": language, "user-agent": "schakel-connector"},
        )
        self._tokens = TokenSource(self._http, credentials, prover=Prover(now), now=now)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, path: str, **parameters: str | int) -> dict[str, Any]:
        """The JSON object at a path; blocks, raises as `send`."""
        return self.send("GET", path, {"accept": JSON}, parameters=parameters)

    def post(self, path: str, body: Any, *, key: str | None = None) -> dict[str, Any]:
        """The answer to a JSON body; `key` is its `Idempotency-Key`. Blocks, raises as `send`."""
        headers = {"content-type": JSON}
        if key is not None:
            headers["idempotency-key"] = key
        return self.send("POST", path, headers, body=orjson.dumps(body))

    def send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        *,
        body: bytes | None = None,
        parameters: Mapping[str, str | int] | None = None,
    ) -> dict[str, Any]:
        """One call and the JSON object that answers it; blocks for half a minute at most.

        A batch of which nothing was recorded (422 with `items`) is an answer too.

        Raises:
            HubRefused: 4xx, nothing was written.
            HubUnavailable: no answer, 429 or 5xx; unknown, send the same call again.
            InvalidCredentials: the hub does not take them.
        """
        response = self._answered(method, path, headers, body, parameters, stream=False)
        return _object(response)

    @contextmanager
    def stream(
        self, path: str, accept: str, parameters: Mapping[str, str | int]
    ) -> Iterator[Iterator[bytes]]:
        """The bytes of a long answer as they come; closed at the end of the block.

        Raises as `send`, also while the bytes are read.
        """
        headers = {"accept": accept}
        response = self._answered("GET", path, headers, None, parameters, stream=True)
        try:
            yield _bytes_of(response)
        finally:
            response.close()

    def _answered(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None,
        parameters: Mapping[str, str | int] | None,
        *,
        stream: bool,
    ) -> httpx.Response:
        sent = {"traceparent": new_traceparent(), **headers}

        def attempt() -> httpx.Response:
            request = self._http.build_request(
                method, path, content=body, params=parameters or None, headers=sent
            )
            try:
                return self._tokens.send(request, stream=stream)
            except httpx.HTTPError as error:
                raise _no_answer() from error

        response = attempt()
        if response.status_code == httpx.codes.UNAUTHORIZED:
            # Expired or revoked since: once more with a new one, then it is the credentials.
            response.close()
            self._tokens.forget()
            response = attempt()
        if not response.is_success:
            _read(response)
            self._check(response)
        return response

    def _check(self, response: httpx.Response) -> None:
        """Raise for every answer that is no answer; 422 of a batch has items, so it is one."""
        status = response.status_code
        body = _object(response)
        if status == httpx.codes.UNAUTHORIZED and body.get("code") == PROOF_REFUSED:
            raise proof_refused()
        if status == httpx.codes.UNAUTHORIZED:
            raise InvalidCredentials(
                Message(
                    nl="De hub weigert het token van deze client.",
                    en="The hub refuses this client's token.",
                )
            )
        if status == httpx.codes.UNPROCESSABLE_ENTITY and isinstance(body.get("items"), list):
            return
        sentence = str(body.get("detail") or body.get("title") or f"HTTP {status}")
        if _is_temporary(status):
            raise HubUnavailable(
                Message(nl=sentence, en=sentence),
                retry_after_seconds=retry_after_seconds(
                    response.headers.get("retry-after"), self._now()
                ),
                is_fault=status == httpx.codes.INTERNAL_SERVER_ERROR,
            )
        raise HubRefused(
            status,
            str(body.get("code", f"http_{status}")),
            Message(nl=sentence, en=sentence),
            invalid=invalid_params(body.get("invalidParams")),
        )


def _read(response: httpx.Response) -> None:
    """The whole body of a refusal; reading it to its end also closes it."""
    try:
        response.read()
    except httpx.HTTPError as error:
        raise _no_answer() from error


def _bytes_of(response: httpx.Response) -> Iterator[bytes]:
    try:
        yield from response.iter_bytes()
    except httpx.HTTPError as error:
        raise _no_answer() from error


def _is_temporary(status: int) -> bool:
    # A redirect is no answer of the hub: something stands in between, perhaps for a while.
    return status >= 500 or status in {408, 425, 429} or status < 400  # noqa: PLR2004 - HTTP


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        body = None
    if isinstance(body, dict):
        return body
    if response.is_error:
        return {}
    raise unreadable()


def _no_answer() -> HubUnavailable:
    return HubUnavailable(
        Message(
            nl="De hub antwoordt niet; dezelfde oproep mag herhaald worden.",
            en="The hub does not answer; the same call may be repeated.",
        )
    )
