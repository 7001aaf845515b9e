"""A seat that one process of an installation has at a time, and that ends with that process."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from consumers.database import is_postgres
from consumers.file_lock import FileLock

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.engine import Engine


class Seat(Protocol):
    """What only one of several processes may do."""

    def take(self) -> bool:
        """Have it, or still have it. Never blocks; raises when the database is down."""
        ...

    def leave(self) -> None:
        """Give it up; never raises. A later `take` begins again."""
        ...


def open_seat(engine: Engine, lock: int, lock_file: Path) -> Seat:
    """The seat of this database.

    Args:
        engine: of the store that the work is done in.
        lock: number of the advisory lock (PostgreSQL).
        lock_file: held by whoever has it (SQLite).
    """
    return SessionSeat(engine, lock) if is_postgres(engine) else FileLock(lock_file)


class SessionSeat:
    """By an advisory lock of a PostgreSQL session; a lost session is a lost seat."""

    def __init__(self, engine: Engine, lock: int) -> None:
        self._engine = engine
        self._lock = lock
        self._pooled: Any = None

    def take(self) -> bool:
        """Lock, or ask the session whether it is still there."""
        if self._pooled is not None:
            self._pooled.driver_connection.execute("select 1")
            return True
        pooled = self._engine.raw_connection()
        connection: Any = pooled.driver_connection
        connection.rollback()
        connection.autocommit = True
        found = connection.execute("select pg_try_advisory_lock(%s)", (self._lock,)).fetchone()
        self._pooled = pooled
        if not found[0]:
            self.leave()
            return False
        return True

    def leave(self) -> None:
        """End the session, and with it the lock."""
        pooled, self._pooled = self._pooled, None
        if pooled is not None:
            with suppress(Exception):
                pooled.invalidate()
