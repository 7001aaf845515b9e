"""Migrated stores, once on SQLite and once on PostgreSQL: one suite for both."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.engine import make_url

import consumers
import gateway
from consumers.database import Stores, open_engine
from consumers.migrating import upgrade

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.engine import Engine

MIGRATIONS = {
    "ledger": Path(gateway.__path__[0]) / "migrations" / "ledger",
    "keys": Path(gateway.__path__[0]) / "migrations" / "keys",
    "consumers": Path(consumers.__path__[0]) / "migrations" / "consumers",
    "spans": Path(consumers.__path__[0]) / "migrations" / "spans",
}


@pytest.fixture(params=["sqlite", "postgres"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Stores:
    """The four stores of one installation, empty and migrated."""
    if request.param == "sqlite":
        return migrated(Stores.sqlite(tmp_path))
    return Stores.postgres(request.getfixturevalue("migrated_postgres_url"))


def migrated(stores: Stores) -> Stores:
    """The same stores, with all their tables."""
    for name in MIGRATIONS:
        migrate(getattr(stores, name), name)
    return stores


def migrate(url: str, name: str) -> None:
    """Bring the store of that name up to date; a new SQLite file is a copy of one made before."""
    parsed = make_url(url)
    file = Path(parsed.database or "")
    if parsed.get_backend_name() != "sqlite" or file.exists():
        upgrade(url, MIGRATIONS[name])
    else:
        file.write_bytes(migrated_file(name))


@cache
def migrated_file(name: str) -> bytes:
    """What an empty SQLite store of that name holds after its migrations, made once a process."""
    with TemporaryDirectory() as folder:
        url = getattr(Stores.sqlite(Path(folder)), name)
        upgrade(url, MIGRATIONS[name])
        return Path(folder, f"{name}.db").read_bytes()


@pytest.fixture
def engine_of(stores: Stores) -> Iterator[Callable[..., Engine]]:
    """Opens an engine of one of the stores by name; all are disposed of at the end."""
    opened: list[Engine] = []

    def make(name: str, *, read_only: bool = False) -> Engine:
        engine = open_engine(getattr(stores, name), read_only=read_only)
        opened.append(engine)
        return engine

    yield make
    for engine in opened:
        engine.dispose()


@contextmanager
def opened(url: str, *, read_only: bool = False) -> Iterator[Engine]:
    """An engine for the length of a block."""
    engine = open_engine(url, read_only=read_only)
    try:
        yield engine
    finally:
        engine.dispose()
