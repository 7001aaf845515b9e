"""The help of a command in Dutch.

English stands beside the code, as docstrings and `help=`; `help.nl.yaml` in the package of the
command has the Dutch of each paragraph by its English. So an English sentence that is changed
without its Dutch is found by a test, and never shown with a Dutch one that says otherwise.
"""

from __future__ import annotations

from contextlib import contextmanager
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import typer
import yaml
from typer import rich_utils

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FILE: Final = "help.nl.yaml"
OF_TYPER: Final = {
    "ARGUMENTS_PANEL_TITLE": "Argumenten",
    "OPTIONS_PANEL_TITLE": "Opties",
    "COMMANDS_PANEL_TITLE": "Opdrachten",
    "DEFAULT_STRING": "[standaard: {}]",
    "ENVVAR_STRING": "[omgeving: {}]",
    "REQUIRED_LONG_STRING": "[verplicht]",
}
"""What Typer itself writes around the texts."""
_SHOW_HELP: Final = "Toon deze hulp."


def dutch(package: str) -> Mapping[str, str]:
    """The Dutch paragraphs of a package's commands, by the English ones.

    Raises:
        FileNotFoundError: the package has no such file.
    """
    text = (files(package) / FILE).read_text("utf-8")
    found: dict[str, str] = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    return found


@contextmanager
def in_dutch(command: Any, package: str) -> Iterator[None]:
    """Show the help of a command, and of every command below it, in Dutch."""
    before = {name: getattr(rich_utils, name) for name in OF_TYPER}
    _translate(command, dutch(package))
    _rename(OF_TYPER)
    try:
        yield
    finally:
        _rename(before)


def _rename(words: Mapping[str, str]) -> None:
    for name, text in words.items():
        setattr(rich_utils, name, text)


def _translate(command: Any, table: Mapping[str, str]) -> None:
    for one in within(command):
        one.help = translated(one.help, table)
        for param in one.params:
            param.help = translated(param.help, table)
        shown = one.get_help_option(typer.Context(one))
        if shown is not None:
            shown.help = _SHOW_HELP


def within(command: Any) -> Iterator[Any]:
    """The command itself and every one below it."""
    yield command
    for below in getattr(command, "commands", {}).values():
        yield from within(below)


def paragraphs(text: str | None) -> list[str]:
    """The paragraphs of a help text, each on one line."""
    return [" ".join(one.split()) for one in (text or "").split("\n\n") if one.strip()]


def translated(text: str | None, table: Mapping[str, str]) -> str:
    """The text, paragraph by paragraph; what the table lacks stays, as codes and names do."""
    return "\n\n".join(table.get(one, one) for one in paragraphs(text))
