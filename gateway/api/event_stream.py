"""The feed as server-sent events (`text/event-stream` of the HTML standard).

Each event's `id` is the cursor after it, so that a client that comes back with `Last-Event-ID` goes
on where it was. The stream ends with its token: the client gets another and comes back. What the
client does not read holds back what is rendered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from gateway.api import cursors

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.api.inboxes import FeedPage
    from gateway.api.responses import Receive, Send
    from gateway.api.waiters import Waiter, Waiters

EVENT_STREAM: Final = b"text/event-stream"
BEAT_SECONDS: Final = 15.0
RETRY_MS: Final = 2_000

_BEAT: Final = b": beat\n\n"
_HEADERS: Final = (
    (b"content-type", EVENT_STREAM),
    (b"cache-control", b"no-store"),
    # A proxy that gathers an answer before it passes it on would keep every event to itself.
    (b"x-accel-buffering", b"no"),
)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class EventStream:
    """One client's stream.

    Args:
        participant: whose inbox.
        read: the page after a row, rendered and disclosed.
        holds: whether the client's token still counts.
    """

    participant: str
    read: Callable[[int], Awaitable[FeedPage]]
    holds: Callable[[], Awaitable[bool]]
    waiters: Waiters

    async def send(
        self, page: FeedPage, send: Send, receive: Receive, trace: tuple[bytes, bytes]
    ) -> None:
        """Send `page` and whatever comes after it, until the client goes or its token ends."""
        head = {"type": "http.response.start", "status": 200, "headers": [*_HEADERS, trace]}
        await send(head)
        await self._body(send, b"retry: %d\n\n" % RETRY_MS)
        async with self.waiters.waiting(self.participant, receive) as waiter:
            try:
                await self._follow(page, send, waiter)
            except Exception as error:  # noqa: BLE001 - the edge: the answer's head has left
                # The client comes back with the position it has, and hears then what is wrong.
                _log.warning("feed_stream_cut", error=type(error).__name__)
        await send({"type": "http.response.body", "body": b""})

    async def _follow(self, page: FeedPage, send: Send, waiter: Waiter) -> None:
        at = None
        while True:
            if page.events or page.next != at:
                await self._body(send, self._lines(page))
                at = page.next
            # A beat when the inbox does not grow, so that nobody in between hangs up.
            if not page.behind and not await waiter.pause(BEAT_SECONDS):
                await self._body(send, _BEAT)
            # Before the next page is read, because reading discloses it.
            if not self.waiters.is_open or waiter.is_gone or not await self.holds():
                return
            page = await self.read(at)

    def _lines(self, page: FeedPage) -> bytes:
        """The events, then the position alone: rows that were stopped leave no event behind."""
        lines = [
            b"id: %b\ndata: %b\n\n" % (self._cursor(number), event)
            for number, event in zip(page.numbers, page.events, strict=True)
        ]
        if not page.numbers or page.numbers[-1] != page.next:
            lines.append(b"id: %b\n\n" % self._cursor(page.next))
        return b"".join(lines)

    def _cursor(self, number: int) -> bytes:
        return cursors.encode(self.participant, number).encode()

    @staticmethod
    async def _body(send: Send, body: bytes) -> None:
        await send({"type": "http.response.body", "body": body, "more_body": True})
