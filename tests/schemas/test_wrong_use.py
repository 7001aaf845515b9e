"""What is wrong about a command line is said in the language of the terminal."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - Typer reads the annotation
from typing import Annotated, Literal

import pytest
import typer

from schemas import cli
from schemas.wrong_use import Refused, told

app = typer.Typer(no_args_is_help=True)
silent = typer.Typer()


@app.command()
def count(
    people: Annotated[int, typer.Argument(min=1, max=9)],
    share: Annotated[float, typer.Option()] = 1.0,
) -> None:
    """Take numbers."""
    typer.echo(people * share)


@app.command()
def keep(
    out: Annotated[Path, typer.Option(exists=True, file_okay=False)],
    source: Annotated[Path | None, typer.Option(exists=True, dir_okay=False)] = None,
) -> None:
    """Take a folder and a file."""
    typer.echo(f"{out} {source}")


@app.command()
def choose(
    kind: Annotated[Literal["new", "old"], typer.Option()] = "new",
    word: Annotated[str, typer.Option()] = "",
    *,
    quiet: Annotated[bool, typer.Option("--quiet")] = False,
) -> None:
    """Take a choice, and refuse a word as our own commands do."""
    if word:
        raise typer.BadParameter("kent dat niet", param_hint="--word")
    typer.echo(f"{kind} {quiet}")


silent.command()(count)
silent.command()(choose)


def said(arguments: str, spoken: str, called: typer.Typer = app) -> str:
    """What is told about a command line."""
    with pytest.raises(Refused) as raised:
        typer.main.get_command(called).main(
            args=arguments.split(), prog_name="schakel test", standalone_mode=False
        )
    return told(raised.value, "schakel test", spoken)


@pytest.mark.parametrize(
    ("arguments", "dutch"),
    [
        ("count 3 --nope", "Er is geen optie --nope."),
        ("count 3 --shar 2", "Er is geen optie --shar. Bedoelt u --share?"),
        ("chose", "Er is geen opdracht chose. Bedoelt u 'choose'?"),
        ("count", "Het argument people ontbreekt."),
        ("keep", "De optie --out ontbreekt."),
        ("count 3 4 5", "Dit is te veel: 4 5."),
        ("choose --quiet=1", "De optie --quiet krijgt geen waarde."),
        ("keep --out", "De optie --out heeft een waarde nodig."),
        ("count x", "De waarde van people is niet goed: dit moet een geheel getal zijn."),
        ("count 0", "De waarde van people is niet goed: dit moet minstens 1 zijn."),
        ("count 10", "De waarde van people is niet goed: dit mag hoogstens 9 zijn."),
        (
            "count 3 --share x",
            "De waarde van --share is niet goed: dit moet een getal zijn.",
        ),
        (
            "choose --kind x",
            "De waarde van --kind is niet goed: 'x' is geen van 'new', 'old'.",
        ),
        ("keep --out /nope", "De waarde van --out is niet goed: '/nope' bestaat niet."),
        (
            "keep --out /etc/passwd",
            "De waarde van --out is niet goed: '/etc/passwd' is een bestand, geen map.",
        ),
        (
            "keep --out / --source /",
            "De waarde van --source is niet goed: '/' is een map, geen bestand.",
        ),
        ("choose --word x", "De waarde van --word is niet goed: kent dat niet"),
    ],
)
def test_each_refusal_is_dutch(arguments: str, dutch: str) -> None:
    """Every form that a command of ours can meet, and where it is explained."""
    first, hint = said(arguments, "nl").split("\n")

    assert first == f"schakel: {dutch}"
    assert hint.startswith("`schakel test")
    assert hint.endswith("--help` toont hoe het moet.")


def test_in_english_it_is_what_typer_says() -> None:
    """With the same hint."""
    assert said("keep", "en").split("\n") == [
        "schakel: Missing option '--out'.",
        "`schakel test keep --help` shows how it is used.",
    ]


def test_a_missing_command_is_dutch() -> None:
    """A group that does not show its help by itself."""
    assert said("", "nl", silent).startswith("schakel: Er ontbreekt een opdracht.")


def test_a_group_that_shows_its_help_says_nothing_more(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The help is what was asked for."""
    assert said("", "nl") == ""
    assert "choose" in capsys.readouterr().out


def test_the_root_tells_it_and_ends_as_wrong_use(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On standard error, with the exit code of wrong use."""
    monkeypatch.setenv("SCHAKEL_LANGUAGE", "nl")

    assert cli.run(["trace"]) == cli.WRONG_USE
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines() == [
        "schakel: Het argument ID ontbreekt.",
        "`schakel trace --help` toont hoe het moet.",
    ]
