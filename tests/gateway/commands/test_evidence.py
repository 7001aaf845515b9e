"""`schakel evidence` asks for what it is told to and shows what the hub says of each cell."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from gateway.commands import evidence
from gateway.commands.evidence import row
from tests.gateway.commands.hub_answers import Hub

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.commands.hub_place import Place
    from gateway.commands.session import Session

CELL: dict[str, Any] = {
    "place": {"level": "area", "code": "w/r", "name": "Wijk-werk", "municipalities": ["24107"]},
    "period": {"level": "quarter", "from": "2026-01", "to": "2026-03"},
    "programme": {"code": "wijk_werken", "label": "Wijk-werken"},
    "number": 40,
    "value": 85.0,
    "bound": "at_least",
    "remark": "kwartaal; samen met kleine buren in werkingsgebied Wijk-werk",
}
FIGURES: dict[str, Any] = {
    "indicator": {"code": "guided", "title": "Begeleid", "unit": "procent", "counted": "Deel."},
    "from": "2026-01",
    "to": "2026-03",
    "note": "Cellen onder 10 zijn samengevoegd.",
    "rule_sets": ["wijk_werken-2018-1"],
    "cells": [CELL, {**CELL, "number": None, "value": None, "bound": None}],
}
ASKED = "/v1/evidence?from=2026-01&to=2026-03&by=quarter%2Carea%2Cprogramme&indicator=guided"
OPTIONS = ["guided", "--from", "2026-01", "--to", "2026-03", "--by", "quarter,area,programme"]
LISTED = {"indicators": [{**FIGURES["indicator"], "measure": "share"}]}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A hub that answers one question."""
    made = Hub({ASKED: FIGURES, "/v1/evidence/indicators": LISTED})

    def session(_place: Place, _language: str) -> Session:
        return made.session()

    monkeypatch.setattr(evidence, "Session", session)
    monkeypatch.setenv("SCHAKEL_LANGUAGE", "nl")
    return made


def run(folder: Path, *options: str) -> str:
    """What the command writes to a terminal."""
    file = folder / "client.json"
    file.write_text(json.dumps({"client_id": "town", "hub": "http://hub.test"}))
    done = CliRunner().invoke(
        evidence.app, [*options, "--credentials", str(file)], env={"COLUMNS": "200"}
    )
    assert done.exit_code == 0, done.output
    return done.output


def test_a_table_shows_bounds_remarks_and_rules(hub: Hub, tmp_path: Path) -> None:
    """What the cell covers stands beside its number."""
    shown = run(tmp_path, *OPTIONS)

    assert hub.asked == [ASKED]
    assert "≥ 85" in shown
    assert "samen met kleine buren" in shown
    assert "wijk_werken-2018-1" in shown


def test_json_is_the_hubs_own(hub: Hub, tmp_path: Path) -> None:
    """For whoever reads it with a program."""
    assert json.loads(run(tmp_path, *OPTIONS, "--json")) == FIGURES
    assert hub.asked == [ASKED]


def test_csv_is_passed_on_as_it_comes(hub: Hub, tmp_path: Path) -> None:
    """The hub made it; the command changes nothing of it."""
    assert json.loads(run(tmp_path, *OPTIONS, "--csv")) == FIGURES
    assert hub.accepted[-1] == "text/csv"


def test_without_an_indicator_all_are_listed(hub: Hub, tmp_path: Path) -> None:
    """Code, title, unit and what is counted."""
    assert "guided" in run(tmp_path)
    assert hub.asked == ["/v1/evidence/indicators"]


def test_a_suppressed_cell_is_empty() -> None:
    """No number, no figure, and no sign before it."""
    assert row(FIGURES["cells"][1], [])[2:4] == ["", ""]
