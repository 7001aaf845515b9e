"""Which errors say that a database is away, so that the same call may be sent again."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from gateway.exchange.driver import is_down
from tests.store_fixtures import opened, stores

if TYPE_CHECKING:
    from pathlib import Path

    from consumers.database import Stores

__all__ = ["stores"]


def test_a_store_that_takes_no_writes_is_down(stores: Stores) -> None:
    """A standby, or a disk that went read-only, is waited for like one that does not answer."""
    with (
        opened(stores.ledger, read_only=True) as engine,
        engine.connect() as connection,
        pytest.raises(sa.exc.SQLAlchemyError) as caught,
    ):
        connection.exec_driver_sql("delete from outbox")

    assert is_down(caught.value)


def test_a_full_file_is_down(tmp_path: Path) -> None:
    """SQLite's own word for a full disk."""
    connection = sqlite3.connect(tmp_path / "full.db")
    connection.execute("create table rows (value blob)")
    connection.execute("pragma max_page_count = 3")
    with pytest.raises(sqlite3.OperationalError, match="full") as caught:
        connection.execute("insert into rows values (zeroblob(65536))")
    connection.close()

    assert is_down(caught.value)


def test_a_pool_without_a_free_connection_is_down(tmp_path: Path) -> None:
    """Waiting in vain for a connection says nothing about the call."""
    engine = sa.create_engine(
        f"sqlite:///{tmp_path}/one.db", pool_size=1, max_overflow=0, pool_timeout=0.01
    )
    with engine.connect(), pytest.raises(sa.exc.TimeoutError) as caught:
        engine.connect()
    engine.dispose()

    assert is_down(caught.value)


def test_a_defect_is_not(stores: Stores) -> None:
    """A value that a table refuses is our fault, and sending again does not help."""
    with (
        opened(stores.ledger) as engine,
        pytest.raises(sa.exc.IntegrityError) as caught,
        engine.begin() as connection,
    ):
        connection.exec_driver_sql("insert into subjects (id, created_at) values (null, 1)")

    assert not is_down(caught.value)
