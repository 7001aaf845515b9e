"""The figures of `/metrics` and what deploy/README.md says of them."""

from __future__ import annotations

import re
from pathlib import Path

from tests.letter.region import region

README = Path(__file__).parents[2] / "deploy" / "README.md"
NAME = re.compile(r"`schakel_([a-z_]+)`")


def test_every_figure_is_described_under_its_name(tmp_path: Path) -> None:
    """What a gateway shows an operator can look up, and what the document names is shown."""
    with region(tmp_path) as hub:
        shown = set(hub.parts.figures())

    assert shown == set(NAME.findall(README.read_text("utf-8")))
