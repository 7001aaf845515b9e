"""Whose turn it is: one deliverer at a time sends for one subscription.

On PostgreSQL each lease is an advisory lock of one session, which ends with its process. Beside
SQLite there is one deliverer at all, which a locked file sees to.
"""

from __future__ import annotations

import hashlib
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from consumers.database import is_postgres
from consumers.file_lock import FileLock

if TYPE_CHECKING:
    from pathlib import Path

LOCK_CLASS: Final = 0x5C4A5748
"""The first of the two numbers of each lock, so that no other lock of this database is meant."""


class Leases(Protocol):
    """Which subscriptions this process may send for."""

    def acquire(self, subscription_id: str) -> bool:
        """Take one; false when another process has it. Never blocks for long.

        Raises:
            SQLAlchemyError: the database does not answer.
        """
        ...

    def release(self, subscription_id: str) -> None:
        """Give it back. Never raises."""
        ...

    def close(self) -> None:
        """Give all back."""
        ...


class FileLeases:
    """All or none: whoever locked the file has them all, until its process ends."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = FileLock(path)
        self._lock = threading.Lock()

    def acquire(self, subscription_id: str) -> bool:
        """Whether this process is the one deliverer."""
        del subscription_id
        with self._lock:
            return self._file.take()

    def release(self, subscription_id: str) -> None:
        """Nothing is given back before the process ends."""

    def close(self) -> None:
        """Let another process be the one."""
        with self._lock:
            self._file.leave()


class PostgresLeases:
    """One advisory lock a subscription, all held by one session."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._session: sa.Connection | None = None
        self._lock = threading.Lock()

    def acquire(self, subscription_id: str) -> bool:
        """Take the lock; a session that broke takes all of its locks with it."""
        with self._lock:
            if self._session is None:
                self._session = self._engine.connect().execution_options(
                    isolation_level="AUTOCOMMIT"
                )
            try:
                query = sa.select(
                    sa.func.pg_try_advisory_lock(LOCK_CLASS, _number(subscription_id))
                )
                return bool(self._session.execute(query).scalar())
            except SQLAlchemyError:
                self._drop()
                raise

    def release(self, subscription_id: str) -> None:
        """Give the lock back; without a session it is gone already."""
        with self._lock:
            if self._session is None:
                return
            try:
                query = sa.select(sa.func.pg_advisory_unlock(LOCK_CLASS, _number(subscription_id)))
                self._session.execute(query)
            except SQLAlchemyError:
                self._drop()

    def close(self) -> None:
        """End the session."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with suppress(SQLAlchemyError):
                session.invalidate()
                session.close()


def open_leases(engine: sa.Engine, lock_file: Path) -> Leases:
    """The leases of this database."""
    return PostgresLeases(engine) if is_postgres(engine) else FileLeases(lock_file)


def _number(subscription_id: str) -> int:
    digest = hashlib.sha256(subscription_id.encode()).digest()
    return int.from_bytes(digest[:4], "big", signed=True)
