"""From the inbox to a sink: hand over a page, and only then remember the cursor.

A page is one call of the sink.
What the sink rejects becomes a dead letter in the same write as the cursor; when it asks to retry,
or dies, the whole page comes again, which is why a sink is idempotent by event id.
The hub tells a partner's own number to nobody, so the sink gets the one that the state remembers.
A sink that cannot be written now holds up nothing else: the page comes again when it is due.
"""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import orjson
import structlog

from connectors.backoff import backoff_seconds
from connectors.checkpoint import DeadLetter, Settlement, cursor_text
from connectors.errors import HubUnavailable, SinkNotReady
from connectors.sdk import Retry

if TYPE_CHECKING:
    from collections.abc import Callable

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
        give_up_seconds: how long to wait in all for one page, or for the sink to take it; None
            waits for ever.
        now: seconds on a clock that never goes back.
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
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sink = sink
        self._config = config
        self._state = state
        self._ids = ids
        self._inbox = inbox
        self._pause = pause
        self._give_up_seconds = give_up_seconds
        self._now = now
        self._cursor_name = f"sink:{sink.name}"
        self._refusals = 0
        self._waited = 0.0
        self._due = 0.0

    def drain(self, *, is_patient: bool = False) -> int:
        """Hand over all that is in the inbox now; returns how many events that were.

        A sink that cannot be written now is tried again by a later call, not before it is due;
        with `is_patient` this call waits until it is.

        Raises:
            Stopped: asked to stop; the page at hand comes again.
            ConnectorError: the hub or, with patience, the sink cannot go on.
        """
        count = 0
        while is_patient or self._now() >= self._due:
            self._pause(max(0.0, self._due - self._now()))
            after = self._state.cursor(self._cursor_name)
            page = self._page(after)
            if page.next is None or page.next == after:
                break
            try:
                self._hand_over(page)
            except Retry as retry:
                self._wait_for_sink(retry, is_patient=is_patient)
                continue
            self._refusals, self._waited = 0, 0.0
            count += len(page.events)
            if not page.behind and len(page.events) < self._sink.batch:
                break
        return count

    def _page(self, after: str | None) -> Page:
        attempt, waited = 0, 0.0
        while True:
            attempt += 1
            try:
                return self._inbox.feed(after, limit=self._sink.batch)
            except HubUnavailable as error:
                seconds = backoff_seconds(attempt, random.random(), error.retry_after_seconds)  # noqa: S311 - jitter
                waited += seconds
                if self._give_up_seconds is not None and waited > self._give_up_seconds:
                    raise
                _log.warning("hub_unavailable", attempt=attempt, wait_seconds=round(seconds, 2))
                self._pause(seconds)

    def _hand_over(self, page: Page) -> None:
        wanted = [self._with_own_number(event) for event in page.events if self._wants(event)]
        rejected = list(self._sink.write(self._config, wanted) or ()) if wanted else []
        settlement = Settlement(self._cursor_name, cursor_name=self._cursor_name)
        settlement.cursor = page.next
        for event in page.events:
            self._learn(event, settlement)
        settlement.dead_letters = [self._dead_letter(one, page) for one in rejected]
        self._state.settle(settlement)
        _log.info("events_delivered", sink=self._sink.name, events=len(wanted))

    def _wants(self, event: Event) -> bool:
        return not self._sink.events or event.type in self._sink.events

    def _with_own_number(self, event: Event) -> Event:
        trajectory = event.attributes.get("trajectoryid")
        if not isinstance(trajectory, str) or "sourcerecordid" in event.attributes:
            return event
        own = self._state.own_number(trajectory)
        if own is None:
            return event
        return replace(event, attributes={**event.attributes, "sourcerecordid": own})

    def _wait_for_sink(self, retry: Retry, *, is_patient: bool) -> None:
        """Say when the sink is tried again; raises SinkNotReady when that took too long."""
        self._refusals += 1
        seconds = backoff_seconds(self._refusals, random.random(), retry.after)  # noqa: S311 - jitter
        self._waited += seconds
        self._due = self._now() + seconds
        cause = retry.__cause__ or retry
        _log.warning(
            "sink_not_ready",
            sink=self._sink.name,
            attempt=self._refusals,
            kind=type(cause).__name__,
            what=retry.what,
            wait_seconds=round(seconds, 2),
        )
        limit = self._give_up_seconds
        if is_patient and limit is not None and self._waited > limit:
            raise SinkNotReady(self._sink.name, retry.what, type(cause).__name__) from retry

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
