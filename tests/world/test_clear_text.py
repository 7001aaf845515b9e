"""A number or an address in the clear is found in whatever file of the hub it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connectors.world import world
from tests.world.clear_text import national_numbers, people_in

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def invented(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journeys alone."""
    folder = tmp_path_factory.mktemp("invented")
    world.generate(4, 0, folder)
    return folder


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
@pytest.mark.parametrize(
    ("kind", "text"), [("telephone", "+32000900111"), ("e-mail", "a.b.1@example.org")]
)
def test_a_mark_is_found(
    tmp_path: Path, invented: Path, kind: str, text: str, encoding: str
) -> None:
    """By the part that all of them share."""
    (tmp_path / "spans.db").write_bytes(b"\0\1" + text.encode(encoding) + b"\0")

    assert people_in(tmp_path, invented) == [f"{kind} spans.db"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_a_known_number_is_found(tmp_path: Path, invented: Path, encoding: str) -> None:
    """Also among other digits."""
    number = min(national_numbers(invented)).decode()
    (tmp_path / "0.log").write_bytes(f"12{number}34".encode(encoding))

    assert people_in(tmp_path, invented) == ["national number 0.log"]


def test_a_folder_without_anybody_is_quiet(tmp_path: Path, invented: Path) -> None:
    """Digits alone are nobody, nor is an organisation."""
    said = "71641212301 +32 000 99 01 00 onthaal@vdab.example.org"
    (tmp_path / "ledger.db").write_text(said, encoding="utf-8")

    assert people_in(tmp_path, invented) == []
