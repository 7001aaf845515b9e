"""From the inbox to a sink: hand over a page, and only then remember the cursor.

A page is one call of the sink.
What the sink rejects becomes a dead letter in the same write as the cursor; when it asks to retry,
or dies, the whole page comes again, which is why a sink is idempotent by event id.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Protocol

import orjson
import structlog

from connectors.backoff import backoff_seconds
from connectors.checkpoint import DeadLetter, Settlement, cursor_text
from connectors.errors import HubUnavailable
from connectors.sdk import Retry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from connectors.answers import Page
    from connectors.checkpoint import Checkpoint
    from connectors.identity import Identities
    from connectors.sdk import Config, Event, Reject, Sink

_log = structlog.get_logger(__name__)


class Inbox(Protocol):
    """What is needed of the hub; `HubClient` is the real one."""

    def feed(self, after: str | None = None, *, limit: int = 100, wait_seconds: int = 0) -> Page:
        """One attempt, as `HubClient.feed`."""
        ...


class Delivery:
    """Feeds one sink.

    Args:
        sink: what to feed.
        config: its settings.
        state: where the cursor is kept.
        ids: derives digests.
        inbox: one attempt per call.
        pause: waits; raises Stopped when the runner must end.
        give_up_seconds: how long to wait in all for one page; None waits for ever.
    """

    def __init__(
        self,
        sink: Sink,
        config: Config,
        *,
        state: Checkpoint,
        ids: Identities,
        inbox: Inbox,
        pause: Callable[[float], None],
        give_up_seconds: float | None = None,
    ) -> None:
        self._sink = sink
        self._config = config
        self._state = state
        self._ids = ids
        self._inbox = inbox
        self._pause = pause
        self._give_up_seconds = give_up_seconds
        self._cursor_name = f"sink:{sink.name}"

    def drain(self, wait_seconds: int = 0) -> int:
        """Hand over all that is in the inbox now; returns how many events that were.

        Raises:
            Stopped: asked to stop; the page at hand comes again.
            ConnectorError: the hub cannot go on.
        """
        count = 0
        while True:
            after = self._state.cursor(self._cursor_name)
            page = self._page(after, wait_seconds)
            if page.next is None or page.next == after:
                return count
            self._hand_over(page)
            count += len(page.events)
            wait_seconds = 0
            if not page.behind and len(page.events) < self._sink.batch:
                return count

    def _page(self, after: str | None, wait_seconds: int) -> Page:
        attempt, waited = 0, 0.0
        while True:
            attempt += 1
            try:
                return self._inbox.feed(after, limit=self._sink.batch, wait_seconds=wait_seconds)
            except HubUnavailable as error:
                seconds = backoff_seconds(attempt, random.random(), error.retry_after_seconds)  # noqa: S311 - jitter
                waited += seconds
                if self._give_up_seconds is not None and waited > self._give_up_seconds:
                    raise
                _log.warning("hub_unavailable", attempt=attempt, wait_seconds=round(seconds, 2))
                self._pause(seconds)

    def _hand_over(self, page: Page) -> None:
        wanted = [event for event in page.events if self._wants(event)]
        rejected = self._written(wanted) if wanted else []
        settlement = Settlement(self._cursor_name, cursor_name=self._cursor_name)
        settlement.cursor = page.next
        for event in page.events:
            self._learn(event, settlement)
        settlement.dead_letters = [self._dead_letter(one, page) for one in rejected]
        self._state.settle(settlement)
        _log.info("events_delivered", sink=self._sink.name, events=len(wanted))

    def _wants(self, event: Event) -> bool:
        return not self._sink.events or event.type in self._sink.events

    def _written(self, events: Sequence[Event]) -> list[Reject]:
        attempt = 0
        while True:
            attempt += 1
            try:
                return list(self._sink.write(self._config, events) or ())
            except Retry as retry:
                self._pause(backoff_seconds(attempt, random.random(), retry.after))  # noqa: S311 - jitter

    def _learn(self, event: Event, settlement: Settlement) -> None:
        """Remember which aggregates a trajectory has, so that rows need not carry their ids."""
        trajectory = event.attributes.get("trajectoryid")
        subject, kind = event.attributes.get("subject"), event.attributes.get("aggregatetype")
        if not isinstance(trajectory, str):
            return
        if isinstance(subject, str) and isinstance(kind, str):
            settlement.aggregates.append((trajectory, kind, subject))
        own = event.attributes.get("sourcerecordid")
        if isinstance(own, str):
            settlement.cases.append((self._ids.digest("own", own), trajectory))

    def _dead_letter(self, rejected: Reject, page: Page) -> DeadLetter:
        event = rejected.event
        body = {**event.attributes, "data": event.data}
        return DeadLetter(
            origin=self._cursor_name,
            unit="",
            row=0,
            event=event.type,
            key_digest=self._ids.digest("delivered", event.id),
            stage="write",
            code="rejected",
            # The kind of the reason only: its text may hold what could not be written.
            reason=rejected.why if isinstance(rejected.why, str) else type(rejected.why).__name__,
            cursor=cursor_text(page.next),
            attempts=1,
            raw=orjson.dumps(body, default=str),
        )
