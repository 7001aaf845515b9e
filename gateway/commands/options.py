"""The options that every command that speaks to the hub has."""

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path | None, typer.Option(envvar="SCHAKEL_DATA", help="Data folder of a hub on this machine.")
]
Hub = Annotated[
    str | None, typer.Option(envvar="SCHAKEL_HUB", help="Address of the hub's gateway.")
]
Credentials = Annotated[
    Path | None,
    typer.Option(envvar="SCHAKEL_CREDENTIALS", help="A client's credentials file."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the plan, change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output instead of text.")]
