"""`schakel programmes`, against a served hub and on files alone."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from schemas import cli
from tests.hub_front import ADMIN, ISSUER, PARTNER, HubFront, hub_front
from tests.registry_fixtures import sqlite_url
from tests.schemas.decree import FROM, decree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY_BEFORE = str(FROM - timedelta(days=1))


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """English, and no hub unless a test has one."""
    monkeypatch.setenv("SCHAKEL_LANGUAGE", "en")
    for name in ("SCHAKEL_DATA", "SCHAKEL_CREDENTIALS", "SCHAKEL_HUB"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def front(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubFront]:
    """A hub's front, with its administrator's credentials in SCHAKEL_DATA."""
    monkeypatch.setenv("SCHAKEL_DATA", str(tmp_path))
    with hub_front(sqlite_url(tmp_path), tmp_path) as opened:
        admin = {
            "gateway": str(opened.client.base_url),
            "issuer": ISSUER,
            "client_id": ADMIN,
            "private_key": opened.private_keys[ADMIN],
        }
        (tmp_path / "admin.json").write_text(json.dumps(admin))
        yield opened


@pytest.fixture
def file(tmp_path: Path) -> str:
    """The decree as a file."""
    return written(tmp_path, decree())


def written(folder: Path, document: dict[str, Any]) -> str:
    """A rule file."""
    path = folder / "decree.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return str(path)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What a command that succeeds prints."""
    code = cli.run(["programmes", *words])
    shown = capsys.readouterr()
    assert code == 0, shown.err
    return shown.out


def test_a_decree_is_published_once(
    front: HubFront, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The plan is shown and published; a second time there is nothing to do."""
    plan = json.loads(run(capsys, "publish", file, "--dry-run", "--json"))
    assert plan["applied"] is False
    assert [one["programme"] for one in plan["changes"]] == ["samenlevingsjob", "buurtbaan"]
    assert not front.live.refresh().rules.publications
    shown = run(capsys, "publish", file, "--yes")

    assert "samenlevingsjob from 2026-07-01 (samenlevingsjob-2026-1)" in shown
    assert "Most hours a month: not set becomes 80." in shown
    rules = front.live.current().rules
    assert rules.rule_set("buurtbaan", FROM).is_in_force
    version = front.store.version()
    assert run(capsys, "publish", file, "--yes") == "No changes.\n"
    assert front.store.version() == version


def test_what_the_hub_refuses_is_told_by_field(
    front: HubFront, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A new programme without a name."""
    document = decree()
    del document["programmes"]["buurtbaan"]["label"]
    code = cli.run(["programmes", "publish", written(tmp_path, document), "--yes"])

    assert code == 1
    assert "programmes.buurtbaan.label" in capsys.readouterr().err
    assert not front.live.refresh().rules.publications


def test_everybody_reads_what_only_the_administrator_publishes(front: HubFront) -> None:
    """Codes with names, values, law, and what is open, as they are on a day."""
    body = {"document": decree()}
    assert front.administer("/v1/programmes/publications", body, PARTNER).status_code == 403
    assert front.administer("/v1/programmes/plan", decree(), PARTNER).status_code == 403
    assert front.administer("/v1/programmes/conversions", client_id=PARTNER).status_code == 403
    assert front.client.get("/v1/programmes").status_code == 401
    front.administer("/v1/programmes/publications", body)
    found = {
        one["code"]: one
        for one in front.administer(f"/v1/programmes?on={FROM}", client_id=PARTNER).json()[
            "programmes"
        ]
    }

    assert found["buurtbaan"]["label"] == {"nl": "Buurtbaan", "en": "Neighbourhood job"}
    assert found["buurtbaan"]["endorsement_required_from"] == ["local_partner"]
    new = found["samenlevingsjob"]
    assert (new["in_force"], new["version"]) == (True, "samenlevingsjob-2026-1")
    assert new["values"]["allowance_per_hour"] == "5.00"
    assert new["left_open"] == ["hours_per_year_max"]
    before = front.administer(f"/v1/programmes?on={DAY_BEFORE}", client_id=PARTNER).json()
    assert {one["code"]: one["status"] for one in before["programmes"]}["buurtbaan"] == "published"


def test_comments_are_read_with_the_proposal(
    front: HubFront, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A participant speaks for itself and of nobody; the administrator says for whom (R15)."""
    run(capsys, "publish", file, "--yes")
    path = "/v1/programmes/publications/decree-2026-1/comments"
    own = front.administer(path, {"text": "Akkoord."}, PARTNER)
    town = "urn:be:kbo:1999010543"
    run(
        capsys, "comment", "decree-2026-1", "Te weinig uren.", "--organisation", town,
        "--role", "local_authority",
    )  # fmt: skip

    refused = {
        400: [{"text": ""}, {"text": "71.64.12-123.01 vindt het goed"}],
        403: [{"text": "x", "organisation": town, "role": "local_authority"}],
    }

    assert own.status_code == 201
    for status, remarks in refused.items():
        for remark in remarks:
            assert front.administer(path, remark, PARTNER).status_code == status
    (shown,) = front.administer("/v1/programmes/publications", client_id=PARTNER).json()[
        "publications"
    ]
    assert shown["title"]["en"] == "Community jobs"
    assert shown["document"] == decree()
    assert [(one["organisation"], one["role"], one["text"]) for one in shown["comments"]] == [
        ("urn:be:kbo:1999000150", "welfare_centre", "Akkoord."),
        (town, "local_authority", "Te weinig uren."),
    ]


def test_what_was_published_is_explained_and_counted(
    front: HubFront, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """On any day; nothing runs here, so that nothing moves."""
    run(capsys, "publish", file, "--yes")
    shown = run(capsys, "explain", str(FROM), "buurtbaan")

    assert shown.startswith("Neighbourhood job (buurtbaan) on 2026-07-01: in force\n")
    assert "published, not in force yet" in run(capsys, "explain", DAY_BEFORE, "buurtbaan")

    assert run(capsys, "convert", "--dry-run") == "0 placements, 1 conversions.\n"
    assert "0 conversions" in run(capsys, "convert", "--dry-run", "--reference", "other-decree")
    assert cli.run(["programmes", "convert"]) == 2
    assert front.live.current().rules.conversions()


def test_a_file_is_explained_and_compared_without_a_hub(
    file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--file` shows what would hold if it were published."""
    explained = json.loads(
        run(capsys, "explain", str(FROM), "samenlevingsjob", "--file", file, "--json")
    )
    compared = run(capsys, "diff", DAY_BEFORE, str(FROM), "--file", file)
    versions = run(
        capsys, "diff", "samenlevingsjob-draft-1", "samenlevingsjob-2026-1", "--file", file,
        "--json",
    )  # fmt: skip

    assert explained["samenlevingsjob"]["values"]["max_duration_months"] == 24
    assert "Community job (samenlevingsjob) (samenlevingsjob)\n" in compared
    assert "  Longest duration in months, extensions included: not set becomes 24.\n" in compared
    assert list(json.loads(versions)) == ["samenlevingsjob"]
    assert run(capsys, "diff", str(FROM), str(FROM)) == "No changes.\n"


def test_a_file_is_checked_with_the_line_of_each_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is wrong fails; what may be an oversight is told and passes."""
    good = run(capsys, "check", written(tmp_path, decree()))
    bad = decree()
    bad["programmes"]["samenlevingsjob"]["rule_sets"][0]["legal_reference"] = None
    path = written(tmp_path, bad)
    line = (tmp_path / "decree.yaml").read_text().splitlines().index("      legal_reference: null")
    code = cli.run(["programmes", "check", path])
    shown = capsys.readouterr().out

    assert "notice: programmes.samenlevingsjob.rule_sets[0].parameters.hours_per_year_max" in good
    assert good.endswith("0 faults, 2 notices.\n")
    assert code == 1
    assert f"{path}:{line + 1}: fault: " in shown
    assert "Fill in legal_reference" in shown


@pytest.mark.parametrize("text", ["a: 1\na: 2\n", "[", "- x\n"])
def test_what_is_no_rule_file_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    """A key that stands twice, no YAML, no file."""
    path = tmp_path / "x.yaml"
    path.write_text(text)

    assert cli.run(["programmes", "check", str(path)]) == 1
    assert cli.run(["programmes", "explain", str(FROM), "--file", str(tmp_path / "none")]) == 1
    assert capsys.readouterr().err
