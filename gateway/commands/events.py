"""`schakel events`: one event's journey as data, the caller's inbox as it grows, and referring."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from gateway.commands.hub_place import find
from gateway.commands.journey_drawing import draw_event
from gateway.commands.json_output import write_json
from gateway.commands.options import (  # noqa: TC001 - typer reads the annotations
    AsJson,
    Credentials,
    Data,
    Hub,
)
from gateway.commands.records import record_key, records
from gateway.commands.refer import offers, refer
from gateway.commands.session import Session
from gateway.commands.stopped import stopped
from gateway.commands.trace import look_up
from schemas.cli import language

if TYPE_CHECKING:
    from collections.abc import Iterator

app = typer.Typer(add_completion=False, no_args_is_help=True)

PAGE = 100
WAIT_SECONDS = 20


@app.callback()
def events() -> None:
    """Look an event up, read along, or refer somebody."""


app.command()(stopped)
app.command()(refer)
app.command()(offers)
app.command()(records)
app.command()(record_key)


@app.command()
def show(
    event_id: Annotated[str, typer.Argument(help="Event id, or your own id for it.")],
    *,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
    as_json: AsJson = False,
) -> None:
    """Show where one event is, per recipient; its spans are left to `schakel trace`."""
    spoken = language()
    with Session(find(data, hub, credentials), spoken) as session:
        found = session.find(f"/v1/events/{event_id}") or look_up(session, event_id)
    found.pop("spans", None)
    if as_json:
        write_json(found)
    else:
        Console().print(draw_event(found, spoken))


@app.command()
def tail(
    *,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
    lines: Annotated[int, typer.Option("-n", min=0, help="How many earlier events.")] = 10,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Wait for new ones.")] = False,
    with_data: Annotated[bool, typer.Option("--data-too", help="Personal data as well.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the newest events of the caller's own inbox.

    Reading is a hand-over: it is logged as a disclosure, as every reading of the feed is.
    """
    spoken = language()
    with Session(find(data, hub, credentials), spoken) as session:
        earlier: list[dict[str, Any]] = []
        cursor = ""
        for page in pages(session, cursor):
            earlier = (earlier + page["events"])[-lines:] if lines else []
            cursor = page["next"]
        _write(earlier, with_data=with_data, as_json=as_json)
        while follow:
            page = session.get("/v1/feed", after=cursor, limit=PAGE, wait=WAIT_SECONDS)
            cursor = page["next"]
            _write(page["events"], with_data=with_data, as_json=as_json)


def pages(session: Session, cursor: str) -> Iterator[dict[str, Any]]:
    """The feed's pages after a cursor, until nothing is behind."""
    while True:
        query: dict[str, str | int] = {"limit": PAGE, **({"after": cursor} if cursor else {})}
        page = session.get("/v1/feed", **query)
        yield page
        if not page["behind"]:
            return
        cursor = page["next"]


def _write(found: list[dict[str, Any]], *, with_data: bool, as_json: bool) -> None:
    for event in found:
        shown = event if with_data else {key: event[key] for key in event if key != "data"}
        line = json.dumps(shown, ensure_ascii=False) if as_json else one_line(shown)
        sys.stdout.write(line + "\n")
    sys.stdout.flush()


def one_line(event: dict[str, Any]) -> str:
    """One event in one line, without content unless `data` is in it."""
    name = str(event["type"]).rpartition(".v1.")[2]
    sender = str(event["source"]).rpartition(":")[2]
    history = " (backfill)" if event.get("backfill") else ""
    line = f"{event['recordedtime']}  {name}{history}  {sender}  {event['id']}"
    if "data" in event:
        line += f"  {json.dumps(event['data'], ensure_ascii=False)}"
    return line
