"""The one hub on which every journey is played."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.scenarios.stage import staged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.scenarios.stage import Stage


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """All journeys, played."""
    with staged(tmp_path_factory.mktemp("world")) as played:
        yield played
