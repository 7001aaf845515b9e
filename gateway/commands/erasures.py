"""`schakel subject erase|erasures|report|confirm|verify`: erasing the own data about one person."""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from gateway.commands.hub_place import find
from gateway.commands.json_output import write_json
from gateway.commands.options import (  # noqa: TC001 - typer reads the annotations
    AsJson,
    Credentials,
    Data,
    DryRun,
    Hub,
)
from gateway.commands.session import Session
from gateway.errors import FormIncomplete
from schemas import erasure_report
from schemas.cli import language
from schemas.errors import InvalidProof, Message
from schemas.tree_head import PublicKeys

OrderId = Annotated[
    str, typer.Argument(help="Id of the order, or of the subject.erased that told of it.")
]


def erase(
    *,
    case: Annotated[str | None, typer.Option(help="A case of the person: trajectory id.")] = None,
    own_number: Annotated[str | None, typer.Option(help="Your own number of a case.")] = None,
    reference: Annotated[str | None, typer.Option(help="Your `subjectref` of the person.")] = None,
    ground: Annotated[str, typer.Option(help="Code of the legal ground, such as gdpr_17_1_a.")],
    reason: Annotated[str, typer.Option(help="For the audit line; no name and no number.")],
    key: Annotated[str | None, typer.Option(help="Idempotency-Key, to repeat a call.")] = None,
    dry_run: DryRun = False,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
    as_json: AsJson = False,
) -> None:
    """Order the erasure of your organisation's data about one person; it cannot be undone."""
    names = {"trajectory_id": case, "sourcerecordid": own_number, "subjectref": reference}
    body: dict[str, str] = {name: value for name, value in names.items() if value is not None}
    if len(body) != 1:
        raise FormIncomplete(
            Message(
                nl="Geef één van --case, --own-number en --reference.",
                en="Give one of --case, --own-number and --reference.",
            )
        )
    body |= {"legal_ground": ground, "reason": reason}
    query = {"dry_run": "true"} if dry_run else {}
    with Session(find(data, hub, credentials), language()) as session:
        found = session.create("/v1/erasures", body, key or str(uuid.uuid4()), **query)
    _write(found, as_json=as_json)


def erasures(
    *,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
    as_json: AsJson = False,
) -> None:
    """List what your organisation ordered, and what it has to confirm."""
    with Session(find(data, hub, credentials), language()) as session:
        found = session.get("/v1/erasures")
    if as_json:
        write_json(found)
        return
    spoken = language()
    table = Table(box=None)
    headings = (
        Message("opdracht", "order"),
        Message("stand", "state"),
        Message("grond", "ground"),
        Message("bevestigd", "confirmed"),
    )
    for heading in headings:
        table.add_column(heading.text(spoken), no_wrap=True)
    for one in found["ordered"]:
        confirmed = sum(told["confirmed_at"] is not None for told in one["told"])
        count = f"{confirmed}/{len(one['told'])}"
        table.add_row(one["erasure_id"], one["stage"], one["legal_ground"], count)
    asked = Message("te bevestigen", "to confirm").text(spoken)
    for one in found["to_confirm"]:
        table.add_row(one["erasure_id"], asked, one["legal_ground"], one["confirmed_at"] or "-")
    Console().print(table)


def report(
    order_id: Annotated[str, typer.Argument(help="Id of your own order.")],
    *,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
    as_json: AsJson = False,
) -> None:
    """Show the signed report; keep the one from --json, which `schakel subject verify` checks."""
    with Session(find(data, hub, credentials), language()) as session:
        found = session.get(f"/v1/erasures/{order_id}/report")
    _write(found, as_json=as_json)


def confirm(
    order_id: OrderId,
    *,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
    as_json: AsJson = False,
) -> None:
    """Confirm that you erased your own copies of what another organisation had erased."""
    with Session(find(data, hub, credentials), language()) as session:
        path = f"/v1/erasures/{order_id}/receipts"
        found = session.create(path, {"erased": True}, str(uuid.uuid4()))
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        label = Message("Bevestigd op", "Confirmed at").text(language())
        typer.echo(f"{label} {found['confirmed_at']}")


def verify(
    file: Annotated[Path, typer.Argument(help="Report from `schakel subject report --json`.")],
    *,
    key: Annotated[Path, typer.Option(help="The hub's public key, from `events record-key`.")],
    as_json: AsJson = False,
) -> None:
    """Check a report offline: exit 1 when it is not what the hub signed."""
    try:
        document, keys = json.loads(file.read_text("utf-8")), json.loads(key.read_text("utf-8"))
        signature = document.pop("signature")
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise _unreadable() from error
    if PublicKeys(keys).read_document(erasure_report.TYPE, signature) != document:
        raise InvalidProof(
            Message(
                nl="Het verslag is niet wat de hub ondertekende.",
                en="The report is not what the hub signed.",
            ),
            facts={"reason": "content"},
        )
    _write(document, as_json=as_json)


def _write(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        write_json(found)
        return
    sys.stdout.write(erasure_report.text(found)[language()] + "\n")


def _unreadable() -> InvalidProof:
    return InvalidProof(
        Message(
            nl="Het verslag of de sleutel is niet leesbaar.",
            en="The report or the key cannot be read.",
        ),
        facts={"reason": "file"},
    )
