"""A question before something that cannot be taken back, in the language of the terminal."""

from __future__ import annotations

import sys
from typing import Final

import typer

from gateway.errors import NotConfirmed
from schemas.cli import say
from schemas.errors import Message

_YES: Final = frozenset({"j", "ja", "y", "yes"})


def confirm(nl: str, en: str) -> None:
    """Ask it on standard error, so that data stays alone on standard output.

    Raises:
        typer.Abort: the answer is anything but yes.
        NotConfirmed: there is nobody to give one.
    """
    typer.echo(f"{say(nl, en)} {say('[j/N]', '[y/N]')}: ", err=True, nl=False)
    answer = sys.stdin.readline()
    if not answer:
        typer.echo(err=True)
        raise NotConfirmed(
            Message(
                nl="Er is niemand om te antwoorden; er is niets gedaan. Met --yes vraagt de "
                "opdracht niets.",
                en="There is nobody to answer; nothing was done. With --yes the command does "
                "not ask.",
            )
        )
    if answer.strip().lower() not in _YES:
        raise typer.Abort
