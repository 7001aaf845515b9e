"""`GET /v1/feed`: a participant's inbox, pulled.

The caller holds the cursor, so any gateway can serve it. Rendering and the disclosure lines happen
in a small pool of threads, off the event loop; a page leaves only after its disclosure lines are
committed. An empty inbox may be waited for.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import orjson
import structlog

from gateway import errors
from gateway.api import authentication, cursors, feed_filter, limits, parameters, traces
from gateway.api.event_stream import EVENT_STREAM, EventStream
from gateway.api.responses import JSON, send_bytes
from gateway.oauth.senders import sender_of
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from concurrent.futures import Executor

    from consumers.views import Wanted
    from gateway.api.collaborators import Feed, TokenVerifier
    from gateway.api.inboxes import FeedPage
    from gateway.api.responses import Receive, Scope, Send
    from gateway.api.traces import Tracing
    from gateway.api.waiters import Waiters
    from gateway.oauth.verifier import Principal

NDJSON: Final = b"application/x-ndjson"
SCOPE: Final = "sj_feed_read"
LIMIT: Final = 500
DEFAULT_LIMIT: Final = 100
WAIT_SECONDS: Final = 30
STREAM_PAGES: Final = 40
"""A stream ends after this many pages, so that a token that was revoked does not read for ever."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One call: whose inbox, from where, how much, which of it, and in what form."""

    participant: str
    client_id: str
    moment: int | None
    after: int
    limit: int
    wait: int
    wanted: Wanted
    form: bytes


class FeedEndpoint:
    """The bare endpoint.

    Args:
        feed: reads, renders and discloses a page; called in `pool`.
        programmes: those that may be asked for; cheap.
        pool: a few threads.
    """

    def __init__(
        self,
        *,
        verifier: TokenVerifier,
        feed: Feed,
        waiters: Waiters,
        tracing: Tracing,
        programmes: Callable[[], Collection[str]],
        pool: Executor,
    ) -> None:
        self._tracing = tracing
        self._programmes = programmes
        self._verifier = verifier
        self._feed = feed
        self._waiters = waiters
        self._pool = pool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call.

        Raises:
            SchakelError: refused; nothing was sent yet.
        """
        headers = limits.read_headers(scope)
        principal = await authentication.authenticate_on_loop(self._verifier, scope)
        authentication.require_scope(principal, SCOPE)
        trace = traces.begin(
            self._tracing, headers.get(b"traceparent"), trusted=principal.trusted_trace
        )
        scope[traces.SCOPE_KEY] = trace
        asked = self._asked(principal, parameters.query(scope["query_string"]), headers)
        if asked.moment is not None:
            after = await self._since(principal.participant, asked.moment)
            asked = replace(asked, after=after)
        page = await self._page(asked, receive)
        if asked.form == NDJSON:
            await self._stream(asked, page, send, trace.header())
        elif asked.form == EVENT_STREAM:
            token = sender_of(scope)[1]
            await self._events(asked, token).send(page, send, receive, trace.header())
        else:
            body = _document(principal.participant, page)
            await send_bytes(send, 200, JSON, body, (trace.header(), _NO_STORE))

    def _asked(
        self, principal: Principal, given: dict[str, str], headers: dict[bytes, bytes]
    ) -> _Asked:
        """What the caller wants to read, and how. Raises as the parameters and Accept do."""
        form = _form(headers.get(b"accept"))
        seen = headers.get(b"last-event-id", b"").decode("latin-1")
        cursor = given.get("after", "")
        if form == EVENT_STREAM and seen:
            # A client that comes back: where it was counts, not where it first began.
            cursor = seen
            given = {name: value for name, value in given.items() if name not in {"after", "from"}}
        return _Asked(
            participant=principal.participant,
            client_id=principal.client_id,
            moment=_moment(given),
            after=cursors.decode(principal.participant, cursor) if cursor else 0,
            limit=parameters.whole_number(given, "limit", default=DEFAULT_LIMIT, low=1, high=LIMIT),
            wait=parameters.whole_number(given, "wait", default=0, low=0, high=WAIT_SECONDS),
            wanted=feed_filter.wanted(given, self._programmes()),
            form=form,
        )

    def _events(self, asked: _Asked, token: str) -> EventStream:
        return EventStream(
            asked.participant,
            lambda after: self._read(asked, after),
            lambda: authentication.holds_on_loop(self._verifier, token),
            self._waiters,
        )

    async def _page(self, asked: _Asked, receive: Receive) -> FeedPage:
        """The next page, waited for when nothing is there and the caller wants to wait."""
        page = await self._read(asked, asked.after)
        if page.events or not asked.wait or asked.form == EVENT_STREAM:
            return page
        until = time.monotonic() + asked.wait
        async with self._waiters.waiting(asked.participant, receive) as waiter:
            while self._waiters.is_open:
                # Waiting began before this read, so nothing that arrives in between is missed.
                page = await self._read(asked, page.next)
                left = until - time.monotonic()
                if waiter.is_gone:
                    raise limits.ClientGone
                if page.events or left <= 0:
                    break
                await waiter.pause(left)
        return page

    async def _since(self, participant: str, moment_us: int) -> int:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._feed.since, participant, moment_us)

    async def _read(self, asked: _Asked, after: int) -> FeedPage:
        loop = asyncio.get_running_loop()
        what = asked.participant, after, asked.limit, asked.client_id, asked.wanted
        return await loop.run_in_executor(self._pool, self._feed.read, *what)

    async def _stream(
        self, asked: _Asked, page: FeedPage, send: Send, trace: tuple[bytes, bytes]
    ) -> None:
        """Send page after page until the inbox is read, one line an event, the cursor last."""
        head = [(b"content-type", NDJSON), trace, _NO_STORE]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        for _ in range(STREAM_PAGES):
            lines = b"".join(event + b"\n" for event in page.events)
            if lines:
                await send({"type": "http.response.body", "body": lines, "more_body": True})
            if not page.behind or not self._waiters.is_open:
                break
            try:
                page = await self._read(asked, page.next)
            except Exception as error:  # noqa: BLE001 - the edge: the answer's head has left
                # The caller asks again from the position it gets, and hears then what is wrong.
                _log.warning("feed_stream_cut", error=type(error).__name__)
                break
        position = _position(asked.participant, page)
        last = orjson.dumps(position, option=orjson.OPT_APPEND_NEWLINE)
        await send({"type": "http.response.body", "body": last})


_NO_STORE: Final = (b"cache-control", b"no-store")


def _position(participant: str, page: FeedPage) -> dict[str, Any]:
    return {
        "next": cursors.encode(participant, page.next),
        "behind": page.behind,
        "oldest": cursors.encode(participant, page.oldest),
    }


def _document(participant: str, page: FeedPage) -> bytes:
    events = [orjson.Fragment(event) for event in page.events]
    return orjson.dumps({"events": events, **_position(participant, page)})


def _moment(given: dict[str, str]) -> int | None:
    """The time to replay from, in microseconds since the epoch; None when none is given.

    Raises:
        InvalidParameter: no RFC 3339 time with its offset, or given beside a cursor.
    """
    text = given.get("from")
    if text is None:
        return None
    if "after" in given:
        raise parameters.invalid(
            "from", "exclusive", "Geef after of from, niet beide.", "Give after or from, not both."
        )
    return parameters.instant_us(text, "from")


def _form(accept: bytes | None) -> bytes:
    """The media type to answer in; JSON unless another is asked for.

    Raises:
        NotAcceptable: 406, it takes none that the feed has.
    """
    wanted = accept.lower() if accept else b"*/*"
    for form in (NDJSON, EVENT_STREAM):
        if form in wanted:
            return form
    if JSON in wanted or b"*/*" in wanted or b"application/*" in wanted:
        return JSON
    raise errors.NotAcceptable(
        Message(
            nl="De feed antwoordt als application/json, application/x-ndjson of text/event-stream.",
            en="The feed answers as application/json, application/x-ndjson or text/event-stream.",
        )
    )
