"""`schakel evidence`: figures as a table, as JSON or as CSV, and what each of them counts."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

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
    from collections.abc import Iterable

app = typer.Typer(add_completion=False)

_SERIES = ("programme", "channel", "reason", "participant")
_HEADINGS = {
    "place": Message(nl="plaats", en="place"),
    "period": Message(nl="periode", en="period"),
    "programme": Message(nl="programma", en="programme"),
    "channel": Message(nl="kanaal", en="channel"),
    "reason": Message(nl="reden", en="reason"),
    "participant": Message(nl="partner", en="partner"),
    "number": Message(nl="aantal", en="number"),
    "remark": Message(nl="opmerking", en="remark"),
}
_BOUNDS = {None: "", "at_least": "≥ ", "at_most": "≤ "}
_RULES = Message(nl="Regels", en="Rules")


@app.command()
def evidence(
    indicator: Annotated[
        str | None, typer.Argument(help="Code; without it, all indicators are listed.")
    ] = None,
    *,
    first: Annotated[str | None, typer.Option("--from", help="First month, YYYY-MM.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last month, YYYY-MM.")] = None,
    by: Annotated[str | None, typer.Option(help="Such as quarter,municipality,programme.")] = None,
    nis: Annotated[str | None, typer.Option(help="One municipality.")] = None,
    programme: Annotated[str | None, typer.Option(help="One programme.")] = None,
    own: Annotated[bool | None, typer.Option(help="Own cases only.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV on standard output.")] = False,
    as_json: AsJson = False,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
) -> None:
    """Show the figures of one indicator, or list what can be asked."""
    spoken = language()
    with Session(find(data, hub, credentials), spoken) as session:
        if indicator is None:
            _list(session, as_json=as_json)
            return
        given = {"from": first, "to": last, "by": by, "nis": nis, "programme": programme}
        query = {name: value for name, value in given.items() if value is not None}
        if own is not None:
            query["own"] = str(own).lower()
        query["indicator"] = indicator
        if as_csv:
            sys.stdout.write(session.text("/v1/evidence", accept="text/csv", **query))
            return
        found = session.get("/v1/evidence", **query)
    if as_json:
        write_json(found)
    else:
        _draw(found, spoken)


def _list(session: Session, *, as_json: bool) -> None:
    found = session.get("/v1/evidence/indicators")
    if as_json:
        write_json(found)
        return
    table = Table(box=None, show_header=False)
    table.add_column(no_wrap=True)
    for one in found["indicators"]:
        table.add_row(one["code"], f"{one['title']} ({one['unit']}). {one['counted']}")
    Console().print(table)


def _draw(found: dict[str, Any], spoken: str) -> None:
    console, about = Console(), found["indicator"]
    console.print(f"{about['title']} ({about['unit']}), {found['from']} - {found['to']}")
    console.print(f"{about['counted']} {found['note']}\n")
    told = [name for name in _SERIES if any(name in one for one in found["cells"])]
    table = Table(box=None)
    for name in ("place", "period", *told, "number"):
        table.add_column(
            _HEADINGS[name].text(spoken), justify="right" if name == "number" else "left"
        )
    table.add_column(about["unit"], justify="right")
    table.add_column(_HEADINGS["remark"].text(spoken))
    for cell in found["cells"]:
        table.add_row(*row(cell, told))
    console.print(table)
    if found["rule_sets"]:
        console.print(f"\n{_RULES.text(spoken)}: {', '.join(found['rule_sets'])}")


def row(cell: dict[str, Any], told: Iterable[str]) -> list[str]:
    """One cell as the texts of a line."""
    period = cell["period"]
    span = (
        period["from"] if period["from"] == period["to"] else f"{period['from']} - {period['to']}"
    )
    value = "" if cell["value"] is None else f"{_BOUNDS[cell['bound']]}{cell['value']:g}"
    return [
        cell["place"]["name"],
        span,
        *(cell.get(name, {}).get("label", "") for name in told),
        "" if cell["number"] is None else str(cell["number"]),
        value,
        cell["remark"] or "",
    ]
