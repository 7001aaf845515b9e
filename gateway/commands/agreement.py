"""`schakel agreement`: write, check, try, sign, compare and end what organisations share.

`new`, `key` and `check` need no hub. What is signed is the hash of the document that this machine
read, never one that the hub names; the private key stays in its file.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table

from gateway.commands.administrator import Administrator
from gateway.commands.agreement_check import check
from gateway.commands.agreement_file import document_of, key_of, template, text_of
from gateway.commands.agreement_text import show_agreement, show_grants
from gateway.commands.asking import confirm
from gateway.commands.credentials_file import credentials_file
from gateway.commands.hub_place import find
from gateway.commands.json_output import write_json
from gateway.commands.options import (  # noqa: TC001 - typer reads the annotations
    AsJson,
    Credentials,
    Data,
    Hub,
    Yes,
)
from gateway.exchange.agreement_statement import Statement
from gateway.exchange.agreement_statement import sign as signature_of
from gateway.exchange.credentials import new_private_jwk, public_part
from schemas.agreement import document_hash, parse_agreement
from schemas.agreement_diff import differences
from schemas.cli import language, say
from schemas.identifiers import organisation_urn

app = typer.Typer(add_completion=False, no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="The agreement's id.")]
KeyFile = Annotated[Path, typer.Option("--key", help="Key file of your organisation.")]
Out = Annotated[Path | None, typer.Option("--out", help="The file to write.")]
Reason = Annotated[
    str | None, typer.Option(help="Code of the list agreement_reason: schakel schemas codes.")
]
CALLS = "/v1/agreements"
STANDING = frozenset({"proposed", "active"})


@app.callback()
def agreement() -> None:
    """Agreements between organisations: what each lets the others see."""


@app.command()
def new(
    agreement_id: Id,
    *,
    party: Annotated[list[str], typer.Option(help="URN of a party; at least twice.")],
    out: Out = None,
) -> None:
    """Write a commented draft to change: to a file, or to standard output."""
    parties = [organisation_urn(one) for one in party]
    if len(parties) < 2:  # noqa: PLR2004 - an agreement is between two at least
        raise typer.BadParameter(
            say("geef --party minstens twee keer", "give --party at least twice")
        )
    text = template(agreement_id, parties)
    if out is None:
        sys.stdout.write(text)
        return
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise typer.BadParameter(f"{out}: {error.strerror}") from error
    told = say(f"{out} geschreven; volgende stap", f"{out} written; next")
    typer.echo(f"{told}: schakel agreement check {out}", err=True)


@app.command()
def key(
    organisation: Annotated[str, typer.Argument(help="URN of your organisation.")],
    *,
    out: Annotated[Path, typer.Option("--out", help="The key file; nobody else may read it.")],
) -> None:
    """Make the key that your organisation signs with, and print its public part.

    The operator puts what is printed under the organisation in the registry file.
    """
    urn, private = organisation_urn(organisation), new_private_jwk()
    if out.exists():
        raise typer.BadParameter(
            say(
                f"{out} bestaat al; een sleutel wordt nooit overschreven",
                f"{out} exists; a key is never written over",
            )
        )
    with credentials_file(out) as write:
        write({"organisation": urn, "private_key": private})
    entry = {"urn": urn, "keys": [{"jwk": public_part(private)}]}
    sys.stdout.write(json.dumps(entry, indent=2) + "\n")
    told = say(
        "geheim; geef wat hierboven staat aan de beheerder",
        "private; give what is printed above to the operator",
    )
    typer.echo(f"{out}: {told}", err=True)


app.command()(check)


@app.command()
def sign(
    what: Annotated[str, typer.Argument(help="A draft's file, or the id of a proposal.")],
    *,
    key_file: KeyFile,
    only_print: Annotated[
        bool, typer.Option("--print", help="Print the signature, send nothing.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
) -> None:
    """Accept an agreement for your organisation; a draft's file is proposed first."""
    urn, private = key_of(key_file)
    draft = _draft(what)
    if only_print:
        if draft is None:
            raise typer.BadParameter(
                say(
                    "--print vraagt het bestand van het document",
                    "--print needs the document's file",
                )
            )
        sys.stdout.write(_signed(draft, "accept", urn, private) + "\n")
        return
    with Administrator(find(data, hub, credentials), language()) as session:
        if draft is not None:
            session.post(CALLS, draft)
        else:
            draft = _document(session, what)
        if not yes:
            show_agreement(session.get(f"{CALLS}/{draft['agreement_id']}"), language())
            show_grants(draft, language())
            confirm(f"Tekenen voor {urn}?", f"Sign for {urn}?")
        found = _acted(session, draft, "accept", urn, private)
    _tell(found, as_json=as_json)
    if found["status"] not in STANDING:
        raise typer.Exit(1)  # accepted before, and over since


@app.command()
def reject(
    agreement_id: Id,
    *,
    key_file: KeyFile,
    reason: Reason = None,
    as_json: AsJson = False,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
) -> None:
    """Refuse a proposal for your organisation; it is over for every party."""
    urn, private = key_of(key_file)
    with Administrator(find(data, hub, credentials), language()) as session:
        document = _document(session, agreement_id)
        _tell(_acted(session, document, "reject", urn, private, reason), as_json=as_json)


@app.command()
def revoke(
    agreement_id: Id,
    *,
    key_file: KeyFile,
    reason: Reason = None,
    yes: Yes = False,
    as_json: AsJson = False,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
) -> None:
    """End an agreement for every party, for good; deliveries stop within two seconds."""
    urn, private = key_of(key_file)
    with Administrator(find(data, hub, credentials), language()) as session:
        document = _document(session, agreement_id)
        if not yes:
            confirm(f"{agreement_id} voorgoed opzeggen?", f"Revoke {agreement_id} for ever?")
        _tell(_acted(session, document, "revoke", urn, private, reason), as_json=as_json)


@app.command()
def show(
    agreement_id: Id,
    *,
    document: Annotated[
        bool, typer.Option("--document", help="The signed document itself, canonical.")
    ] = False,
    as_json: AsJson = False,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
) -> None:
    """Show an agreement of yours: its state, parties and signatures."""
    with Administrator(find(data, hub, credentials), language()) as session:
        if document:
            accept = "application/json"
            sys.stdout.write(session.text(f"{CALLS}/{agreement_id}/document", accept=accept) + "\n")
            return
        found = session.get(f"{CALLS}/{agreement_id}")
        signed = _document(session, agreement_id)
    _tell(found, as_json=as_json)
    if not as_json:
        show_grants(signed, language())


@app.command(name="list")
def list_agreements(
    *,
    status: Annotated[str | None, typer.Option(help="Only these, as proposed.")] = None,
    as_json: AsJson = False,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
) -> None:
    """List the agreements that your organisation is a party of."""
    query = {} if status is None else {"status": status}
    with Administrator(find(data, hub, credentials), language()) as session:
        found = session.get(CALLS, **query)
    if as_json:
        write_json(found)
        return
    titles = (
        say("stand", "status"),
        say("van", "from"),
        say("tot", "to"),
        say("partijen", "parties"),
    )
    table = Table(Column("id", no_wrap=True), *titles, box=None)
    for one in found["agreements"]:
        names = ", ".join(party["name"] or party["organisation"] for party in one["parties"])
        valid = one["validity"]
        table.add_row(one["agreement_id"], one["status"], valid["from"], valid["to"] or "", names)
    Console().print(table)


@app.command()
def diff(
    older: Annotated[str, typer.Argument(help="A file, or the id of an agreement of yours.")],
    newer: Annotated[str, typer.Argument(help="Likewise.")],
    *,
    as_json: AsJson = False,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
) -> None:
    """Say in words what the newer one adds, takes away and changes."""
    documents = []
    for named in (older, newer):
        document = _draft(named)
        if document is None:
            with Administrator(find(data, hub, credentials), language()) as session:
                document = _document(session, named)
        documents.append(parse_agreement(document))
    found = differences(*documents)
    if as_json:
        rows = [
            {"place": one.place, "kind": one.kind, "nl": one.said.nl, "en": one.said.en}
            for one in found
        ]
        write_json({"differences": rows})
        return
    for one in found:
        sys.stdout.write(f"{one.place}: {one.said.text(language())}\n")
    if not found:
        sys.stdout.write(say("Geen verschillen.", "No differences.") + "\n")


def _draft(what: str) -> dict[str, Any] | None:
    """The document of a file; None when there is no such file: then it is an id."""
    path = Path(what)
    return document_of(text_of(path)) if path.is_file() else None


def _document(session: Administrator, agreement_id: str) -> dict[str, Any]:
    """The document as the hub has it, read and hashed here."""
    text = session.text(f"{CALLS}/{agreement_id}/document", accept="application/json")
    return document_of(text)


def _signed(
    document: dict[str, Any],
    act: str,
    urn: str,
    private: dict[str, Any],
    reason: str | None = None,
) -> str:
    moment = time.time_ns() // 1000
    found = parse_agreement(document)
    statement = Statement(found.agreement_id, document_hash(document), act, urn, moment, reason)
    return signature_of(statement, private)


def _acted(  # noqa: PLR0917 - one act of one party, with its key
    session: Administrator,
    document: dict[str, Any],
    act: str,
    urn: str,
    private: dict[str, Any],
    reason: str | None = None,
) -> dict[str, Any]:
    jws = _signed(document, act, urn, private, reason)
    return session.post(f"{CALLS}/{document['agreement_id']}/{act}", {"jws": jws})


def _tell(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        write_json(found)
    else:
        show_agreement(found, language())
