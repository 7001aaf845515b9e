"""`schakel events` shows one event, and the newest of an inbox without its content."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from gateway.commands import events
from gateway.commands.events import one_line, pages
from tests.gateway.commands.hub_answers import Hub

if TYPE_CHECKING:
    from pathlib import Path

EVENT: dict[str, Any] = {
    "id": "01a20b43-1827-76ac-9261-688a9606844f",
    "source": "urn:schakel:participant:ocmw-tienen",
    "type": "be.schakel.activation.v1.referral.created",
    "recordedtime": "2026-05-28T20:26:40Z",
    "backfill": True,
    "data": {"person": {"family_name": "Kanarie"}},
}


def test_a_line_has_no_content_unless_asked() -> None:
    """What is printed by default names the event and its sender, and nobody else."""
    without = {name: EVENT[name] for name in EVENT if name != "data"}

    assert one_line(without) == (
        "2026-05-28T20:26:40Z  referral.created (backfill)  ocmw-tienen"
        "  01a20b43-1827-76ac-9261-688a9606844f"
    )
    assert "Kanarie" in one_line(EVENT)


def test_all_pages_are_read_until_nothing_is_behind() -> None:
    """The cursor of one page asks for the next."""
    hub = Hub(
        {
            "/v1/feed?limit=100": {"events": [EVENT], "next": "c1", "behind": 1},
            "/v1/feed?limit=100&after=c1": {"events": [EVENT], "next": "c2", "behind": 0},
        }
    )
    with hub.session() as session:
        found = list(pages(session, ""))

    assert [page["next"] for page in found] == ["c1", "c2"]


@pytest.mark.parametrize("command", [["show", "REF-1"], ["tail"]])
def test_without_credentials_nothing_is_asked(command: list[str], tmp_path: Path) -> None:
    """A data folder without an administrator's file is an error and no network call."""
    result = CliRunner().invoke(events.app, [*command, "--data", str(tmp_path)])

    assert result.exit_code == 1
    assert result.output == "" or json.dumps(EVENT["data"]) not in result.output
