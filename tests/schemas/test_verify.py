"""`schakel verify` as somebody runs it: exit codes, sentences and JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from schemas import envelope
from schemas.cli import guarded
from schemas.verify import app
from tests.schemas.signed_records import SignedTree
from tests.schemas.test_record_checks import EVENT, OTHER, OWN, SALT, grown

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a participant keeps: the key, an older file, a newer one, an event and its salt."""
    tree = SignedTree()
    parsed = envelope.from_structured(EVENT)
    leaf = tree.add(OWN, envelope.content(parsed, parsed.data), SALT)
    (tmp_path / "key.json").write_text(json.dumps(tree.jwks))
    (tmp_path / "old.jsonl").write_bytes(b"".join(tree.file(OWN)))
    grown(OTHER, OWN, tree=tree)
    (tmp_path / "new.jsonl").write_bytes(b"".join(tree.file(OWN, grown_from=1)))
    (tmp_path / "events.jsonl").write_text(json.dumps(EVENT) + "\n")
    salt = {"id": EVENT["id"], "event_id": leaf.event_id, "salt": SALT.hex()}
    (tmp_path / "salts.jsonl").write_text(json.dumps(salt) + "\n")
    return tmp_path


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    """The exit code and what was written; a refusal is raised, as `schakel` tells it."""
    given = [str(folder / one) if one.endswith((".json", ".jsonl")) else one for one in arguments]
    result = CliRunner().invoke(app, given, catch_exceptions=False)
    return result.exit_code, result.output


def test_a_file_that_holds_is_told_with_everything_checked(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the reader's language: records, signature, older tree, contents."""
    monkeypatch.setenv("SCHAKEL_LANGUAGE", "en")
    checked = ("--older", "old.jsonl", "--events", "events.jsonl", "--salts", "salts.jsonl")
    code, told = run(folder, "new.jsonl", "--key", "key.json", *checked)

    assert code == 0
    assert "2 records (1-2) of ocmw-leuven" in told
    assert "older one of 1 records" in told
    assert "1 events are" in told


def test_json_says_the_same(folder: Path) -> None:
    """One document."""
    code, told = run(folder, "new.jsonl", "--key", "key.json", "--json")
    document = json.loads(told)

    assert code == 0
    assert (document["holds"], document["records"], document["tree_size"]) == (True, 2, 3)
    assert (document["grown_from"], document["contents"]) == (None, 0)


def test_a_changed_file_fails_with_its_line(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 1 and one sentence."""
    monkeypatch.setenv("SCHAKEL_LANGUAGE", "nl")
    lines = (folder / "new.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "cut.jsonl").write_bytes(b"".join(lines[:-1]))
    code = guarded(lambda: run(folder, "cut.jsonl", "--key", "key.json")[0])

    assert code == 1
    assert "Regel 4: Er zijn 2 records, het bestand stopt bij 1." in capsys.readouterr().err


def test_files_that_cannot_be_read_are_told(folder: Path) -> None:
    """A missing file, and a key that is none."""
    (folder / "none.json").write_text("nothing")

    assert guarded(lambda: run(folder, "no.jsonl", "--key", "key.json")[0]) == 1
    assert guarded(lambda: run(folder, "new.jsonl", "--key", "none.json")[0]) == 1


def test_events_and_salts_go_together(folder: Path) -> None:
    """One without the other is wrong use."""
    assert run(folder, "new.jsonl", "--key", "key.json", "--events", "events.jsonl")[0] == 2
