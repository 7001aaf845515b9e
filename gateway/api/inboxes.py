"""The feed's read side: a page of one inbox, rendered and disclosed, ready to be sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

from consumers import views
from consumers.errors import CursorExpired
from consumers.scope import Scope
from consumers.views import EVERYTHING
from gateway.api import cursors
from gateway.exchange.authorise import Stopped
from schemas import envelope
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa

    from consumers.views import Position, Wanted
    from gateway.exchange.handover import HandOver

DOOR: Final = "feed"


@dataclass(frozen=True, slots=True)
class FeedPage:
    """A page of an inbox.

    Attributes:
        events: CloudEvents as JSON, disclosed; rows that were stopped are not among them.
        numbers: the inbox row of each event.
        next: the inbox row this page ends with: everything wanted up to it is in the page.
        behind: rows of the inbox after it.
        oldest: the row before the oldest that the inbox still keeps.
    """

    events: tuple[bytes, ...]
    numbers: tuple[int, ...]
    next: int
    behind: int
    oldest: int


class InboxFeed:
    """Reads pages; safe from several threads.

    Args:
        hand_over: the feed door.
        reading: read-only engine of the consumers' store.
    """

    def __init__(self, hand_over: HandOver, reading: sa.Engine) -> None:
        self._hand_over = hand_over
        self._reading = reading

    def since(self, participant: str, moment_us: int) -> int:
        """The row after which lies all that reached the inbox at or after a time; blocks.

        Raises:
            CursorExpired: 410, some of it is no longer kept.
            Exception: the driver's own, when the store does not answer.
        """
        scope = Scope(participant)
        with self._reading.connect() as connection:
            position = views.position(connection, scope)
            if position.forgotten and moment_us <= position.forgotten_at:
                raise _expired()
            return views.seq_before(connection, scope, moment_us)

    def positions(self, participants: Sequence[str]) -> dict[str, int]:
        """The newest row of each of these inboxes; blocks. Raises as `read`."""
        with self._reading.connect() as connection:
            return views.newest_of(connection, participants)

    def read(
        self, participant: str, after: int, limit: int, actor: str, wanted: Wanted = EVERYTHING
    ) -> FeedPage:
        """The page after row `after`, for a client of the participant's; blocks on the stores.

        Raises:
            CursorExpired: 410, rows after it are no longer kept.
            InvalidCursor: 400, the inbox never gave out that row.
            Exception: the driver's own, when a store does not answer or cannot write.
        """
        scope = Scope(participant)
        with self._reading.connect() as connection:
            # First, so that a row that comes in between lies after the page and is not passed over.
            position = views.position(connection, scope)
            entries = views.feed_page(connection, scope, after=after, limit=limit, wanted=wanted)
        _check(after, position)
        outcomes = self._hand_over.hand_over(participant, entries, DOOR, actor)
        last = entries[-1].seq if entries else after
        if len(entries) < limit:
            last = max(last, position.newest)
        copies = [
            (entry.seq, orjson.dumps(envelope.to_structured(one.event)))
            for entry, one in zip(entries, outcomes, strict=True)
            if not isinstance(one, Stopped)
        ]
        return FeedPage(
            events=tuple(body for _, body in copies),
            numbers=tuple(seq for seq, _ in copies),
            next=last,
            behind=max(0, position.newest - last),
            oldest=max(0, position.oldest - 1),
        )


def _check(after: int, position: Position) -> None:
    if after > position.newest:
        raise cursors.invalid_cursor()
    if 0 < after < position.forgotten:
        raise _expired()


def _expired() -> CursorExpired:
    return CursorExpired(
        Message(
            nl="Wat hierop volgt, wordt niet meer bewaard. Begin opnieuw zonder after en from, "
            "of vraag de rest op met POST /v1/feed/backfill.",
            en="What follows is no longer kept. Start again without after and from, "
            "or ask for the rest with POST /v1/feed/backfill.",
        ),
        facts={"backfill": "/v1/feed/backfill"},
    )
