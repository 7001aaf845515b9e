"""The root command: quick help, sentences instead of traces, and exit codes."""

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from schemas import cli
from schemas.command_summaries import SUMMARIES
from schemas.errors import InvalidParam, Message, SchakelError, SchemasError


class ForbiddenError(SchemasError):
    """A refusal of access."""

    status = 403


def failing(error: BaseException) -> int:
    """Run an action that fails, at the command's edge."""

    def action() -> int:
        raise error

    return cli.guarded(action)


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    """Speak English unless a test says otherwise, and keep errors short."""
    monkeypatch.setenv("SCHAKEL_LANGUAGE", "en")
    monkeypatch.delenv("SCHAKEL_DEBUG", raising=False)


@pytest.mark.parametrize(
    ("environment", "spoken"),
    [
        ({}, "nl"),
        ({"LANG": "C.UTF-8"}, "nl"),
        ({"LANG": "nl_BE.UTF-8"}, "nl"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "fr_BE.UTF-8"}, "nl"),
        ({"LANG": "nl_BE.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "SCHAKEL_LANGUAGE": "nl"}, "nl"),
        ({"LANG": "en_US.UTF-8", "SCHAKEL_LANGUAGE": "xx"}, "en"),
    ],
)
def test_the_language_of_a_terminal(environment: dict[str, str], spoken: str) -> None:
    """One's own choice, then the locale, then Dutch."""
    assert cli.language(environment) == spoken


def test_help_lists_every_command_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    """On standard output, as it is what was asked for."""
    assert cli.run(["--help"]) == cli.DONE

    shown = capsys.readouterr()
    assert shown.err == ""
    for name in cli.commands():
        assert f"\n  {name} " in shown.out
        assert SUMMARIES[name].en in shown.out


def test_help_imports_no_command_and_no_library() -> None:
    """The root stays quick: neither typer nor anything of the hub is loaded."""
    script = (
        "import sys; from schemas import cli; cli.run(['--help']); cli.run(['nonsense']);"
        "print(sorted({'typer', 'rich', 'gateway', 'connectors', 'consumers'} & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )

    assert found.stdout.splitlines()[-1] == "[]"


def test_no_arguments_is_wrong_use_and_shows_help(capsys: pytest.CaptureFixture[str]) -> None:
    """A newcomer types the name and sees what there is."""
    assert cli.run([]) == cli.WRONG_USE
    assert "Usage: schakel COMMAND" in capsys.readouterr().out


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    """Name and number."""
    assert cli.run(["--version"]) == cli.DONE
    assert capsys.readouterr().out.startswith("schakel ")


def test_an_unknown_command_suggests_a_near_one(capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error, with the next command."""
    assert cli.run(["brokr"]) == cli.WRONG_USE

    shown = capsys.readouterr()
    assert shown.out == ""
    assert "`schakel broker`?" in shown.err
    assert "schakel --help" in shown.err


def test_an_error_is_its_sentence_its_fields_and_the_next_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the language of the terminal."""
    error = SchemasError(
        Message(nl="Het bestand klopt niet.", en="The file is wrong."),
        invalid=[InvalidParam("grants[0].to", "missing", Message(nl="Ontbreekt.", en="Missing."))],
        facts={"next": "schakel registry check"},
    )

    assert failing(error) == cli.FAILED
    assert capsys.readouterr().err.splitlines() == [
        "schakel: The file is wrong.",
        "  grants[0].to: Missing.",
        "Next: schakel registry check",
    ]
    monkeypatch.setenv("SCHAKEL_LANGUAGE", "nl")
    failing(error)
    assert "schakel: Het bestand klopt niet." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SchakelError(Message(nl="a", en="b")), cli.FAILED),
        (ForbiddenError(Message(nl="a", en="b")), cli.UNAUTHORISED),
        (KeyboardInterrupt(), cli.INTERRUPTED),
        (RuntimeError("71641212301"), cli.FAILED),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_end_has_its_exit_code(error: BaseException, code: int) -> None:
    """Scripts tell refused, failed and interrupted apart."""
    assert failing(error) == code


def test_an_unexpected_error_shows_its_kind_and_no_value(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages of other libraries may hold data; SCHAKEL_DEBUG shows all."""
    failing(RuntimeError("71641212301"))

    shown = capsys.readouterr().err
    assert "RuntimeError" in shown
    assert "SCHAKEL_DEBUG=1" in shown
    assert "71641212301" not in shown
    monkeypatch.setenv("SCHAKEL_DEBUG", "1")
    with pytest.raises(RuntimeError):
        failing(RuntimeError("x"))


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("gateway.commands.absent:app", "no part of this installation"),
        ("absent_package:app", "needs absent_package"),
    ],
)
def test_a_command_whose_package_is_absent_says_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, target: str, said: str
) -> None:
    """A partner's machine has connectors only."""
    entry = EntryPoint("absent", target, cli.GROUP)
    monkeypatch.setattr(cli, "commands", lambda: {"absent": entry})

    assert cli.run(["absent"]) == cli.FAILED
    shown = capsys.readouterr().err
    assert said in shown
    assert "pip install" in shown


def test_main_exits_with_the_code() -> None:
    """The script's entry point."""
    with pytest.raises(SystemExit) as ending:
        cli.main(["nonsense"])

    assert ending.value.code == cli.WRONG_USE
