"""One hub for all tests that leave it as they found it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.running_hub import RunningHub, running_hub

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub on a fresh folder, with the demo registry."""
    with running_hub(tmp_path_factory.mktemp("hub") / "data") as running:
        yield running
