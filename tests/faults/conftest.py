"""One hub for the trials of a module."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.running_hub import running_hub
from tests.faults.trial import Trials

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trials]:
    """Trials on a fresh hub with the demo registry."""
    folder = tmp_path_factory.mktemp("faults")
    with running_hub(folder / "data") as hub:
        yield Trials(hub, folder)
