"""One migrated PostgreSQL database that is lent to test after test.

Making a database costs more than most tests that need one. Everything a test leaves is taken away
when it is over; a database whose tables are no longer what the migrations made is thrown away.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from consumers.database import Stores
from tests.postgres_fixtures import fresh_database
from tests.store_fixtures import migrated

if TYPE_CHECKING:
    from collections.abc import Iterator

_TABLES = """
select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and n.nspname !~ '^(pg_|information_schema)' order by 1, 2
"""
# Object ids: whatever was dropped and made again is not the same.
_SHAPE = """
select concat_ws(' ', 'class', oid, relname, relacl) from pg_class where oid >= 16384
union all select concat_ws(' ', 'column', attrelid, attname, atttypid, attnotnull)
  from pg_attribute where attrelid >= 16384 and attnum > 0
union all select concat_ws(' ', 'trigger', oid, tgenabled) from pg_trigger
union all select concat_ws(' ', 'constraint', oid) from pg_constraint
union all select concat_ws(' ', 'setting', setdatabase, setrole, setconfig) from pg_db_role_setting
order by 1
"""
_END_SESSIONS = """
select pg_terminate_backend(pid, 10000) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
"""
_RESTART_SEQUENCES = """
select setval(seqrelid::regclass, seqstart, false) from pg_sequence
"""


@dataclass(frozen=True)
class LentDatabase:
    """A database, what its migrations left in which table, and how its tables look."""

    url: str
    tables: dict[tuple[str, str], list[tuple[Any, ...]]]
    shape: list[tuple[Any, ...]]

    @classmethod
    def of(cls, url: str) -> LentDatabase:
        """Take a migrated database as it is now for how each test shall find it."""
        with psycopg.connect(url) as connection:
            names = connection.execute(_TABLES).fetchall()
            tables = {(schema, name): _rows(connection, (schema, name)) for schema, name in names}
            return cls(url, tables, connection.execute(_SHAPE).fetchall())

    def clean(self) -> bool:
        """End all sessions and put back what was there; False when its tables are others now."""
        with psycopg.connect(self.url) as connection:
            connection.execute(_END_SESSIONS)
            if connection.execute(_SHAPE).fetchall() != self.shape:
                return False
            changed = [
                table
                for table, rows in self.tables.items()
                if _rows(connection, table, len(rows) + 1) != rows
            ]
            if changed:
                names = sql.SQL(", ").join(sql.Identifier(*table) for table in changed)
                connection.execute(sql.SQL("truncate {} cascade").format(names))
            for table in changed:
                _fill(connection, table, self.tables[table])
            connection.execute(_RESTART_SEQUENCES)
        return True


def _rows(
    connection: psycopg.Connection[Any], table: tuple[str, str], limit: int | None = None
) -> list[tuple[Any, ...]]:
    query = sql.SQL("select * from {} limit {}").format(sql.Identifier(*table), limit)
    return connection.execute(query).fetchall()


def _fill(
    connection: psycopg.Connection[Any], table: tuple[str, str], rows: list[tuple[Any, ...]]
) -> None:
    for row in rows:
        values = sql.SQL(", ").join(sql.Placeholder() * len(row))
        query = sql.SQL("insert into {} values ({})").format(sql.Identifier(*table), values)
        connection.execute(query, row)


@dataclass
class Shelf:
    """The databases that nobody has borrowed; another is made when there is none."""

    server_url: str
    free: list[LentDatabase] = field(default_factory=list)
    made: ExitStack = field(default_factory=ExitStack)

    @contextmanager
    def borrowed(self) -> Iterator[str]:
        """The URL of a database with all four stores' tables, as right after their migrations."""
        one = self.free.pop() if self.free else self._make()
        yield one.url
        if one.clean():
            self.free.append(one)

    def _make(self) -> LentDatabase:
        url = self.made.enter_context(fresh_database(self.server_url))
        migrated(Stores.postgres(url))
        return LentDatabase.of(url)


@pytest.fixture(scope="session")
def shelf(postgres_server_url: str) -> Iterator[Shelf]:
    """The session's databases to lend."""
    found = Shelf(postgres_server_url)
    with found.made:
        yield found


@pytest.fixture
def migrated_postgres_url(shelf: Shelf) -> Iterator[str]:
    """A PostgreSQL database with the tables of all four stores, for one test."""
    with shelf.borrowed() as url:
        yield url
