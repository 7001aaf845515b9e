"""`schakel audit`: who got what and why, for auditors with a reason and for each participant."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from gateway.commands.hub_place import find
from gateway.commands.json_output import write_json
from gateway.commands.options import (  # noqa: TC001 - typer reads the annotations
    AsJson,
    Credentials,
    Data,
    Hub,
)
from gateway.commands.session import Session
from schemas.cli import language
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

app = typer.Typer(add_completion=False, no_args_is_help=True)

From = Annotated[str, typer.Option("--from", help="First instant: 2026-03-01T00:00:00Z.")]
To = Annotated[str, typer.Option("--to", help="The instant after the last.")]
_PAGE, _OWN_PAGE = 1000, 500
_WHOLE = frozenset({"wanneer", "over_wie", "events", "copies"})
_HEADINGS = {
    "wanneer": Message(nl="wanneer", en="when"),
    "wie": Message(nl="wie", en="who"),
    "wat": Message(nl="wat", en="what"),
    "waarom": Message(nl="waarom", en="why"),
    "over_wie": Message(nl="over wie", en="about whom"),
    "producer": Message(nl="van", en="from"),
    "participant": Message(nl="aan", en="to"),
    "event": Message(nl="gebeurtenis", en="event"),
    "purpose": Message(nl="doel", en="purpose"),
    "events": Message(nl="gebeurtenissen", en="events"),
    "copies": Message(nl="keren", en="times"),
}


@app.callback()
def audit() -> None:
    """Look into the disclosure log."""


@app.command()
def disclosures(
    *,
    shape: Annotated[
        Literal["auditregister", "logboek"],
        typer.Option(help="The Flemish audit register, or the Dutch logboek dataverwerkingen."),
    ] = "auditregister",
    since: From,
    until: To,
    reason: Annotated[str, typer.Option(help="Why you look; it is logged with your name.")],
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
    as_json: AsJson = False,
) -> None:
    """Read who was given what about whom; asks for a reason, which is logged first.

    With --json one document a line, as the chosen shape has it, to be kept or sent on.
    """
    spoken = language()
    body = {"shape": shape, "from": since, "to": until, "reason": reason, "limit": _PAGE}
    with Session(find(data, hub, credentials), spoken) as session:
        found = _exported(session, body)
        if as_json or shape == "logboek":
            for one in found:
                sys.stdout.write(json.dumps(one, ensure_ascii=False) + "\n")
            return
        names = ("wanneer", "wie", "wat", "waarom", "over_wie")
        rows = (
            [
                one["wanneer"][:16].replace("T", " "),
                one["wie"],
                f"{one['wat']['gebeurtenis']} ({one['wat']['kanaal']})",
                one["waarom"]["doel"] or "",
                (one["over_wie"] or "")[:12],
            ]
            for one in found
        )
        _draw(names, rows, spoken)


@app.command()
def own(
    *,
    side: Annotated[
        Literal["received", "given"],
        typer.Option(help="What you were given, or what became of your events."),
    ] = "received",
    since: From,
    until: To,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
    as_json: AsJson = False,
) -> None:
    """Show what was given to you, or of yours, added up; with --json every line too."""
    spoken = language()
    query: dict[str, str | int] = {"side": side, "from": since, "to": until, "limit": _OWN_PAGE}
    with Session(find(data, hub, credentials), spoken) as session:
        page = session.get("/v1/disclosures", **query)
        if as_json:
            whole = dict(page)
            while page["next"] is not None:
                page = session.get("/v1/disclosures", **query, after=page["next"])
                whole["lines"] += page["lines"]
            del whole["next"]
            write_json(whole)
            return
    names = ("producer", "participant", "event", "purpose", "events", "copies")
    _draw(names, ([str(one[name] or "-") for name in names] for one in page["counts"]), spoken)


def _exported(session: Session, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    page = session.ask("/v1/audit/disclosures", body)
    yield from page["lines"]
    while page["next"] is not None:
        page = session.ask("/v1/audit/disclosures", {**body, "after": page["next"]})
        yield from page["lines"]


def _draw(names: Iterable[str], rows: Iterable[list[str]], spoken: str) -> None:
    table = Table(box=None)
    for name in names:
        # A time, a count or a reference that is cut off tells nothing; words may be folded.
        table.add_column(_HEADINGS[name].text(spoken), overflow="fold", no_wrap=name in _WHOLE)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
