"""How the relay takes rows out of the outbox, on either database.

Rows are read in number order and deleted by id after they were published.
On SQLite the ledger's writer deletes them, so that the relay never waits for its lock; until it
has, the relay remembers what it published and passes over it.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

import orjson
import psycopg

from consumers.database import is_postgres
from consumers.file_lock import FileLock
from gateway.exchange.outbox import OutboxRow, pack
from schemas.attributes import SOURCE_PREFIX, TYPE_PREFIX
from schemas.envelope import AVRO
from schemas.facts import FACT_ID

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from sqlalchemy.engine import Engine

    from consumers.wake import Waker

# One number for every relay of a database: whoever holds it publishes.
RELAY_LOCK = 0x5C4A4B52
REPORT_SECONDS = 1.0
REPORTED_AT_ONCE = 4_000
MOST_UNDELETED = 20_000

_ROWS = (
    "select o.seq, o.topic, o.key, o.value, o.event_id,"
    " l.record, l.event_id, l.participant, l.event_name, l.traceparent"
    " from outbox o left join ledger l on l.event_id = o.event_id"
)
_PARK = (
    "insert into outbox_parked (seq, topic, key, event_id, value, reason, parked_at)"
    " select seq, topic, key, event_id, value, {mark}, {mark} from outbox where seq = {mark}"
    " on conflict do nothing"
)
_CONTENT_TYPE = ("content-type", AVRO.encode())
_SPECVERSION = ("ce_specversion", b"1.0")


class Drain(Protocol):
    """The relay's side of the outbox. Everything but `close` raises when the database is down."""

    def acquire(self) -> bool:
        """Become, or still be, the one relay of this ledger. Never blocks."""
        ...

    def take(self, limit: int) -> list[OutboxRow]:
        """The next rows to publish, in number order."""
        ...

    def done(self, numbers: Sequence[int]) -> None:
        """These rows are in the log: see that they are deleted."""
        ...

    def park(self, number: int, reason: str) -> None:
        """Set a row aside that cannot be published, so that others go on."""
        ...

    def close(self) -> None:
        """Let go of lock and connections; never raises. A later `acquire` begins again."""
        ...


def open_drain(engine: Engine, report: Waker, lock_file: Path) -> Drain:
    """The drain of this database.

    Args:
        engine: of the ledger's store, writing.
        report: reaches the ledger's writer (SQLite).
        lock_file: held by the one relay (SQLite).
    """
    if is_postgres(engine):
        return PostgresDrain(engine)
    return SqliteDrain(engine, report, lock_file)


class SqliteDrain:
    """Reads without a lock, reports by datagram; nothing is written but a parked row."""

    def __init__(self, engine: Engine, report: Waker, lock_file: Path) -> None:
        self._engine = engine
        self._report = report
        self._lock = FileLock(lock_file)
        self._published: set[int] = set()
        self._reported_at = 0.0

    def acquire(self) -> bool:
        """By a lock on a file, which ends with this process."""
        return self._lock.take()

    def take(self, limit: int) -> list[OutboxRow]:
        """Rows not published yet; nothing while too many published ones wait for deletion."""
        window = limit + len(self._published)
        connection = self._reader()
        try:
            found = connection.execute("select seq from outbox order by seq limit ?", (window,))
            present = [seq for (seq,) in found]
            self._forget_deleted(present, whole=len(present) < window)
            self._report_again()
            if len(self._published) >= MOST_UNDELETED:
                return []
            wanted = [seq for seq in present if seq not in self._published][:limit]
            statement = f"{_ROWS} where o.seq in (select value from json_each(?)) order by o.seq"  # noqa: S608
            rows = connection.execute(statement, (orjson.dumps(wanted).decode(),)) if wanted else ()
            return [_row(row) for row in rows]
        finally:
            self._done_reading()

    def done(self, numbers: Sequence[int]) -> None:
        """Remember and report."""
        self._published.update(numbers)
        self._send(numbers)

    def park(self, number: int, reason: str) -> None:
        """In a transaction of its own; rare enough to wait for the lock."""
        with self._engine.begin() as connection:
            connection.exec_driver_sql(_PARK.format(mark="?"), (reason, _now_us(), number))
            connection.exec_driver_sql("delete from outbox where seq = ?", (number,))

    def close(self) -> None:
        """Give the file up."""
        self._lock.leave()

    def _reader(self) -> Any:
        self._pooled = self._engine.raw_connection()
        return self._pooled.driver_connection

    def _done_reading(self) -> None:
        self._pooled.close()

    def _forget_deleted(self, present: Sequence[int], *, whole: bool) -> None:
        """What is no longer there was deleted; beyond the last row read nothing is known."""
        here = set(present)
        last = float("inf") if whole else present[-1]
        self._published = {seq for seq in self._published if seq in here or seq > last}

    def _report_again(self) -> None:
        if self._published and time.monotonic() - self._reported_at > REPORT_SECONDS:
            self._send(sorted(self._published))

    def _send(self, numbers: Sequence[int]) -> None:
        for start in range(0, len(numbers), REPORTED_AT_ONCE):
            self._report.wake(pack(numbers[start : start + REPORTED_AT_ONCE]))
        self._reported_at = time.monotonic()


class PostgresDrain:
    """Reads and deletes on one session, which also holds the lock."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pooled: Any = None
        self._connection: psycopg.Connection[Any] | None = None

    def acquire(self) -> bool:
        """By an advisory lock of the session; a lost session is a lost lock."""
        if self._connection is not None and not self._connection.closed:
            return True
        self.close()
        self._pooled = self._engine.raw_connection()
        connection: psycopg.Connection[Any] = self._pooled.driver_connection
        connection.rollback()
        connection.autocommit = True
        found = connection.execute("select pg_try_advisory_lock(%s)", (RELAY_LOCK,)).fetchone()
        if found is None or not found[0]:
            self.close()
            return False
        self._connection = connection
        return True

    def take(self, limit: int) -> list[OutboxRow]:
        """The rows with the lowest numbers that are committed now."""
        statement = f"{_ROWS} order by o.seq limit %s"
        return [_row(row) for row in self._session().execute(statement.encode(), (limit,))]

    def done(self, numbers: Sequence[int]) -> None:
        """Delete exactly these: a lower number may commit later."""
        self._session().execute("delete from outbox where seq = any(%s)", (list(numbers),))

    def park(self, number: int, reason: str) -> None:
        """Move the row."""
        session = self._session()
        with session.transaction():
            session.execute(_PARK.format(mark="%s").encode(), (reason, _now_us(), number))
            session.execute("delete from outbox where seq = %s", (number,))

    def close(self) -> None:
        """End the session, and with it the lock."""
        pooled, self._pooled, self._connection = self._pooled, None, None
        if pooled is not None:
            with suppress(Exception):
                pooled.invalidate()

    def _session(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            raise psycopg.OperationalError("the relay holds no session")
        return self._connection


def parked(engine: Engine) -> int:
    """How many rows were set aside; an alarm above 0."""
    with engine.connect() as connection:
        found = connection.exec_driver_sql("select count(*) from outbox_parked").scalar()
        return int(found or 0)


def _row(values: Iterable[Any]) -> OutboxRow:
    seq, topic, key, value, own_id, record, *event = values
    if value is not None or record is None:
        named = () if own_id is None else ((FACT_ID, own_id.encode()),)
        return OutboxRow(seq, topic, key, value or b"", (_CONTENT_TYPE, *named))
    return OutboxRow(seq, topic, key, record, log_headers(*event))


def log_headers(
    event_id: str, participant: str, event_name: str, traceparent: str | None
) -> tuple[tuple[str, bytes], ...]:
    """What CloudEvents requires, and the trace; everything else stands in the record itself.

    Each header costs relay, broker and route as much as ten of the record's fields.
    """
    headers = [
        _CONTENT_TYPE,
        _SPECVERSION,
        ("ce_id", event_id.encode()),
        ("ce_source", (SOURCE_PREFIX + participant).encode()),
        ("ce_type", (TYPE_PREFIX + event_name).encode()),
    ]
    if traceparent is not None:
        headers.append(("traceparent", traceparent.encode()))
    return tuple(headers)


def _now_us() -> int:
    return time.time_ns() // 1000
