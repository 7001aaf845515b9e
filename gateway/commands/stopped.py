"""`schakel events stopped`: what waits in inboxes and may not be handed over, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console, Group
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
    from collections.abc import Iterator

    from rich.console import RenderableType

HEADINGS = {
    "participant": Message(nl="deelnemer", en="participant"),
    "type": Message(nl="gebeurtenis", en="event"),
    "event_id": Message(nl="id", en="id"),
}
NOTHING = Message(nl="Niets wordt tegengehouden.", en="Nothing is stopped.")
ALL = 500


def stopped(
    *,
    participant: Annotated[str | None, typer.Option(help="One participant's inbox.")] = None,
    leg: Annotated[str | None, typer.Option(help="One reason, such as `agreement`.")] = None,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
    as_json: AsJson = False,
) -> None:
    """List what may not be handed over and why; an administrator sees every inbox."""
    spoken = language()
    query = {"leg": leg, "participant": participant}
    asked = {name: value for name, value in query.items() if value is not None}
    with Session(find(data, hub, credentials), spoken) as session:
        found = list(_pages(session, asked))
    if as_json:
        write_json(found)
    elif not found:
        Console().print(NOTHING.text(spoken))
    else:
        Console().print(drawn(found, spoken))


def _pages(session: Session, asked: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Every stopped row, page after page."""
    after: dict[str, str] = {}
    while True:
        page = session.get("/v1/stopped", limit=ALL, **asked, **after)
        yield from page["stopped"]
        if page["next"] is None:
            return
        after = {"after": page["next"]}


def drawn(found: list[dict[str, Any]], spoken: str) -> Group:
    """For each leg why, and what it stops; a participant has no column of what it does not see."""
    parts: list[RenderableType] = []
    for leg in dict.fromkeys(one["leg"] for one in found):
        some = [one for one in found if one["leg"] == leg]
        parts += [f"[bold]{leg}[/bold]  {some[0]['why'][spoken]}", _table(some, spoken)]
    return Group(*parts)


def _table(some: list[dict[str, Any]], spoken: str) -> Table:
    table = Table(box=None)
    names = [name for name in HEADINGS if name in some[0]]
    for name in names:
        table.add_column(HEADINGS[name].text(spoken), overflow="fold")
    for one in some:
        table.add_row(*(str(one[name]) for name in names))
    return table
