"""What a person reads in a terminal is in their language: errors, questions and results."""

from __future__ import annotations

import ast
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer

from gateway.commands import registry
from gateway.commands.asking import confirm
from gateway.errors import NotConfirmed
from schemas import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
SPOKEN = [
    *sorted((ROOT / "gateway" / "commands").glob("*.py")),
    *sorted((ROOT / "gateway" / "embedded").glob("*.py")),
    ROOT / "connectors" / "commands.py",
    ROOT / "connectors" / "world" / "commands.py",
    ROOT / "schemas" / "commands.py",
    ROOT / "schemas" / "verify.py",
]
TELLING = {
    "echo", "confirm", "prompt", "write", "print", "BadParameter", "report", "_report", "_tell",
}  # fmt: skip
"""Calls whose text reaches a person as it is."""
COMMAND = re.compile("schakel [a-z -]+")
SENTENCE = re.compile(r"[A-Za-z]{2,} [a-z]{2,}")
QUESTIONED = {"confirm"}
PLAN: dict[str, Any] = {
    "version": 4,
    "changes": [{"action": "revoke", "kind": "client", "id": "x", "fields": []}],
    "clients_without_key": ["y"],
}


def said_in_one_language(path: Path) -> Iterator[str]:
    """Each text with two words in a row that is written without its other language."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call) or len(node.args) == 0:
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        is_both = name in QUESTIONED and len(node.args) == 2
        text = COMMAND.sub("", _literal(node.args[0]))
        if name in TELLING and not is_both and SENTENCE.search(text):
            yield f"{path.name}:{node.lineno}"


def _literal(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(_literal(part) for part in node.values)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return ""


@pytest.mark.parametrize("path", SPOKEN, ids=lambda path: "/".join(path.parts[-2:]))
def test_no_sentence_is_written_in_one_language(path: Path) -> None:
    """A text that goes out as it stands has to come from `say` or a `Message`."""
    assert list(said_in_one_language(path)) == []


@pytest.mark.parametrize(
    ("spoken", "shown", "told"),
    [
        ("nl", "- trek in client x\n", "y heeft nog geen sleutel"),
        ("en", "- revoke client x\n", "y has no key yet"),
    ],
)
def test_a_plan_is_shown_in_the_language(
    spoken: str,
    shown: str,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its actions and what is still to do; names of fields and of kinds are the file's."""
    monkeypatch.setenv("SCHAKEL_LANGUAGE", spoken)

    registry._show(PLAN)  # noqa: SLF001 - what a plan looks like, without a hub

    found = capsys.readouterr()
    assert found.out == shown
    assert told in found.err


@pytest.mark.parametrize(
    ("spoken", "asked"), [("nl", "Toepassen? [j/N]: "), ("en", "Apply? [y/N]: ")]
)
def test_a_question_takes_yes_in_both_languages(
    spoken: str, asked: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error; anything else is no, and nobody there to answer is told so."""
    monkeypatch.setenv("SCHAKEL_LANGUAGE", spoken)
    for answer in ("j\n", "Ja\n", "y\n", "YES\n"):
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        confirm("Toepassen?", "Apply?")
    for answer in ("\n", "n\n", "x\n"):
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        with pytest.raises(typer.Abort):
            confirm("Toepassen?", "Apply?")
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(NotConfirmed) as refused:
        confirm("Toepassen?", "Apply?")

    found = capsys.readouterr()
    assert "--yes" in refused.value.detail.text(spoken)
    assert found.err == asked * 8 + "\n"
    assert found.out == ""


@pytest.mark.parametrize(("spoken", "said"), [("nl", "staat geen"), ("en", "There is no")])
def test_a_connector_says_its_faults_in_the_language(
    spoken: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Also what is wrong in its folder."""
    monkeypatch.setenv("SCHAKEL_LANGUAGE", spoken)

    assert cli.run(["connector", "check", str(tmp_path / "none")]) == cli.FAILED

    assert said in capsys.readouterr().err
