"""`schakel db upgrade|retention`: bring the stores up to date; list what is not kept any longer."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from consumers.database import open_engine
from gateway.commands.hub_here import hub_here
from gateway.commands.options import AsJson  # noqa: TC001 - typer reads the annotations
from gateway.exchange.key_erasure import KeyEraser
from gateway.exchange.key_file import FileKeyEncryption
from gateway.exchange.registry_store import RegistryStore
from gateway.exchange.retention_job import RetentionJob, shown
from gateway.installing import upgrade_stores
from gateway.registry_parts import business_clock
from gateway.settings import load
from schemas.cli import language, say
from schemas.errors import Message
from schemas.retention import periods

app = typer.Typer(add_completion=False, no_args_is_help=True)

DataFolder = Annotated[
    Path | None, typer.Option("--data", envvar="SCHAKEL_DATA", help="Folder with hub.toml.")
]


@app.callback()
def db() -> None:
    """The hub's stores."""


@app.command()
def upgrade(data: DataFolder = None) -> None:
    """Migrate every store to this version; does nothing where it is there already."""
    upgrade_stores(load(data).stores)
    typer.echo(say("De databanken zijn bijgewerkt.", "The stores are up to date."), err=True)


@app.command()
def retention(*, data: DataFolder = None, as_json: AsJson = False) -> None:
    """List what is not kept any longer; the hub destroys its keys by itself, once a day.

    Ids and dates only. What was destroyed before is listed too: its row in the ledger stays.
    """
    settings = hub_here(data)
    with ExitStack() as stack:
        engines = [
            open_engine(getattr(settings.stores, one)) for one in ("ledger", "consumers", "keys")
        ]
        for one in engines:
            stack.callback(one.dispose)
        ledger, consumers, keys = engines
        registry = RegistryStore(ledger, environment=settings.environment).load()
        kek = FileKeyEncryption(settings.key_file, may_create=lambda: False)
        job = RetentionJob(ledger, consumers, KeyEraser(keys, kek), lambda: registry)
        found = [shown(one) for one in job.due(business_clock(settings, ledger).now_us())]
    if as_json:
        typer.echo(json.dumps({"due": found}, indent=2))
        return
    spoken = language()
    headings = (
        Message("wat", "what"),
        Message("traject", "trajectory"),
        Message("sinds", "since"),
        Message("bewaard tot", "kept until"),
    )
    table = Table(box=None)
    for heading in headings:
        table.add_column(heading.text(spoken))
    for line in found:
        label = periods()[str(line["what"])].label.text(spoken)
        table.add_row(label, line["trajectory_id"], line["since"], line["kept_until"])
    Console().print(table)
