"""One region for each scenario: nobody's case stands in another's way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.letter.region import region

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.letter.region import Region


@pytest.fixture
def around(tmp_path: Path) -> Iterator[Region]:
    """The hub around Tienen."""
    with region(tmp_path / "hub") as made:
        yield made
