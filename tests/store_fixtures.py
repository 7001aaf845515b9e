"""Migrated stores, once on SQLite and once on PostgreSQL: one suite for both."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import consumers
import gateway
from consumers.database import Stores, open_engine, upgrade

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
        made = Stores.sqlite(tmp_path)
    else:
        made = Stores.postgres(request.getfixturevalue("postgres_url"))
    return migrated(made)


def migrated(stores: Stores) -> Stores:
    """The same stores, with all their tables."""
    for name, location in MIGRATIONS.items():
        upgrade(getattr(stores, name), location)
    return stores


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
