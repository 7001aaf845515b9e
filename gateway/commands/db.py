"""`schakel db upgrade`: bring the stores up to this version's tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.installing import upgrade_stores
from gateway.settings import load

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def db() -> None:
    """The hub's stores."""


@app.command()
def upgrade(
    data: Annotated[
        Path | None, typer.Option(envvar="SCHAKEL_DATA", help="Folder with hub.toml.")
    ] = None,
) -> None:
    """Migrate every store to this version; does nothing where it is there already."""
    upgrade_stores(load(data).stores)
    typer.echo("The stores are up to date.", err=True)
