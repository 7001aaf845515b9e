"""`schakel audit` and `schakel subject access` ask what they are told to and show what comes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.testing import CliRunner

from gateway.commands import access, audit
from tests.gateway.commands.hub_answers import TRAJECTORY, Hub

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.commands.hub_place import Place
    from gateway.commands.session import Session

LINE = {
    "referentie": "e-1/ocmw/feed/0",
    "wat": {
        "dienst": "https://hub.example.org",
        "gebeurtenis": "referral.created",
        "kanaal": "feed",
    },
    "wie": "ocmw",
    "gebruiker": "ocmw-connector",
    "waarom": {"doel": "activation_referral", "rechtsgrond": None, "overeenkomst": "prot-1"},
    "wanneer": "2026-03-01T10:00:00Z",
    "over_wie": "abcdefghijklmnop",
}
COUNT = {
    "producer": None,
    "participant": "ocmw",
    "event": "referral.created",
    "purpose": "activation_referral",
    "events": 3,
    "copies": 4,
}
PERSON_LINE: dict[str, Any] = {
    "when": "2026-03-01T10:00:00Z",
    "who": {"participant": "ocmw", "name": "OCMW Proefdorp"},
    "what": {"code": "referral.created", "label": "Doorverwijzing"},
    "why": {"code": "activation_referral", "label": "Toeleiding"},
    "legal_basis": None,
    "agreement": None,
    "fields": ["programme", "person.phone"],
}
PERIOD = ["--from", "2026-03-01T00:00:00Z", "--to", "2026-04-01T00:00:00Z"]
OWN = (
    "/v1/disclosures?side=given&from=2026-03-01T00%3A00%3A00Z&to=2026-04-01T00%3A00%3A00Z&limit=500"
)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A hub with one line of everything."""
    path = f"/v1/trajectories/{TRAJECTORY}/disclosures"
    answer = {
        "trajectory_id": TRAJECTORY,
        "asked_at": "2026-03-02T10:00:00Z",
        "lines": [PERSON_LINE],
        "note": "Per ontvanger.",
    }
    made = Hub(
        {
            "/v1/audit/disclosures": {"shape": "auditregister", "lines": [LINE], "next": None},
            OWN: {"side": "given", "counts": [COUNT], "lines": [], "next": None},
            path: answer,
            "/v1/trajectories?sourcerecordid=D-7": {
                "trajectories": [{"trajectory_id": TRAJECTORY}]
            },
            "/v1/trajectories?sourcerecordid=D-8": {"trajectories": []},
        }
    )

    def session(_place: Place, _language: str) -> Session:
        return made.session()

    for module in (access, audit):
        monkeypatch.setattr(module, "Session", session)
    monkeypatch.setenv("SCHAKEL_LANGUAGE", "nl")
    return made


def run(folder: Path, *options: str, app: typer.Typer = audit.app) -> tuple[int, str]:
    """Exit code and what the command writes to a terminal."""
    file = folder / "client.json"
    file.write_text(json.dumps({"client_id": "auditor", "hub": "http://hub.test"}))
    done = CliRunner().invoke(app, [*options, "--credentials", str(file)], env={"COLUMNS": "200"})
    return done.exit_code, done.output


def test_an_auditor_sees_a_table_or_documents(hub: Hub, tmp_path: Path) -> None:
    """The reason goes along; with --json the documents are as the shape has them."""
    asked = ["disclosures", *PERIOD, "--reason", "inspectie"]
    code, table = run(tmp_path, *asked)
    _, documents = run(tmp_path, *asked, "--json")

    assert code == 0
    assert "referral.created (feed)" in table
    assert "over wie" in table
    assert json.loads(documents) == LINE
    assert hub.asked == ["/v1/audit/disclosures"] * 2


def test_without_a_reason_nothing_is_asked(hub: Hub, tmp_path: Path) -> None:
    """Wrong use."""
    assert run(tmp_path, "disclosures", *PERIOD)[0] == 2
    assert hub.asked == []


def test_a_participant_sees_its_own_added_up(hub: Hub, tmp_path: Path) -> None:
    """Counts in the table; the lines too in JSON."""
    _, table = run(tmp_path, "own", "--side", "given", *PERIOD)
    _, whole = run(tmp_path, "own", "--side", "given", *PERIOD, "--json")

    assert "referral.created" in table
    assert json.loads(whole) == {"side": "given", "counts": [COUNT], "lines": []}
    assert hub.asked == [OWN] * 2


def test_a_case_holder_answers_a_person(hub: Hub, tmp_path: Path) -> None:
    """By the case or by an own number; a number without a case is told."""
    app = typer.Typer()
    app.command()(access.access)
    _, by_case = run(tmp_path, TRAJECTORY, app=app)
    _, by_number = run(tmp_path, "D-7", "--own-number", "--json", app=app)
    none = CliRunner().invoke(
        app, ["D-8", "--own-number", "--credentials", str(tmp_path / "client.json")]
    )

    assert "OCMW Proefdorp" in by_case
    assert "person.phone" in by_case
    assert "Per ontvanger." in by_case
    assert json.loads(by_number)[0]["lines"] == [PERSON_LINE]
    assert type(none.exception).__name__ == "NothingFound"
    assert hub.asked[0] == f"/v1/trajectories/{TRAJECTORY}/disclosures"
