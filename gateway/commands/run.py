"""`schakel run ROLE`: one of the hub's processes, as containers and `schakel up` start them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gateway.log_lines import log_to_stdout
from gateway.settings import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.settings import HubSettings

app = typer.Typer(add_completion=False)


class RoleName(StrEnum):
    """The processes of the hub."""

    GATEWAY = "gateway"
    RELAY = "relay"
    ROUTE = "route"
    DELIVER = "deliver"
    KAFKA_DOOR = "kafka-door"
    PROVISION = "provision"


RUNS: Final = {
    RoleName.GATEWAY: "gateway.processes.gateway:run",
    RoleName.RELAY: "gateway.processes.relay:run",
    RoleName.ROUTE: "gateway.processes.route:run",
    RoleName.DELIVER: "gateway.processes.deliver:run",
    RoleName.KAFKA_DOOR: "gateway.processes.kafka_door:run",
    RoleName.PROVISION: "gateway.provisioning:provision",
}
"""By name, so that a process imports what it needs: the interface is half of all there is."""


def process(role: RoleName) -> Callable[[HubSettings], None]:
    """What runs a role until it is asked to stop; imports it."""
    found: Callable[[HubSettings], None] = resolve_name(RUNS[role])
    return found


@app.command()
def run(
    role: Annotated[RoleName, typer.Argument(help="Which process.")],
    data: Annotated[
        Path | None, typer.Option(envvar="SCHAKEL_DATA", help="Folder with hub.toml.")
    ] = None,
) -> None:
    """Run one process until SIGTERM; `provision` makes topics and access entries, and ends."""
    log_to_stdout()
    process(role)(load(data))
