"""`schakel agreement check`: the faults of a draft, and what it would let somebody see.

Faults are found on this machine; trying it asks the hub, which writes nothing.
"""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from gateway.commands.administrator import Administrator
from gateway.commands.agreement_file import document_of, faults_of, text_of
from gateway.commands.agreement_text import show_preview
from gateway.commands.hub_place import find
from gateway.commands.json_output import write_json
from gateway.commands.options import (  # noqa: TC001 - typer reads the annotations
    AsJson,
    Credentials,
    Data,
    Hub,
)
from gateway.errors import FormIncomplete
from schemas.cli import language, say
from schemas.errors import Message


def check(
    file: Annotated[Path, typer.Argument(help="The draft, YAML or JSON.")],
    *,
    event: Annotated[
        str | None, typer.Option(help="Try it: what would be seen of this event?")
    ] = None,
    reader: Annotated[
        str | None, typer.Option("--for", help="Participant that would receive it.")
    ] = None,
    sender: Annotated[
        str | None, typer.Option("--from", help="URN of the sender; your own if left out.")
    ] = None,
    relation: Annotated[
        list[str] | None, typer.Option("--as", help="Its relation to the case; every one if none.")
    ] = None,
    nis: Annotated[str | None, typer.Option(help="Municipality of the person.")] = None,
    door: Annotated[str | None, typer.Option(help="feed, webhook or kafka.")] = None,
    age_days: Annotated[int, typer.Option(help="How old the event is.")] = 0,
    example: Annotated[str | None, typer.Option(help="Name of an example, as complete.")] = None,
    event_file: Annotated[Path | None, typer.Option(help="The event's data, JSON.")] = None,
    as_json: AsJson = False,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
) -> None:
    """Find every fault in a draft, with its line; with --event and --for, try it at the hub."""
    if (event is None) != (reader is None):
        raise typer.BadParameter(
            say("geef --event en --for samen", "give --event and --for together")
        )
    text = text_of(file)
    faults = faults_of(text)
    if faults or event is None or reader is None:
        _show_faults(file, faults, as_json=as_json)
        return
    trial: dict[str, Any] = {
        "document": document_of(text),
        "event": event,
        "to": reader,
        "sender": sender,
        "relations": relation or None,
        "territory": nis,
        "door": door,
        "age_days": age_days,
        "data": _example(event, example, event_file),
    }
    with Administrator(find(data, hub, credentials), language()) as session:
        found = session.post("/v1/agreements/preview", trial)
    if as_json:
        write_json(found)
    else:
        show_preview(found, language())


def _example(event: str, name: str | None, file: Path | None) -> dict[str, Any] | None:
    """The data of a synthetic example that comes with Schakel, or of a file."""
    if name is None and file is None:
        return None
    shipped = files("schemas") / "examples" / event / f"{name}.json"
    try:
        found = orjson.loads((shipped if file is None else file).read_bytes())
    except (OSError, ValueError) as error:
        raise FormIncomplete(
            Message(
                nl=f"Geen leesbaar voorbeeld van {event}; bekende namen: complete, smallest.",
                en=f"No readable example of {event}; known names: complete, smallest.",
            )
        ) from error
    return found if isinstance(found, dict) else {}


def _show_faults(file: Path, faults: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        write_json({"ok": not faults, "found": faults})
    else:
        for one in faults:
            sys.stdout.write(f"{file}:{one['line']}: {one['field']}: {one['text'][language()]}\n")
        sys.stdout.write(say(f"{len(faults)} fouten.", f"{len(faults)} faults.") + "\n")
    if faults:
        raise typer.Exit(1)
