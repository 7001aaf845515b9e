"""A question before something that cannot be taken back, in the language of the terminal."""

from __future__ import annotations

import sys
from typing import Final

import typer

from schemas.cli import say

_YES: Final = frozenset({"j", "ja", "y", "yes"})


def confirm(nl: str, en: str) -> None:
    """Ask it on standard error, so that data stays alone on standard output.

    Raises:
        typer.Abort: the answer is anything but yes, or there is nobody to give one.
    """
    typer.echo(f"{say(nl, en)} {say('[j/N]', '[y/N]')}: ", err=True, nl=False)
    if sys.stdin.readline().strip().lower() not in _YES:
        raise typer.Abort
