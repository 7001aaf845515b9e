"""Without credentials a command says how it itself is run on the hub of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from schemas import cli

if TYPE_CHECKING:
    from pathlib import Path

CASE = "01890000-0000-7000-8000-000000000001"


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, and nothing of a hub in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCHAKEL_LANGUAGE", "en")
    for name in ("SCHAKEL_DATA", "SCHAKEL_HUB", "SCHAKEL_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("typed", "following"),
    [
        (["client", "list"], "schakel client list --data data"),
        (["client", "revoke", "x"], "schakel client revoke CLIENT-ID --data data"),
        (["events", "offers", "--free"], "schakel events offers --data data"),
        (["events", "record-key"], "schakel events record-key --data data"),
        (["events", "records", "--out", "f"], "schakel events records --out OUT --data data"),
        (["dead-letters", "list", "--json"], "schakel dead-letters list --data data"),
        (
            ["audit", "own", "--from", "a", "--to", "b"],
            "schakel audit own --from FROM --to TO --data data",
        ),
        (["trace", "71641212301"], "schakel trace ID --data data"),
    ],
    ids=lambda value: "-".join(value[:2]) if isinstance(value, list) else "",
)
def test_the_next_step_is_the_command_that_was_run(
    typed: list[str], following: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the hub's folder added, and without the values that were typed."""
    assert cli.run(typed) == cli.FAILED

    assert capsys.readouterr().err.splitlines()[-1] == f"Next: {following}"


def test_the_folder_that_is_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After `make demo` that is the demonstration's."""
    (tmp_path / "demo-data" / "hub").mkdir(parents=True)
    (tmp_path / "demo-data" / "hub" / "admin.json").write_text("{}")

    cli.run(["client", "list"])

    assert capsys.readouterr().err.endswith("Next: schakel client list --data demo-data/hub\n")


def test_credentials_without_an_address_are_asked_for_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are a client's own, so no other folder is offered."""
    (tmp_path / "own.json").write_text('{"client_id": "own"}')

    cli.run(["client", "list", "--credentials", "own.json"])

    assert capsys.readouterr().err.splitlines() == [
        "schakel: Credentials: give --hub ADDRESS.",
        "Next: schakel client list --credentials FILE --hub ADDRESS",
    ]
