"""The Kafka door: each participant that was granted it gets its copies in a topic of its own.

Written there is delivered. The position is stored after the broker's acknowledgement, so that a
crash repeats at most one slice, and the order is the inbox's. Everything here blocks and runs on
one thread of one process. The agreement is asked at the moment of writing, through `Copies`: no
slice begins later than half a second after it was rendered, and the next turn asks anew. What
fails for one participant holds up no other.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError

from consumers import inbox, kafka_positions, views
from consumers.errors import NotPublished, Poison
from consumers.kafka_copies import record_of
from consumers.rendering import BEGIN_SECONDS, fitting
from consumers.scope import Scope
from consumers.wake import named
from schemas.errors import SchakelError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import sqlalchemy as sa

    from consumers.kafka_access import KafkaAccess
    from consumers.leases import Leases
    from consumers.log_records import Record
    from consumers.views import InboxEntry
    from consumers.wake import Listener
    from schemas.envelope import CloudEvent

    Row = tuple[InboxEntry, Record | None]
    """An inbox row and its copy; None where a leg stops it."""

DOOR = "kafka"
NAME = "kafka-door"
PAGE, FIRST_PAGE = 500, 100
UNPUBLISHABLE = "unpublishable"
"""The leg of a copy that the broker takes in no way."""
FLUSH_SECONDS = 2.0
"""How long a slice waits for a broker that went away meanwhile, before it is rendered anew."""
SLICE_BYTES = 128 * 1024
"""What the client sends at once, whatever the broker's answers take."""
POLL_SECONDS = 0.25
"""Short, because a right that ended has to be gone at the broker within two seconds."""
PAUSE_SECONDS = 1.0
CHECK_SECONDS = 60.0
"""How often the broker's entries are looked at when the registry has not changed."""

log = structlog.get_logger(__name__)


class Copies(Protocol):
    """Renders and discloses under what is agreed now."""

    def __call__(
        self, participant: str, entries: Sequence[InboxEntry], door: str
    ) -> list[CloudEvent | None]:
        """Each entry's copy, None for one that is stopped; disclosed when this returns.

        Raises:
            SchakelError: not now; nothing of the page may be passed over.
        """
        ...


class Publishes(Protocol):
    """Puts records into topics; `consumers.log.SupervisedProducer` is the real one."""

    def prepare(self, topic: str) -> None:
        """Connect, so that what is published next is sent at once. Raises `LogError`."""
        ...

    def publish(self, records: Sequence[Record]) -> None:
        """Send and wait for all acknowledgements. Raises `LogError`."""
        ...

    def publish_separately(self, records: Sequence[Record]) -> tuple[Poison, ...]:
        """One by one; what can never be published is returned as `Poison`."""
        ...


@dataclass(slots=True)
class KafkaDoor:
    """Writes inboxes to topics.

    Args:
        reading: read-only engine of the consumers' store.
        writing: writing engine of the consumers' store.
        readers: the clients that may read, by participant, by the registry of now; cheap.
        passed: seconds on a clock that never goes back.
    """

    reading: sa.Engine
    writing: sa.Engine
    hand_over: Copies
    producer: Publishes
    access: KafkaAccess
    readers: Callable[[], Mapping[str, frozenset[str]]]
    passed: Callable[[], float] = time.monotonic
    _applied: Mapping[str, frozenset[str]] | None = None
    _checked_at: float = field(default=float("-inf"))
    _page: int = FIRST_PAGE
    """As many as lately went in time: what is rendered and then not sent was disclosed in vain."""
    _resting: dict[str, float] = field(default_factory=dict)
    """Until when nothing is tried for a participant for whom it failed."""

    def concerns(self, woken: Sequence[bytes]) -> bool:
        """Whether a wake-up may be for one of the readers; one that names nobody may."""
        names = named(woken)
        return not names or not self.readers().keys().isdisjoint(names)

    def step(self) -> bool:
        """Bring access up to date and write a page for each inbox that has more.

        Who cannot be written to now is left alone for `PAUSE_SECONDS`, while the others go on.

        Returns:
            Whether anything was written, so that there may be more.

        Raises:
            SchakelError: nobody could be written to, as when the broker is away; nothing is lost.
            SQLAlchemyError: a store does not answer.
        """
        readers = self.readers()
        self._give_access(readers)
        with self.reading.connect() as connection:
            waiting = kafka_positions.behind(connection, readers)
        now = self.passed()
        due = {one: seq for one, seq in waiting.items() if self._resting.get(one, now) <= now}
        failures = [
            failure for one, seq in due.items() if (failure := self._try(one, seq)) is not None
        ]
        if failures and len(failures) == len(due):
            self._resting.clear()  # whoever called waits
            raise failures[0]
        return bool(due)

    def _try(self, participant: str, after: int) -> SchakelError | None:
        """Write a page for one participant; why that failed, or None. Raises if access does."""
        # A right that ended while the others' pages were written has to be gone in time too.
        readers = self.readers()
        self._give_access(readers)
        if participant not in readers:
            return None
        try:
            self._write(participant, after)
        except SchakelError as error:
            log.warning("kafka_door_held_up", participant=participant, error=type(error).__name__)
            self._resting[participant] = self.passed() + PAUSE_SECONDS
            if isinstance(error, NotPublished):
                self.access.forget(participant)
                self._applied = None
            return error
        self._resting.pop(participant, None)
        return None

    def _give_access(self, readers: Mapping[str, frozenset[str]]) -> None:
        is_late = self.passed() - self._checked_at > CHECK_SECONDS
        if readers != self._applied or is_late:
            self.access.apply(readers)
            self._applied, self._checked_at = readers, self.passed()

    def _write(self, participant: str, after: int) -> None:
        with self.reading.connect() as connection:
            entries = views.feed_page(connection, Scope(participant), after=after, limit=self._page)
        if not entries:
            return
        topic = self.access.topic_of(participant)
        self.producer.prepare(topic)
        began = self.passed()
        copies = self.hand_over(participant, entries, DOOR)
        records = [None if one is None else record_of(topic, one) for one in copies]
        self._page = fitting(self._page, len(entries), self.passed() - began, most=PAGE)
        for slice_ in slices(list(zip(entries, records, strict=True))):
            # One row alone always goes, so that a slow machine does not stand still.
            if self.passed() > began + BEGIN_SECONDS and len(entries) > 1:
                return
            self._write_slice(participant, slice_)

    def _write_slice(self, participant: str, rows: Sequence[Row]) -> None:
        refused = self._publish([record for _, record in rows if record is not None])
        with self.writing.begin() as connection:
            lost = [
                entry.seq for entry, record in rows if record is not None and id(record) in refused
            ]
            if lost:
                log.error("kafka_door_unpublishable", participant=participant, rows=len(lost))
                inbox.mark(connection, participant, lost, UNPUBLISHABLE)
            kafka_positions.store(connection, participant, rows[-1][0].seq, lost=bool(lost))

    def _publish(self, records: Sequence[Record]) -> set[int]:
        """Publish all; the identities of those that can never be."""
        if not records:
            return set()
        try:
            self.producer.publish(records)
        except NotPublished as error:
            if not error.rejected:
                raise
        except Poison:
            pass
        else:
            return set()
        return {id(one.record) for one in self.producer.publish_separately(records)}


def slices(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Rows in their order, as many together as can be sent at once; one of any size alone."""
    first, size = 0, 0
    for place, (_, record) in enumerate(rows):
        size += 0 if record is None else record.size
        if size > SLICE_BYTES and place > first:
            yield rows[first:place]
            first, size = place, 0 if record is None else record.size
    yield rows[first:]


def run(door: KafkaDoor, leases: Leases, listener: Listener, stop: threading.Event) -> None:
    """Write until `stop` is set; what is away is tried again and nothing is skipped.

    Only the process that holds the lease writes; the others wait to take its place.
    """
    while not stop.is_set():
        try:
            moved = leases.acquire(NAME) and door.step()
        except (SchakelError, SQLAlchemyError) as error:
            log.warning("kafka_door_waits", error=type(error).__name__)
            stop.wait(PAUSE_SECONDS)
            continue
        if not moved:
            _wait(door, listener)


def _wait(door: KafkaDoor, listener: Listener) -> None:
    """Until something may have come for one of the readers, for `POLL_SECONDS` at most."""
    until = door.passed() + POLL_SECONDS
    while (left := until - door.passed()) > 0:
        woken = listener.wait(left)
        if not woken or door.concerns(woken):
            return
