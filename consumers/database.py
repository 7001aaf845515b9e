"""Engines and the four stores: the one place that knows which database is used.

On SQLite each owner has a file of its own, so that no writer waits for another's; on PostgreSQL
each owner has a schema of its own in one database.
The same statements run on both; where they cannot, a module asks `is_postgres(engine)`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import SQLAlchemyError

if TYPE_CHECKING:
    from pathlib import Path

BUSY_TIMEOUT_MS = 5000
CONNECT_TIMEOUT_SECONDS = 5
# One arbitrary number for every migration, so that two processes never migrate at once.
MIGRATION_LOCK = 0x5C4A4B31
_NO_VERSION = "can_write"


@dataclass(frozen=True, slots=True)
class Stores:
    """The database URLs of one installation, one per owner."""

    ledger: str
    consumers: str
    keys: str
    spans: str

    @classmethod
    def sqlite(cls, data: Path) -> Stores:
        """Four files in the data folder, which is made when missing."""
        data.mkdir(parents=True, exist_ok=True)
        files = (data.resolve() / f"{name}.db" for name in ("ledger", "consumers", "keys", "spans"))
        # A folder's name may hold what means something in a URL.
        urls = (URL.create("sqlite", database=str(path)) for path in files)
        return cls(*(url.render_as_string() for url in urls))

    @classmethod
    def postgres(cls, url: str) -> Stores:
        """Four schemas in one PostgreSQL database."""
        schemas = ("exchange", "consumers", "keys", "spans")
        return cls(*(_with_schema(url, schema) for schema in schemas))

    @property
    def is_postgres(self) -> bool:
        """Whether these stores are schemas of a PostgreSQL database."""
        return make_url(self.ledger).get_backend_name() == "postgresql"


def open_engine(url: str, *, read_only: bool = False) -> Engine:
    """An engine for one store; connects only when first used, never raises for a database down.

    SQLite: WAL, `synchronous=FULL`, five seconds of patience, and every transaction of a writer
    begins IMMEDIATE, so that it never fails halfway for want of the lock; read-only engines begin
    plainly and refuse to write.
    PostgreSQL: psycopg; a `schema=` option in the URL becomes the search path and is made if
    missing (by writers).
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(parsed, read_only=read_only)
    return _postgres_engine(parsed, read_only=read_only)


def is_postgres(engine: Engine) -> bool:
    """Whether this engine speaks to PostgreSQL; otherwise it is SQLite."""
    return engine.dialect.name == "postgresql"


def ping(engine: Engine) -> bool:
    """Whether the database answers now. Blocks for a few seconds at most; never raises."""
    try:
        with engine.connect() as connection:
            connection.execute(text("select 1"))
    except SQLAlchemyError:
        return False
    return True


def can_write(engine: Engine) -> bool:
    """Whether a commit reaches this store's disk now, so a full or read-only one gives False.

    Writes and takes back one row of the table that every migrated store has, in one transaction.
    Blocks for a few seconds at most; never raises.
    """
    values = {"version": _NO_VERSION}
    try:
        with engine.begin() as connection:
            connection.execute(
                text("insert into alembic_version (version_num) values (:version)"), values
            )
            connection.execute(
                text("delete from alembic_version where version_num = :version"), values
            )
    except SQLAlchemyError:
        return False
    return True


def _with_schema(url: str, schema: str) -> str:
    parsed = make_url(url).set(drivername="postgresql+psycopg")
    return parsed.update_query_dict({"schema": schema}).render_as_string(hide_password=False)


def _sqlite_engine(url: URL, *, read_only: bool) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})

    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions begin below, not by the driver's guess
        connection.execute(f"pragma busy_timeout={BUSY_TIMEOUT_MS}")
        connection.execute("pragma journal_mode=wal")
        connection.execute("pragma synchronous=full")
        connection.execute("pragma foreign_keys=on")
        connection.execute("pragma cache_size=-32768")
        if read_only:
            connection.execute("pragma query_only=on")

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("begin" if read_only else "begin immediate")

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", begin)
    return engine


def _postgres_engine(url: URL, *, read_only: bool) -> Engine:
    schema = url.query.get("schema")
    options = [f"-c application_name=schakel-{os.getpid()}"]
    if schema:
        options.append(f"-c search_path={schema}")
    if read_only:
        options.append("-c default_transaction_read_only=on")
    given = url.query.get("options")
    if isinstance(given, str):
        options.insert(0, given)
    plain = url.set(drivername="postgresql+psycopg").difference_update_query(["schema", "options"])
    engine = create_engine(
        plain,
        pool_pre_ping=True,
        connect_args={"options": " ".join(options), "connect_timeout": CONNECT_TIMEOUT_SECONDS},
    )
    if isinstance(schema, str) and not read_only:
        _make_schema_on_first_connect(engine, schema)
    return engine


def _make_schema_on_first_connect(engine: Engine, schema: str) -> None:
    if not schema.isidentifier():
        raise ValueError(f"{schema!r} cannot be the name of a schema")

    def make(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        # Two processes making one schema at once would both fail on the catalogue's own index.
        cursor.execute("select pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
        cursor.execute(f"create schema if not exists {schema}")
        connection.commit()

    event.listen(engine, "connect", make, once=True)
