"""`schakel keys` at the machine: what waits is shown, a rotation is made, and nothing is lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from consumers.database import Stores
from gateway.commands import keys as command
from gateway.exchange import audit
from gateway.exchange.key_erasure import KeyEraser
from gateway.exchange.key_file import FileKeyEncryption
from gateway.exchange.keys import KeyNeed, KeyStore
from tests.store_fixtures import migrated, opened

if TYPE_CHECKING:
    from pathlib import Path

NEED = KeyNeed("subject-1", "referral-1", "urn:schakel:org:a", "main")
OTHER = NEED._replace(subject_id="subject-2", aggregate_id="referral-2")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub's data folder, migrated and not running."""
    migrated(Stores.sqlite(tmp_path))
    FileKeyEncryption(tmp_path / "keys" / "kek.json")
    monkeypatch.setenv("SCHAKEL_LANGUAGE", "en")
    return tmp_path


def run(data: Path, *options: str) -> dict[str, Any]:
    """The command's answer as JSON."""
    done = CliRunner().invoke(command.app, [*options, "--data", str(data), "--json"])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_an_erasure_waits_until_the_key_is_replaced(data: Path) -> None:
    """Without --now only when something waits; whoever is left still opens."""
    before = run(data, "status")
    assert (before["waiting"], before["rotated_at"]) == (0, None)
    assert run(data, "rotate")["keys"] == before["keys"]

    kek = FileKeyEncryption(data / "keys" / "kek.json")
    with opened(Stores.sqlite(data).keys) as engine:
        made = KeyStore(engine, kek).data_keys([NEED, OTHER])
        KeyEraser(engine, kek).erase(["subject-1"], NEED.producer_org, 1)
        assert run(data, "status")["waiting"] == 1
        after = run(data, "rotate", "--reason", "asked by the officer")
        assert (after["waiting"], len(after["keys"])) == (0, 1)
        assert after["keys"] != before["keys"]
        assert KeyStore(engine, kek).open(made[OTHER].key_id) == made[OTHER].key
    with opened(Stores.sqlite(data).ledger) as engine, engine.connect() as connection:
        (line,) = audit.lines(connection)
    assert (line.actor, line.reason) == ("operator", "asked by the officer")


def test_no_key_file_is_made_here(data: Path) -> None:
    """Whoever asks in the wrong folder, or lost the file, is told so."""
    (data / "keys" / "kek.json").unlink()
    done = CliRunner().invoke(command.app, ["status", "--data", str(data)])

    assert getattr(done.exception, "code", "") == "keys_unusable"
    assert not (data / "keys" / "kek.json").exists()


def test_it_is_told_in_words(data: Path) -> None:
    """Labels in the terminal's language, ids and times only."""
    run(data, "rotate", "--now")
    done = CliRunner().invoke(command.app, ["status", "--data", str(data)])

    assert done.stdout.startswith("Current key: ")
    assert "Waiting for replacement: 0" in done.stdout
