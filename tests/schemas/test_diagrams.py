"""The pictures of the lifecycles are the tables, and the committed page is the newest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from schemas.commands import LIFECYCLES, app
from schemas.diagrams import TITLES, diagram, page
from schemas.lifecycle import BEFORE, NONE, SAME, lifecycles

if TYPE_CHECKING:
    from pathlib import Path


def test_the_committed_page_is_what_the_tables_say() -> None:
    """Whoever changes a table draws it: `schakel schemas diagrams`."""
    assert LIFECYCLES.read_text(encoding="utf-8") == page()


def test_every_table_is_drawn() -> None:
    """A new aggregate needs a title, in both languages."""
    assert set(TITLES) == set(lifecycles())
    assert all(" / " in title for title in TITLES.values())


@pytest.mark.parametrize("aggregate", sorted(TITLES))
def test_a_picture_has_every_state_and_every_way(aggregate: str) -> None:
    """Each state with its Dutch and English name, each arrow with the events that go along it."""
    table, drawn = lifecycles()[aggregate], diagram(lifecycles()[aggregate])
    ways = {
        ("[*]" if source == NONE else source, target, row.event.partition(".")[2])
        for row in table.transitions
        for source in row.sources
        for target in row.targets
        if target not in (SAME, source)
    }
    arrows = {
        (source, target, event)
        for source, target, events in re.findall(
            r"^    (\S+) --> (\w+): (.*)$", drawn, re.MULTILINE
        )
        for event in events.split("<br/>")
    }

    assert arrows == ways
    for state in table.states.values():
        assert f'state "{state.nl}<br/>{state.en}" as {state.name}' in drawn
    assert (f" as {BEFORE}" in drawn) is any(target == BEFORE for _, target, _ in ways)


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    """To the place that is named, else to the committed one."""
    out = tmp_path / "lifecycles.md"

    result = CliRunner().invoke(app, ["diagrams", "--out", str(out)])

    assert result.exit_code == 0
    assert out.read_text(encoding="utf-8") == page()
