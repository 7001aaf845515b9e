"""Fixtures of the connector tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.connectors.stub_hub import StubHub, serve
from tests.connectors.workshop import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def hub() -> Iterator[StubHub]:
    """A hub over real HTTP, for one test."""
    with serve(StubHub()) as running:
        yield running


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A csv connector's folders, empty."""
    found = Bench(tmp_path)
    found.install()
    return found
