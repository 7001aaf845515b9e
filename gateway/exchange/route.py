"""From the log to the inboxes: for each recipient of an event one row, written exactly once.

Reads the trajectory, offer and organisation topics, looks the events up in the ledger by id and
appends to the inboxes in one transaction a poll; offsets are committed after it, doors are woken
after that. A replay writes nothing. What cannot be placed is tried again a bounded number of
times, then parked in a table and counted; nothing is skipped in silence. A database that does not
answer is waited for, without bound: its records stay uncommitted in the log.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import structlog

from consumers import inbox, parked
from consumers.errors import LogUnavailable
from consumers.parked import Parked
from consumers.traceparent import flags_sampled, new_traceparent
from consumers.wake import naming
from gateway.exchange import records
from gateway.exchange.driver import is_down
from gateway.exchange.inbox_rows import InboxRows
from gateway.exchange.pacing import gathering_seconds
from schemas.codec import decode_sealed
from schemas.errors import SchakelError
from schemas.identifiers import is_uuid

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    import sqlalchemy as sa

    from consumers.clock import Clock
    from consumers.log import Fetched
    from consumers.spans import Tracing
    from consumers.wake import Waker
    from gateway.exchange.records import LedgerRow
    from gateway.exchange.registry import Registry

TOPICS = ("activation.trajectory.v1", "activation.offer.v1", "activation.organisation.v1")
GROUP = "schakel.route"
POLL_SECONDS = 0.5
ATTEMPTS = 5
PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0
EVENT_ID_HEADER = "ce_id"

log = structlog.get_logger()


class Log(Protocol):
    """The part of `consumers.log.LogConsumer` that the route needs."""

    def poll(self, timeout_seconds: float, /) -> Sequence[Fetched]:
        """The next records, in order per partition; blocks up to the time-out."""
        ...

    def commit(self) -> None:
        """Note that everything polled so far has had its effect."""
        ...


@dataclass(slots=True)
class Counts:
    """What one route has done since it started, for the metrics."""

    events: int = 0
    rows: int = 0
    parked: int = 0


@dataclass(slots=True)
class Route:
    """Places polled records into inboxes. One thread uses it.

    Args:
        ledger: read-only engine of the ledger.
        consumers: writing engine of the consumers' store.
        wakers: the doors, told which participants got something (names joined by commas).
        pause: waits between attempts; a test passes one that does not.
        passed: seconds on a clock that never goes back.

    Attributes:
        took: how many seconds the last batch took, without the wait for it.
    """

    log: Log
    ledger: sa.Engine
    consumers: sa.Engine
    registry: Callable[[], Registry]
    clock: Clock
    wakers: Sequence[Waker] = ()
    tracing: Tracing | None = None
    pause: Callable[[float], object] = time.sleep
    counts: Counts = field(default_factory=Counts)
    passed: Callable[[], float] = time.monotonic
    pending: Sequence[Fetched] = ()
    took: float = 0.0

    def step(self, timeout_seconds: float = POLL_SECONDS) -> int:
        """Poll once and place what came; returns how many records that was.

        Blocks up to the time-out.

        Raises:
            LogUnavailable: the broker does not answer; call again.
            OperationalError: a database does not; call again, nothing is lost.
        """
        # A batch whose placing failed is tried again before anything else is polled: the
        # consumer has moved on, and a later commit would skip it.
        self.pending = self.pending or self.log.poll(timeout_seconds)
        if not self.pending:
            return 0
        began = self.passed()
        self._place_at_last(self.pending)
        self.log.commit()
        placed, self.pending = len(self.pending), ()
        self.took = self.passed() - began
        return placed

    def reroute(self, event_ids: Sequence[str]) -> frozenset[str]:
        """Place events from the ledger alone, such as those parked; idempotent.

        Returns:
            The participants that got something.
        """
        with self.ledger.connect() as connection:
            rows = records.rows_by_ids(connection, event_ids)
        ordered = sorted(rows.values(), key=lambda row: row.seq)
        touched = self._write(ordered, ())
        with self.consumers.begin() as connection:
            for row in ordered:
                parked.resolve(connection, row.event_id, now=self.clock.now_us())
        self._wake(touched)
        return touched

    def _place_at_last(self, fetched: Sequence[Fetched]) -> None:
        """Place a batch; on an unknown fault again, then record by record, then park."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._place(fetched)
            except Exception as error:  # this worker's edge: park, never die
                if is_down(error):
                    raise  # the database is away: the loop waits, the batch stays uncommitted
                log.warning("route_failed", records=len(fetched), error=type(error).__name__)
                self.pause(PAUSE_SECONDS * attempt)
            else:
                return
        if len(fetched) > 1:
            for record in fetched:
                self._place_at_last([record])
            return
        self._write((), self._set_aside(fetched, "route_failed"))

    def _place(self, fetched: Sequence[Fetched]) -> None:
        """One transaction: the rows of these records, and the records that have to be parked."""
        named = [(record, event_id_of(record)) for record in fetched]
        undecodable = [record for record, event_id in named if event_id is None]
        wanted = [event_id for _, event_id in named if event_id is not None]
        found = self._found(wanted)
        missing = [one for one, event_id in named if event_id and event_id not in found]
        rows = [found[event_id] for event_id in dict.fromkeys(wanted) if event_id in found]
        aside = self._set_aside(undecodable, "undecodable")
        aside += self._set_aside(missing, "ledger_row_missing")
        started = time.time_ns()
        touched = self._write(rows, aside)
        self._wake(touched)
        self._trace(rows, touched, started)

    def _found(self, event_ids: Sequence[str]) -> dict[str, LedgerRow]:
        """The ledger rows; what the relay published may, for a moment, not be visible here yet."""
        found: dict[str, LedgerRow] = {}
        for attempt in range(1, ATTEMPTS + 1):
            with self.ledger.connect() as connection:
                found = records.rows_by_ids(connection, event_ids)
            if len(found) == len(set(event_ids)):
                break
            self.pause(PAUSE_SECONDS * attempt)
        return found

    def _write(self, rows: Sequence[LedgerRow], aside: Sequence[Parked]) -> frozenset[str]:
        now = self.clock.now_us()
        with self.consumers.begin() as connection:
            addresses = InboxRows(self.ledger, self.registry).of(connection, rows, now=now)
            touched = inbox.append(connection, addresses, now=now)
            parked.park(connection, aside)
        self.counts.events += len(rows)
        self.counts.rows += len(addresses)
        self.counts.parked += len(aside)
        return touched

    def _set_aside(self, fetched: Sequence[Fetched], code: str) -> list[Parked]:
        now = self.clock.now_us()
        for record in fetched:
            log.error(
                "record_parked",
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                code=code,
            )
        return [
            Parked(
                record.topic,
                record.partition,
                record.offset,
                event_id_of(record),
                code,
                ATTEMPTS,
                now,
            )
            for record in fetched
        ]

    def _trace(self, rows: Sequence[LedgerRow], touched: frozenset[str], started: int) -> None:
        """One span a batch: below its event when there is one, linked to each when several."""
        parents = [row.traceparent for row in rows if flags_sampled(row.traceparent)]
        if self.tracing is None or not parents:
            return
        alone = len(parents) == 1
        self.tracing.record(
            "route",
            parents[0] if alone else new_traceparent(sampled=True),
            started,
            time.time_ns(),
            {"messaging.batch.message_count": len(rows), "schakel.recipients": len(touched)},
            kind="consumer",
            links=() if alone else [parent for parent in parents if parent],
            root=not alone,
        )

    def _wake(self, participants: frozenset[str]) -> None:
        if participants:
            payload = naming(participants)
            for waker in self.wakers:
                waker.wake(payload)


def event_id_of(record: Fetched) -> str | None:
    """The id of the event in a record: its header, else the routing part of its value."""
    for name, value in record.headers:
        if name == EVENT_ID_HEADER:
            text = value.decode("ascii", "replace")
            return text if is_uuid(text) else None
    try:
        event_id = decode_sealed(record.value).routing.event_id
    except SchakelError:
        return None
    return event_id if is_uuid(event_id) else None


def run(route: Route, stop: threading.Event) -> None:
    """Route until `stop` is set; waits out a broker or database that does not answer."""
    pause = PAUSE_SECONDS
    while not stop.is_set():
        try:
            placed = route.step()
        except Exception as error:
            if not isinstance(error, LogUnavailable) and not is_down(error):
                raise
            log.warning("route_waits", error=type(error).__name__, seconds=pause)
            stop.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        else:
            pause = PAUSE_SECONDS
            stop.wait(gathering_seconds(placed, route.took))
