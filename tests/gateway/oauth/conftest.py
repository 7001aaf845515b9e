"""A hub's front on SQLite, and ledger stores on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consumers.database import Stores, open_engine
from tests.hub_front import HubFront, hub_front
from tests.registry_fixtures import sqlite_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.engine import Engine


@pytest.fixture
def front(tmp_path: Path) -> Iterator[HubFront]:
    """A front with the demonstration's registry."""
    with hub_front(sqlite_url(tmp_path), tmp_path) as opened:
        yield opened


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A ledger store on each database."""
    if request.param == "sqlite":
        url = sqlite_url(tmp_path)
    else:
        url = Stores.postgres(request.getfixturevalue("migrated_postgres_url")).ledger
    opened = open_engine(url)
    yield opened
    opened.dispose()
