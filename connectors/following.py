"""Reading the feed with patience: event after event, across outages, restarts and long absences.

    for event in hub.follow(FileCursor(path)):
        write(event)  # idempotent by event.id

A step counts as handled when the loop asks for the next one; only then is its cursor kept. A loop
that ends in any other way gets the same events again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, Protocol

import structlog

from connectors.backoff import backoff_seconds
from connectors.errors import HubRefused, HubUnavailable, StateUnusable
from schemas.errors import Message
from schemas.moments import from_rfc3339, to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from connectors.answers import Delivered, Refilled
    from connectors.patience import Patience
    from connectors.positions import CursorStore, Position
    from connectors.sdk import Event

Form = Literal["json", "ndjson", "sse"]
"""How the feed is read: in pages that are waited for, in long answers, or as one open stream."""

EXPIRED: Final = "cursor_expired"
IDLE_SECONDS: Final = 1.0
WAIT_SECONDS: Final = 20
MARGIN_US: Final = 24 * 3600 * 1_000_000
"""Events reach an inbox about in the order in which they were recorded: partitions differ."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events of the inbox to read; an empty one leaves out nothing.

    Attributes:
        types: event names such as `referral.created`, or families such as `placement.*`.
        programmes: codes of the list `programme`.
        municipalities: NIS codes; one also stands for those that merged into it.
    """

    types: tuple[str, ...] = ()
    programmes: tuple[str, ...] = ()
    municipalities: tuple[str, ...] = ()

    def parameters(self) -> dict[str, str]:
        """As the feed's query has them."""
        given = {"type": self.types, "programme": self.programmes, "nis": self.municipalities}
        return {name: ",".join(sorted(set(found))) for name, found in given.items() if found}


EVERYTHING: Final = Wanted()


class Feed(Protocol):
    """What is needed of the hub; `HubClient` is the real one."""

    def steps(
        self,
        after: str | None,
        *,
        form: Form = "json",
        wanted: Wanted = EVERYTHING,
        limit: int = 100,
        wait_seconds: int = 0,
    ) -> Iterator[Delivered]:
        """One attempt, as `HubClient.steps`."""
        ...

    def backfill(self, since: str) -> Refilled:
        """One attempt, as `HubClient.backfill`."""
        ...


class Follower:
    """Reads one inbox from where its store says.

    Args:
        feed: one attempt per call.
        store: where the position is kept.
        wanted: which events; a store belongs to one filter.
        patience: how failures are waited out.
        form: how to read.
        limit: most events in a page: what comes again at most after a crash, but for `ndjson`.
        backfill_from: RFC 3339, from when to fill the inbox again when it no longer keeps what
            follows the cursor and no event was ever handled; None raises then.
        clock: monotonic seconds, to tell an inbox that waited from one that answers at once.

    Raises:
        StateUnusable: the store's position was made under another filter.
    """

    def __init__(
        self,
        feed: Feed,
        store: CursorStore,
        *,
        patience: Patience,
        wanted: Wanted = EVERYTHING,
        form: Form = "json",
        limit: int = 100,
        backfill_from: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._feed = feed
        self._store = store
        self._patience = patience
        self._wanted = wanted
        self._form = form
        self._limit = limit
        self._backfill_from = backfill_from
        self._clock = clock
        self._position = _loaded(store, wanted)
        self._newest = self._position.recorded_at
        self._attempt, self._waited = 0, 0.0

    def follow(self) -> Iterator[Event]:
        """Every event, for ever; blocks while there is none.

        Raises:
            HubUnavailable: gave up.
            HubRefused, InvalidCredentials: the hub does not let this client read.
            StateUnusable: the position cannot be kept.
        """
        return self._events(self._form, WAIT_SECONDS, is_endless=True)

    def catch_up(self) -> Iterator[Event]:
        """Every event that is there now; ends when the inbox is read. Raises as `follow`."""
        return self._events("json", 0, is_endless=False)

    def _events(self, form: Form, wait_seconds: int, *, is_endless: bool) -> Iterator[Event]:
        while True:
            began, before, behind = self._clock(), self._position, 0
            try:
                for step in self._feed.steps(
                    self._position.cursor,
                    form=form,
                    wanted=self._wanted,
                    limit=self._limit,
                    wait_seconds=wait_seconds,
                ):
                    self._attempt, self._waited = 0, 0.0
                    if step.event is not None:
                        yield step.event
                        self._note(step.event)
                    self._keep(step.cursor)
                    behind = step.behind or 0
            except HubUnavailable as error:
                self._wait(error)
                continue
            except HubRefused as error:
                self._expired(error)
                continue
            has_moved = self._position != before
            if not is_endless and not (behind and has_moved):
                return
            if not has_moved and self._clock() - began < IDLE_SECONDS:
                # A hub that is ending answers at once; it is not asked without end.
                self._patience.pause(IDLE_SECONDS)

    def _note(self, event: Event) -> None:
        """Remember the newest time at which the hub recorded what was handled."""
        text = event.attributes.get("recordedtime")
        if isinstance(text, str) and (self._newest is None or _us(text) > _us(self._newest)):
            self._newest = text

    def _keep(self, cursor: str | None) -> None:
        if cursor is None or cursor == self._position.cursor:
            return
        position = replace(self._position, cursor=cursor, recorded_at=self._newest)
        self._store.save(position)
        self._position = position

    def _expired(self, error: HubRefused) -> None:
        """Have the inbox filled again, and begin at what it keeps; raises any other refusal."""
        if error.problem_code != EXPIRED:
            raise error
        since: str | None = self._backfill_from
        if self._newest is not None:
            since = to_rfc3339(_us(self._newest) - MARGIN_US)
        if since is None:
            raise error
        try:
            added = 0
            while since is not None:
                refilled = self._feed.backfill(since)
                added += refilled.added
                since = refilled.more_from
        except HubUnavailable as unavailable:
            self._wait(unavailable)
            return
        _log.warning("feed_backfilled", events=added)
        # Not from the answer's own cursor: what the inbox still keeps lies before that one.
        self._store.save(replace(self._position, cursor=None, recorded_at=self._newest))
        self._position = self._store.load()

    def _wait(self, error: HubUnavailable) -> None:
        self._attempt += 1
        patience = self._patience
        seconds = backoff_seconds(self._attempt, patience.chance(), error.retry_after_seconds)
        self._waited += seconds
        if patience.give_up_seconds is not None and self._waited > patience.give_up_seconds:
            raise error
        _log.warning("hub_unavailable", attempt=self._attempt, wait_seconds=round(seconds, 2))
        patience.pause(seconds)


def _us(text: str) -> int:
    try:
        return from_rfc3339(text)
    except ValueError:
        return 0


def _loaded(store: CursorStore, wanted: Wanted) -> Position:
    position, name = store.load(), _name(wanted)
    if position.cursor is not None and position.wanted != name:
        raise StateUnusable(
            Message(
                nl="De cursor hoort bij een andere filter. Neem per filter een eigen bestand.",
                en="The cursor belongs to another filter. Take a file of its own for each filter.",
            )
        )
    return replace(position, wanted=name)


def _name(wanted: Wanted) -> str:
    return "&".join(f"{name}={value}" for name, value in sorted(wanted.parameters().items()))
