"""The driver connection of the ledger's one writer: the same few calls on both databases.

SQL goes to the driver as constant text, so that it is prepared once.
Many rows go in one call: `executemany` on SQLite, arrays through `unnest` on PostgreSQL, where a
group of statements travels in one pipeline.
"""

from __future__ import annotations

import sqlite3
import zlib
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import orjson
import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from consumers.database import is_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Engine


LOCKED_NAMES = 0x5C4A4B
"""The class of the advisory locks for names; the relay's and the migrations' have one number."""
NAME_LOCKS = 512


@dataclass(frozen=True, slots=True)
class Insert:
    """An insert of whole rows: columns with their PostgreSQL types, and what to do on conflict.

    `on_conflict` is `nothing`, or the column whose row is then replaced.
    """

    table: str
    columns: tuple[tuple[str, str], ...]
    on_conflict: str = "nothing"

    @property
    def names(self) -> str:
        """The columns, comma-joined."""
        return ", ".join(name for name, _ in self.columns)

    @property
    def conflict(self) -> str:
        """The clause that follows the values."""
        if self.on_conflict == "nothing":
            return "on conflict do nothing"
        others = (name for name, _ in self.columns if name != self.on_conflict)
        changes = ", ".join(f"{name} = excluded.{name}" for name in others)
        return f"on conflict ({self.on_conflict}) do update set {changes}"


@dataclass(frozen=True, slots=True)
class Lookup:
    """A select of rows by one column; `lock` takes the rows in the order of that column."""

    table: str
    columns: str
    by: str
    lock: bool = False


class Driver(Protocol):
    """One transaction at a time on one connection. Everything raises the driver's own errors."""

    def begin(self) -> None:
        """Begin; on SQLite this takes the one write lock, waiting up to five seconds."""
        ...

    def lock(self, names: Sequence[str]) -> None:
        """Wait until no other transaction has locked any of these names, and keep them to its end.

        For what may have no row yet; names share a fixed number of locks, so that a transaction
        of many cannot use up those of the database.
        """
        ...

    def read(self, *asked: tuple[Lookup, Sequence[str]]) -> list[list[tuple[Any, ...]]]:
        """The rows of several look-ups, in the order asked; no keys, no statement."""
        ...

    def write(self, *groups: tuple[Insert, Sequence[tuple[Any, ...]]]) -> bool:
        """Insert in the order given; whether every row was inserted or replaced."""
        ...

    def delete(self, table: str, column: str, values: Sequence[Any]) -> None:
        """Delete exactly these rows."""
        ...

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """One rare statement, with `?` for its parameters; its rows, if any."""
        ...

    def commit(self) -> None:
        """Commit durably."""
        ...

    def rollback(self) -> None:
        """Undo; never raises, the connection is closed when it cannot."""
        ...

    def close(self) -> None:
        """Give the connection back. Idempotent."""
        ...


def open_driver(engine: Engine) -> Driver:
    """Connect; raises when the database cannot be reached."""
    return PostgresDriver(engine) if is_postgres(engine) else SqliteDriver(engine)


@contextmanager
def transaction(engine: Engine) -> Iterator[Driver]:
    """One transaction on a connection of its own, for work that is rare; commits at the end.

    Blocks, and raises the driver's own errors; nothing is written then.
    """
    driver = open_driver(engine)
    try:
        driver.begin()
        yield driver
        driver.commit()
    finally:
        driver.rollback()
        driver.close()


@cache
def _sqlite_select(lookup: Lookup) -> str:
    return (
        f"select {lookup.columns} from {lookup.table} "  # noqa: S608 - our own names
        f"where {lookup.by} in (select value from json_each(?))"
    )


@cache
def _sqlite_insert(insert: Insert) -> str:
    marks = ", ".join("?" * len(insert.columns))
    return f"insert into {insert.table} ({insert.names}) values ({marks}) {insert.conflict}"  # noqa: S608


class SqliteDriver:
    """The writer of a SQLite file."""

    def __init__(self, engine: Engine) -> None:
        self._pooled = engine.raw_connection()
        connection: sqlite3.Connection = self._pooled.driver_connection  # type: ignore[assignment]  # pysqlite
        self._connection = connection

    def begin(self) -> None:
        """Take the write lock."""
        self._connection.execute("begin immediate")

    def lock(self, names: Sequence[str]) -> None:
        """Nothing more to wait for: there is one writer at a time."""

    def read(self, *asked: tuple[Lookup, Sequence[str]]) -> list[list[tuple[Any, ...]]]:
        """One statement a look-up."""
        execute = self._connection.execute
        return [
            execute(_sqlite_select(lookup), (orjson.dumps(keys).decode(),)).fetchall()
            if keys
            else []
            for lookup, keys in asked
        ]

    def write(self, *groups: tuple[Insert, Sequence[tuple[Any, ...]]]) -> bool:
        """One `executemany` a group."""
        whole = True
        for insert, rows in groups:
            if rows:
                done = self._connection.executemany(_sqlite_insert(insert), rows)
                whole = whole and done.rowcount == len(rows)
        return whole

    def delete(self, table: str, column: str, values: Sequence[Any]) -> None:
        """By a JSON list, so that the statement stays the same."""
        self._connection.execute(
            f"delete from {table} where {column} in (select value from json_each(?))",  # noqa: S608
            (orjson.dumps(values).decode(),),
        )

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """As written."""
        return self._connection.execute(statement, values).fetchall()

    def commit(self) -> None:
        """Commit; the WAL is on disk when this returns."""
        self._connection.commit()

    def rollback(self) -> None:
        """Undo what was written."""
        try:
            self._connection.rollback()
        except Exception:  # noqa: BLE001 - whatever is wrong, this connection is of no more use
            self.close()

    def close(self) -> None:
        """Close the file rather than keep a connection of unknown state."""
        with suppress(Exception):
            self._pooled.invalidate()


@cache
def _postgres_select(lookup: Lookup) -> str:
    order = f" order by {lookup.by} for update" if lookup.lock else ""
    return (
        f"select {lookup.columns} from {lookup.table} "  # noqa: S608 - our own names
        f"where {lookup.by} = any(%s){order}"
    )


@cache
def _postgres_insert(insert: Insert) -> str:
    arrays = ", ".join(f"%s::{kind}[]" for _, kind in insert.columns)
    # Numbers are drawn after the sort, so that they follow the order of the rows given.
    return (
        f"insert into {insert.table} ({insert.names}) "  # noqa: S608 - our own names
        f"select {insert.names} from unnest({arrays}) "
        f"with ordinality as given ({insert.names}, given_order) order by given_order "
        f"{insert.conflict}"
    )


class PostgresDriver:
    """The writer of one gateway on PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self._pooled = engine.raw_connection()
        connection: psycopg.Connection[Any] = self._pooled.driver_connection  # type: ignore[assignment]  # psycopg
        self._connection = connection
        connection.prepare_threshold = 1

    def begin(self) -> None:
        """The first statement begins."""

    def lock(self, names: Sequence[str]) -> None:
        """Advisory locks, in the order of their numbers."""
        numbers = sorted({zlib.crc32(name.encode()) % NAME_LOCKS for name in names})
        self._connection.execute(
            "select pg_advisory_xact_lock(%s, number) from unnest(%s::int[]) as number",
            (LOCKED_NAMES, numbers),
        )

    def read(self, *asked: tuple[Lookup, Sequence[str]]) -> list[list[tuple[Any, ...]]]:
        """All look-ups in one round trip; locks are taken in the order asked."""
        cursors: list[psycopg.Cursor[Any] | None] = []
        with self._connection.pipeline():
            cursors.extend(
                self._connection.execute(_postgres_select(lookup), (sorted(keys),))
                if keys
                else None
                for lookup, keys in asked
            )
        return [cursor.fetchall() if cursor is not None else [] for cursor in cursors]

    def write(self, *groups: tuple[Insert, Sequence[tuple[Any, ...]]]) -> bool:
        """All groups in one round trip."""
        sent = []
        with self._connection.pipeline():
            for insert, rows in groups:
                if rows:
                    columns = [list(column) for column in zip(*rows, strict=True)]
                    cursor = self._connection.execute(_postgres_insert(insert), columns)
                    sent.append((cursor, len(rows)))
        return all(cursor.rowcount == count for cursor, count in sent)

    def delete(self, table: str, column: str, values: Sequence[Any]) -> None:
        """By an array."""
        statement = f"delete from {table} where {column} = any(%s)"  # noqa: S608 - our own names
        self._connection.execute(statement.encode(), (list(values),))

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """With the driver's own placeholder."""
        cursor = self._connection.execute(statement.replace("?", "%s").encode(), values)
        return cursor.fetchall() if cursor.description else []

    def commit(self) -> None:
        """Commit; locks are released when others can see it."""
        self._connection.commit()

    def rollback(self) -> None:
        """Undo and let go of every lock."""
        try:
            self._connection.rollback()
        except psycopg.Error:
            self.close()

    def close(self) -> None:
        """Close the session rather than keep one of unknown state."""
        with suppress(Exception):
            self._pooled.invalidate()


def is_down(error: Exception) -> bool:
    """Whether a database cannot be reached or written now, its disk being full included."""
    return isinstance(_found(error), _DOWN)


def was_first(error: Exception) -> bool:
    """Whether another transaction stood in the way, so that beginning again will do."""
    kinds = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)
    return isinstance(_found(error), kinds)


_DOWN = (
    sqlite3.OperationalError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,  # a primary that was made a standby
    PoolTimeout,
    OSError,
)


def _found(error: Exception) -> object:
    """The driver's own error, also when SQLAlchemy wrapped it."""
    return error.orig if isinstance(error, DBAPIError) else error
