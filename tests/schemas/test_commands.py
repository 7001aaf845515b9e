"""`schakel schemas`: what it prints, and that a planted fault in the files fails it."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from schemas.commands import app
from schemas.errors import UnknownEventType

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> str:
    """Run the command and give what it printed; it has to succeed."""
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    """Speak English, wherever the tests run."""
    monkeypatch.setenv("SCHAKEL_LANGUAGE", "en")


def test_list_shows_every_event() -> None:
    """One line an event, or one JSON document."""
    assert "referral.created" in run("list")
    listed = orjson.loads(run("list", "--json"))
    assert len(listed) == 97
    assert {"event", "schema_id", "scope", "hub_only", "label"} <= set(listed[0])


def test_show_says_who_may_read_a_field() -> None:
    """Type, class and readers of each field."""
    assert "referrer:P" in run("show", "guidance.evaluation_completed")
    shown = orjson.loads(run("show", "referral.declined", "--json"))
    assert shown["fields"][0]["path"] == "reason"
    assert "endorser" in shown["fields"][0]["audience"]


def test_show_of_an_unknown_event_is_one_of_our_errors() -> None:
    """The command's root makes one sentence of it."""
    result = CliRunner().invoke(app, ["show", "referral.invented"])
    assert isinstance(result.exception, UnknownEventType)


def test_check_passes_here() -> None:
    """What is in the repository is consistent."""
    assert "0 faults" in run("check")
    assert orjson.loads(run("check", "--json")) == {"ok": True, "faults": []}


@pytest.fixture(name="copy")
def copied_tree(tmp_path: Path) -> Path:
    """Give a copy of the package's files, to plant faults in."""
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    return tmp_path


def run_in(copy: Path, *arguments: str) -> tuple[int, Any]:
    """Run the command on the copy; give exit code and JSON document."""
    program = "import sys; from schemas.commands import app; app(sys.argv[1:])"
    result = subprocess.run(
        [sys.executable, "-c", program, *arguments, "--json"],
        cwd=copy,
        capture_output=True,
        check=False,
        timeout=60,
    )
    return result.returncode, orjson.loads(result.stdout) if result.stdout else result.stderr


def edit(copy: Path, old: str, new: str, name: str = "types/Person.avsc") -> None:
    """Change the text of one schema file."""
    path = copy / "schemas" / "avro" / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_breaking_change_of_a_file_fails_and_gets_no_id(copy: Path) -> None:
    """Every event with a person in it is named, and publishing is refused."""
    birth_date = '"name": "birth_date", "type": ["null", {"type": "int", "logicalType": "date"}]'
    edit(copy, birth_date, '"name": "birth_date", "type": ["null", "string"]')
    ids = (copy / "schemas" / "ids.yaml").read_bytes()
    code, document = run_in(copy, "check")
    assert code == 1
    kinds = {(fault["kind"], fault["record"]) for fault in document["faults"]}
    assert ("incompatible", "ReferralCreated") in kinds
    assert ("incompatible", "SubjectDetailsChanged") in kinds
    assert run_in(copy, "publish")[0] == 1
    assert (copy / "schemas" / "ids.yaml").read_bytes() == ids


def test_compatible_change_gets_new_ids_and_keeps_the_old(copy: Path) -> None:
    """Publishing appends; what was given out stays as it was."""
    edit(
        copy,
        '{"name": "family_name"',
        '{"name": "call_name", "type": ["null", "string"], "default": null, "sensitivity": "S3",'
        ' "fieldset": "name", "audience": ["team"], "doc": "Name of call."},\n'
        '    {"name": "family_name"',
    )
    before = (copy / "schemas" / "ids.yaml").read_bytes()
    code, document = run_in(copy, "check")
    assert code == 1
    assert {fault["kind"] for fault in document["faults"]} == {"unpublished"}
    code, document = run_in(copy, "publish")
    assert code == 0
    assert len(document["ids"]) >= 3
    assert (copy / "schemas" / "ids.yaml").read_bytes().startswith(before)
    assert run_in(copy, "check") == (0, {"ok": True, "faults": []})
    assert run_in(copy, "publish") == (0, {"ids": []})


def test_unsafe_schema_is_named(copy: Path) -> None:
    """A list of nothing is refused before anybody can send one."""
    edit(
        copy,
        '{"name": "answer_due"',
        '{"name": "bomb", "type": ["null", {"type": "array", "items": "null"}], "default": null,'
        ' "sensitivity": "S1", "fieldset": "core", "audience": ["team"], "doc": "A bomb."},\n'
        '    {"name": "answer_due"',
        "events/referral.claimed.avsc",
    )
    code, document = run_in(copy, "publish")
    assert code == 1
    assert b"no width" in document
