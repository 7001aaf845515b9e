"""A hub's front on SQLite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hub_front import HubFront, hub_front
from tests.registry_fixtures import sqlite_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def front(tmp_path: Path) -> Iterator[HubFront]:
    """A front with the demonstration's registry."""
    with hub_front(sqlite_url(tmp_path), tmp_path) as opened:
        yield opened
