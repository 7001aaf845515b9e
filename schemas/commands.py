"""`schakel schemas`: look at the event catalogue, and check it before a change is published."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from schemas import avsc, guards
from schemas.asyncapi import as_yaml
from schemas.catalogue import catalogue
from schemas.cli import language, say
from schemas.codelists import code_list, code_lists
from schemas.diagrams import page
from schemas.indicators import reference
from schemas.publication import framed_records, publish, unpublished

if TYPE_CHECKING:
    from schemas.catalogue import EventType, Field

app = typer.Typer(
    no_args_is_help=True,
    help="Show and check the event catalogue.",
    add_completion=False,
)

LIFECYCLES = Path(__file__).parent / "lifecycles" / "README.md"
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@app.command("list")
def list_events(*, as_json: AsJson = False) -> None:
    """List every event type with its schema id."""
    events = catalogue().all()
    if as_json:
        _print_json([_summary(event) for event in events])
        return
    table = Table(box=None)
    table.add_column(say("gebeurtenis", "event"), no_wrap=True)
    for title in ("id", say("zender", "sent by"), say("wat ze zegt", "what it says")):
        table.add_column(title)
    for event in events:
        sender = "hub" if event.hub_only else say("deelnemer", "participant")
        table.add_row(event.name, str(event.schema_id), sender, event.label.text(language()))
    Console().print(table)


@app.command()
def codes(
    name: Annotated[str, typer.Argument(help="Such as decline_reason.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show the codes of one list, with what they mean."""
    found = code_list(name)
    if as_json:
        rows = [
            {"code": one.code, "nl": one.label.nl, "en": one.label.en}
            for one in found.codes.values()
        ]
        _print_json({"list": found.name, "version": found.version, "codes": rows})
        return
    table = Table("code", "nl", "en", title=f"{found.title.nl} / {found.title.en}", box=None)
    for one in found.codes.values():
        table.add_row(one.code, one.label.nl, one.label.en)
    Console().print(table)


@app.command()
def show(
    event: Annotated[str, typer.Argument(help="Such as referral.created.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show the fields of one event type: type, class and who may read each."""
    found = catalogue().event(event)
    if as_json:
        _print_json({**_summary(found), "fields": [_field(field) for field in found.fields]})
        return
    console = Console()
    label = found.label.text(language())
    console.print(f"{found.name} ({label}), schema {found.schema_id}\n{found.doc}\n")
    table = Table(box=None)
    table.add_column(say("veld (! verplicht)", "field (! required)"), no_wrap=True)
    for title in ("type", say("klasse en veldgroep", "class and set"), say("lezers", "readers")):
        table.add_column(title)
    for field in found.fields:
        name = f"{field.path}!" if field.required else field.path
        readers = " ".join(sorted(field.audience))
        table.add_row(name, field.type, f"{field.sensitivity} {field.fieldset}", readers)
    console.print(table)


@app.command()
def check(*, as_json: AsJson = False) -> None:
    """Check compatibility with everything ever published, safety and ids; exit 1 on a fault."""
    faults = _faults()
    if as_json:
        _print_json({"ok": not faults, "faults": faults})
    else:
        for fault in faults:
            typer.echo(f"{fault['record']}: {fault['message']}", err=True)
        count = len(framed_records())
        told = (
            f"{count} schema's, {len(faults)} fouten.",
            f"{count} schemas, {len(faults)} faults.",
        )
        typer.echo(say(*told))
    if faults:
        raise typer.Exit(1)


@app.command("publish")
def publish_schemas(*, as_json: AsJson = False) -> None:
    """Give an id to every new schema, in the source tree, after the same checks."""
    faults = [fault for fault in _faults() if fault["kind"] != "unpublished"]
    if faults:
        for fault in faults:
            typer.echo(f"{fault['record']}: {fault['message']}", err=True)
        raise typer.Exit(1)
    given = publish()
    if as_json:
        _print_json({"ids": list(given)})
    else:
        typer.echo(say(f"{len(given)} nieuwe schema-id's.", f"{len(given)} new schema ids."))


@app.command("indicators")
def show_indicators() -> None:
    """Print what the figures of the evidence count, as Markdown."""
    typer.echo(reference(), nl=False)


@app.command("asyncapi")
def describe_kafka(
    *,
    kafka: Annotated[str, typer.Option(help="host:port of Kafka for partners.")] = "HOST:9092",
    gateway: Annotated[str, typer.Option(help="Address of the gateway.")] = "https://HOST",
) -> None:
    """Print the AsyncAPI 3 document of what the hub sends over Kafka, as YAML."""
    sys.stdout.write(as_yaml(kafka, gateway).decode())


@app.command("diagrams")
def draw_diagrams(
    out: Annotated[Path, typer.Option(help="The page to write.")] = LIFECYCLES,
) -> None:
    """Draw the lifecycles from their tables, as Markdown with Mermaid."""
    out.write_text(page(), encoding="utf-8")
    typer.echo(say(f"{out} geschreven.", f"{out} written."))


def _faults() -> list[dict[str, Any]]:
    # Only maintainers and the hub have the checker's library; the other commands do without.
    from schemas.compatibility import check_published  # noqa: PLC0415

    code_lists()
    faults = [
        {"kind": "unpublished", "record": new.record, "message": "has no id: run publish"}
        for new in unpublished()
    ]
    for record, schema in framed_records().items():
        problems = check_published(record, schema)
        faults.extend({"kind": "incompatible", **asdict(problem)} for problem in problems)
        try:
            guards.check_schema(schema)
        except guards.UnsafeSchemaError as error:
            faults.append({"kind": "unsafe", "record": record, "message": str(error)})
    return faults


def _summary(event: EventType) -> dict[str, Any]:
    return {
        "event": event.name,
        "record": f"{avsc.NAMESPACE}.{event.record}",
        "schema_id": event.schema_id,
        "version": event.version,
        "aggregate": event.aggregate_type,
        "personal": event.personal,
        "topic": event.topic,
        "scope": event.scope,
        "hub_only": event.hub_only,
        "label": asdict(event.label),
        "doc": event.doc,
    }


def _field(field: Field) -> dict[str, Any]:
    return {**asdict(field), "audience": sorted(field.audience)}


def _print_json(document: Any) -> None:
    typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
