"""A partner's client of the hub: publish one event or many, and read the inbox.

    with HubClient("https://hub.example", load_credentials(path)) as hub:
        hub.publish(event)
        for delivered in hub.feed_events(after=cursor): ...

It makes one attempt per call and says exactly one of three things: recorded, refused (never
written; the same again gives the same), or unavailable (unknown; send the same call again).
Waiting and trying again are the caller's, because only the caller knows what else is waiting.
Synchronous; one client per thread.
"""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any, Self

import httpx
import orjson

from connectors.answers import (
    ItemAnswer,
    Page,
    Receipt,
    invalid_params,
    item_of,
    page_of,
    receipt_of,
)
from connectors.backoff import retry_after_seconds
from connectors.errors import HubRefused, HubUnavailable, InvalidCredentials
from connectors.tokens import TokenSource
from schemas.errors import Message
from schemas.proofs import Prover

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import TracebackType

    from connectors.credentials import Credentials
    from connectors.sdk import Event

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 30.0
MAX_BATCH = 500
MAX_BATCH_BYTES = 900_000
_JSON = "application/json"
_ONE = "application/cloudevents+json"
_MANY = "application/cloudevents-batch+json"


def new_traceparent() -> str:
    """A W3C trace context of its own with the sampled flag set: one trace per record."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


class HubClient:
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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def me(self) -> dict[str, Any]:
        """Who the hub says this client is: participant, organisation, roles, scopes."""
        return _object(self._call("GET", "/v1/me", accept="application/json"))

    def publish(self, event: Mapping[str, Any]) -> Receipt:
        """Publish one CloudEvent in structured form; a duplicate gives the receipt of the first.

        Raises:
            HubRefused: nothing was written.
            HubUnavailable: unknown; publish the same event again.
            InvalidCredentials: the hub does not take them.
        """
        response = self._call("POST", "/v1/events", body=orjson.dumps(event), content=_ONE)
        return receipt_of(_object(response))

    def publish_batch(self, events: Sequence[Mapping[str, Any]]) -> tuple[ItemAnswer, ...]:
        """Publish up to 500 events; the answers are in the order of `events`.

        Only what is not recorded needs sending again: see `ItemAnswer.is_recorded`.
        Raises as `publish`; then nothing is known about any of them.
        """
        if not events:
            return ()
        response = self._call("POST", "/v1/events", body=orjson.dumps(events), content=_MANY)
        items = _object(response).get("items")
        if not isinstance(items, list):
            raise _unreadable()
        answers = tuple(item_of(item) for item in items)
        if [answer.id for answer in answers] != [event["id"] for event in events]:
            raise _unreadable()
        return answers

    def erase(
        self, trajectory_id: str, legal_ground: str, *, reason: str, key: str
    ) -> dict[str, Any]:
        """Order the erasure of the own organisation's data about the person of a case.

        Args:
            trajectory_id: the case.
            legal_ground: code of the list `legal_ground`.
            reason: for the hub's audit line; no name and no number.
            key: `Idempotency-Key`; the same again gives the same order.

        Returns:
            The order, with its `erasure_id` and `stage`. Raises as `publish`.
        """
        body = {"trajectory_id": trajectory_id, "legal_ground": legal_ground, "reason": reason}
        response = self._call(
            "POST", "/v1/erasures", body=orjson.dumps(body), content=_JSON, key=key
        )
        return _object(response)

    def confirm_erasure(self, erasure_id: str) -> dict[str, Any]:
        """Confirm that the own copies are erased.

        Args:
            erasure_id: of the order, or id of the `subject.erased` that told of it.
        """
        path = f"/v1/erasures/{erasure_id}/receipts"
        return _object(self._call("POST", path, body=b'{"erased": true}', content=_JSON))

    def feed(self, after: str | None = None, *, limit: int = 100, wait_seconds: int = 0) -> Page:
        """One page of the inbox after the cursor; waits up to `wait_seconds` for a first event."""
        parameters: dict[str, str | int] = {"limit": limit}
        if after is not None:
            parameters["after"] = after
        if wait_seconds:
            parameters["wait"] = wait_seconds
        response = self._call("GET", "/v1/feed", parameters=parameters, accept="application/json")
        return page_of(_object(response))

    def feed_events(self, after: str | None = None, *, limit: int = 100) -> Iterator[Event]:
        """Every event now in the inbox after the cursor. The cursor is the caller's to keep."""
        while True:
            page = self.feed(after, limit=limit)
            yield from page.events
            if not page.events or page.next is None:
                return
            after = page.next

    def _call(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        content: str | None = None,
        accept: str | None = None,
        parameters: Mapping[str, str | int] | None = None,
        key: str | None = None,
    ) -> httpx.Response:
        headers = {"traceparent": new_traceparent()}
        if key is not None:
            headers["idempotency-key"] = key
        if content is not None:
            headers["content-type"] = content
        if accept is not None:
            headers["accept"] = accept
        response = self._attempt(method, path, body, headers, parameters)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            # Expired or revoked since: once more with a new one, then it is the credentials.
            self._tokens.forget()
            response = self._attempt(method, path, body, headers, parameters)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            raise InvalidCredentials(
                Message(
                    nl="De hub weigert het token van deze client.",
                    en="The hub refuses this client's token.",
                )
            )
        self._check(response)
        return response

    def _attempt(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
        parameters: Mapping[str, str | int] | None,
    ) -> httpx.Response:
        request = self._http.build_request(
            method, path, content=body, params=parameters, headers=headers
        )
        try:
            return self._tokens.send(request)
        except httpx.HTTPError as error:
            raise HubUnavailable(
                Message(
                    nl="De hub antwoordt niet; dezelfde oproep wordt herhaald.",
                    en="The hub does not answer; the same call is repeated.",
                )
            ) from error

    def _check(self, response: httpx.Response) -> None:
        """Raise for every answer that is no answer; 422 of a batch has items, so it is one."""
        if response.is_success:
            return
        status = response.status_code
        body = _object(response)
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
    raise _unreadable()


def _unreadable() -> HubUnavailable:
    return HubUnavailable(
        Message(
            nl="Het antwoord van de hub is onleesbaar; dezelfde oproep wordt herhaald.",
            en="The hub's answer is unreadable; the same call is repeated.",
        )
    )
