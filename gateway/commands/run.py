"""`schakel run ROLE`: one of the hub's processes, as containers and `schakel up` start them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gateway import processes
from gateway.log_lines import log_to_stdout
from gateway.settings import load

app = typer.Typer(add_completion=False)


class RoleName(StrEnum):
    """The processes of the hub."""

    GATEWAY = "gateway"
    RELAY = "relay"
    ROUTE = "route"
    DELIVER = "deliver"
    KAFKA_DOOR = "kafka-door"
    PROVISION = "provision"


@app.command()
def run(
    role: Annotated[RoleName, typer.Argument(help="Which process.")],
    data: Annotated[
        Path | None, typer.Option(envvar="SCHAKEL_DATA", help="Folder with hub.toml.")
    ] = None,
) -> None:
    """Run one process until SIGTERM; `provision` makes topics and access entries, and ends."""
    log_to_stdout()
    processes.RUN[role.value](load(data))
