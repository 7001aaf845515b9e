"""The relay: takes the outbox to the log, in a process beside the gateway (`architecture.md` §4.7).

Whatever goes wrong, the same rows are read and published again: duplicates are dropped by who
reads, losses cannot happen.
A row that no broker will ever take is set aside and counted, so that the others go on.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import structlog

from consumers.errors import NotPublished, Poison
from consumers.log_records import Record
from gateway.exchange.driver import is_down
from gateway.exchange.pacing import gathering_seconds

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping, Sequence

    from consumers.wake import Listener
    from gateway.exchange.drains import Drain
    from gateway.exchange.outbox import OutboxRow

log = structlog.get_logger(__name__)

CHUNK = 1_000
POLL_SECONDS = 1.0
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0


class Publish(Protocol):
    """Publishes records in order and waits for every acknowledgement (`consumers/log.py`)."""

    def publish(self, records: Sequence[Record]) -> None:
        """Publish all; raises Poison for one that never can be, NotPublished for the rest."""
        ...

    def publish_separately(self, records: Sequence[Record]) -> tuple[Poison, ...]:
        """Publish one by one; those that never can be published. Raises NotPublished."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


@dataclass(slots=True)
class Relay:
    """One relay. Used by one thread; the counters may be read by others.

    Attributes:
        passed: seconds on a clock that never goes back.
        published: rows that reached the log, duplicates after a fault not counted.
        set_aside: rows parked.
    """

    drain: Drain
    producer: Publish
    listener: Listener
    stop: threading.Event
    chunk: int = CHUNK
    passed: Callable[[], float] = time.monotonic
    published: int = 0
    set_aside: int = 0
    _pause_seconds: float = FIRST_PAUSE_SECONDS
    _due_at: float = 0.0

    def run(self) -> None:
        """Work until `stop` is set. Raises nothing that a restart of something else would cure."""
        try:
            while not self.stop.is_set():
                self._turn()
        finally:
            self.producer.close()
            self.drain.close()

    def _turn(self) -> None:
        try:
            moved = self.drain.acquire() and self._timed_step()
        except NotPublished as error:
            log.warning("relay_log_unavailable", code=error.code)
            self._pause()
            return
        except Exception as error:
            if not is_down(error):
                raise
            log.warning("relay_ledger_unavailable", error=type(error).__name__)
            self.drain.close()
            self._pause()
            return
        self._pause_seconds = FIRST_PAUSE_SECONDS
        if not moved:
            self.listener.wait(POLL_SECONDS)
        self.stop.wait(max(0.0, self._due_at - self.passed()))

    def _timed_step(self) -> bool:
        began, before = self.passed(), self.published
        moved = self.step()
        now = self.passed()
        self._due_at = now + gathering_seconds(self.published - before, now - began)
        return moved

    def step(self) -> bool:
        """Publish one chunk; False when there was nothing.

        Raises:
            NotPublished: the log is away, refuses everything or lacks a right; whatever did not
                get there stays in the outbox.
        """
        rows = self.drain.take(self.chunk)
        if not rows:
            return False
        records = [_record(row) for row in rows]
        poisons: tuple[Poison, ...] = ()
        try:
            self.producer.publish(records)
        except Poison as poison:
            if _is_refused_altogether(records, (poison,)):
                raise NotPublished(poison.detail) from poison
            # Refused before anything was sent, so the rest of the chunk is simply taken again.
            self._set_aside(_reasons(rows, records, (poison,)))
            return True
        except NotPublished as error:
            if not error.rejected:
                raise
            poisons = self.producer.publish_separately(records)
            if _is_refused_altogether(records, poisons):
                # Those that went are not sent again with every try of the others.
                self._done(rows, _reasons(rows, records, poisons))
                raise
        refused = _reasons(rows, records, poisons)
        self._set_aside(refused)
        self._done(rows, refused)
        return True

    def _done(self, rows: Sequence[OutboxRow], refused: Mapping[int, str]) -> None:
        good = [row.seq for row in rows if row.seq not in refused]
        if good:
            self.drain.done(good)
            self.published += len(good)

    def _set_aside(self, refused: Mapping[int, str]) -> None:
        for seq, reason in refused.items():
            self.drain.park(seq, reason)
            self.set_aside += 1
            log.error("relay_row_set_aside", seq=seq, reason=reason)

    def _pause(self) -> None:
        self.stop.wait(self._pause_seconds)
        self._pause_seconds = min(self._pause_seconds * 2, LONGEST_PAUSE_SECONDS)


def run(drain: Drain, producer: Publish, listener: Listener, stop: threading.Event) -> None:
    """Relay until `stop` is set."""
    Relay(drain, producer, listener, stop).run()


def _record(row: OutboxRow) -> Record:
    return Record(row.topic, row.key.encode(), row.value, list(row.headers))


def _reasons(
    rows: Sequence[OutboxRow], records: Sequence[Record], poisons: Sequence[Poison]
) -> dict[int, str]:
    """Why rows were refused, by their numbers."""
    why = {id(poison.record): poison.why for poison in poisons}
    return {
        row.seq: why[id(record)]
        for row, record in zip(rows, records, strict=True)
        if id(record) in why
    }


def _is_refused_altogether(records: Sequence[Record], poisons: Sequence[Poison]) -> bool:
    """Whether the fault is not in the records: a missing right, or everything refused.

    Setting rows aside would then empty the outbox into the corner for a slip in a setting.
    """
    if any("Authorization" in poison.why for poison in poisons):
        return True
    return len(records) > 1 and len(poisons) == len(records)
