"""Every command explains itself in Dutch and in English."""

from __future__ import annotations

import re
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer import rich_utils

from schemas import cli
from schemas.help_texts import OF_TYPER, dutch, in_dutch, paragraphs, within

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.metadata import EntryPoint

ENTRIES = sorted(entry_points(group=cli.GROUP), key=lambda one: one.name)
CODES = re.compile(r"\w+(, \w+)*")
"""Names of scopes and the like are the same in every language."""


def package_of(entry: EntryPoint) -> str:
    """Where a command's Dutch is kept."""
    return entry.module.rpartition(".")[0]


def texts(command: Any) -> Iterator[tuple[str, str]]:
    """Each help text of a command and of those below it, with where it stands."""
    for one in within(command):
        yield f"{one.name}", one.help or ""
        for param in one.params:
            yield f"{one.name} {param.name}", param.help or ""


def built(entry: EntryPoint) -> Any:
    """The command as Typer builds it, in English."""
    return typer.main.get_command(entry.load())


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda one: one.name)
def test_every_text_is_there_in_both_languages(entry: EntryPoint) -> None:
    """Each command, argument and option; a changed English text needs its Dutch anew."""
    command, english = built(entry), dict(texts(built(entry)))
    with in_dutch(command, package_of(entry)):
        translated = dict(texts(command))

    assert [where for where, text in english.items() if not text] == []
    for where, text in english.items():
        pairs = zip(paragraphs(text), paragraphs(translated[where]), strict=True)
        same = [one for one, other in pairs if one == other and not CODES.fullmatch(one)]
        assert same == [], where


@pytest.mark.parametrize("package", sorted({package_of(one) for one in ENTRIES}))
def test_no_dutch_is_left_of_what_is_gone(package: str) -> None:
    """The file holds what a command says, and nothing else."""
    said = {
        paragraph
        for entry in ENTRIES
        if package_of(entry) == package
        for _, text in texts(built(entry))
        for paragraph in paragraphs(text)
    }

    assert dutch(package).keys() - said == set()


@pytest.mark.parametrize(
    ("spoken", "shown", "not_shown"),
    [
        ("nl", ["De OAuth-clients", "Opdrachten", "Toon deze hulp."], "Show the clients"),
        ("en", ["The OAuth clients", "Commands", "Show this message"], "Toon de clients"),
    ],
)
def test_help_is_in_the_language_of_the_terminal(
    spoken: str,
    shown: list[str],
    not_shown: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whether it is asked for, or shown because nothing was."""
    monkeypatch.setenv("SCHAKEL_LANGUAGE", spoken)
    for arguments in (["client", "--help"], ["client"]):
        cli.run(arguments)
        printed = capsys.readouterr()

        text = printed.out + printed.err
        assert [one for one in shown if one not in text] == []
        assert not_shown not in text


def test_what_typer_says_is_put_back() -> None:
    """Dutch lasts as long as the help: the words of the library are one a process."""
    before = {name: getattr(rich_utils, name) for name in OF_TYPER}
    with in_dutch(built(ENTRIES[0]), package_of(ENTRIES[0])):
        assert rich_utils.OPTIONS_PANEL_TITLE == "Opties"

    assert {name: getattr(rich_utils, name) for name in OF_TYPER} == before
