"""`schakel client create|list|rotate|recover|revoke|token`: the OAuth clients of participants.

A client's key pair is made here and only its public part is sent, so the private key never leaves
the credentials file. Secrets exist in test installations only.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from consumers.database import open_engine
from gateway.bootstrap import ADMIN, ADMIN_FILE, credentials_of, renew_administrator
from gateway.commands.administrator import Administrator
from gateway.commands.asking import confirm
from gateway.commands.credentials_file import credentials_file
from gateway.commands.hub_here import hub_here
from gateway.commands.hub_place import Place, find
from gateway.commands.json_output import write_json
from gateway.commands.options import (  # noqa: TC001 - typer reads the annotations
    AsJson,
    Credentials,
    Data,
    Hub,
    Yes,
)
from gateway.exchange import audit
from gateway.exchange.credentials import new_private_jwk, new_secret, public_part
from gateway.exchange.registry_store import RegistryStore
from gateway.exchange.scopes import LABEL
from schemas.cli import language, say
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Callable

app = typer.Typer(add_completion=False, no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="The client's id.")]
Out = Annotated[
    Path | None, typer.Option("--out", help="Where the credentials go; ID.json here by default.")
]
Secret = Annotated[
    bool, typer.Option("--secret", help="A secret instead of a key; test installations only.")
]
HEADINGS = (
    Message("id", "id"),
    Message("deelnemer", "participant"),
    Message("bewijs", "auth"),
    Message("scopes", "scopes"),
    Message("stand", "status"),
)
STATUSES = {"active": Message("actief", "active"), "revoked": Message("ingetrokken", "revoked")}
SCOPE_HELP = f"A scope; repeat for more. There are:\n\n{', '.join(LABEL)}"


@app.callback()
def client() -> None:
    """The OAuth clients of participants."""


@app.command()
def create(
    client_id: Id,
    *,
    participant: Annotated[str, typer.Option(help="The participant it acts for.")],
    scope: Annotated[list[str], typer.Option(help=SCOPE_HELP)],
    name: Annotated[str, typer.Option(help="What people call it.")] = "",
    trusted_trace: Annotated[bool, typer.Option(help="Continue its traces.")] = False,
    secret: Secret = False,
    out: Out = None,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
) -> None:
    """Make a client and write its credentials file."""
    place = find(data, hub, credentials)
    wanted = {
        "id": client_id,
        "participant": participant,
        "scopes": scope,
        "name": name,
        "trusted_trace": trusted_trace,
    }
    path = out or Path(f"{client_id}.json")
    _prove(place, path, secret=secret, ask=lambda proof: ("/v1/clients", {**wanted, **proof}))


@app.command(name="list")
def list_clients(
    *,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
    as_json: AsJson = False,
) -> None:
    """Show the clients, without what proves them."""
    with Administrator(find(data, hub, credentials), language()) as session:
        found = session.get("/v1/clients")
    if as_json:
        write_json(found)
        return
    table = Table(*(one.text(language()) for one in HEADINGS), box=None)
    for one in found["clients"]:
        lacking = "" if one["credentials"] else say(", geen sleutel", ", no key")
        status = STATUSES[one["status"]].text(language()) + lacking
        table.add_row(one["id"], one["participant"], one["auth"], " ".join(one["scopes"]), status)
    Console().print(table)


@app.command()
def rotate(
    client_id: Id,
    *,
    overlap: Annotated[
        int, typer.Option(min=0, help="Seconds that the older key still counts.")
    ] = 86_400,
    secret: Secret = False,
    out: Out = None,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
) -> None:
    """Give a client a new key, or its first, and write its credentials file."""
    place = find(data, hub, credentials)
    path = out or Path(f"{client_id}.json")
    _prove(
        place,
        path,
        secret=secret,
        ask=lambda proof: (
            f"/v1/clients/{client_id}/rotate",
            {**proof, "overlap_seconds": overlap},
        ),
    )


@app.command()
def recover(
    *,
    out: Annotated[
        Path | None, typer.Option("--out", help="Where the credentials go; DATA/admin.json else.")
    ] = None,
    yes: Yes = False,
    data: Data = None,
) -> None:
    """Give the first administrator a new key, at the hub's own machine; its older keys end.

    For when its credentials file is lost. It needs no credentials, for it works on the stores
    themselves, also while no gateway runs; running gateways know within two seconds.
    """
    settings = hub_here(data)
    path = out or settings.data / ADMIN_FILE
    if not yes:
        confirm(
            f"De sleutel die {ADMIN} nu heeft eindigt; een nieuwe komt in {path}. Doorgaan?",
            f"The key that {ADMIN} has now ends; a new one is written to {path}. Go on?",
        )
    engine = open_engine(settings.stores.ledger)
    try:
        store = RegistryStore(engine, environment=settings.environment)
        with credentials_file(path) as write:
            key = renew_administrator(store, audit.OPERATOR)
            write(credentials_of(ADMIN, ADMIN, settings, key))
    finally:
        engine.dispose()
    typer.echo(f"{ADMIN}: {path}", err=True)


@app.command()
def revoke(
    client_id: Id,
    *,
    yes: Yes = False,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
) -> None:
    """Take a client back, for good; its tokens are refused within two seconds."""
    place = find(data, hub, credentials)
    if not yes:
        confirm(f"{client_id} voorgoed intrekken?", f"Revoke {client_id} for ever?")
    with Administrator(place, language()) as session:
        session.post(f"/v1/clients/{client_id}/revoke", {})
    typer.echo(f"{client_id}: {say('ingetrokken', 'revoked')}", err=True)


@app.command()
def token(
    *,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
) -> None:
    """Print a bearer token to try calls with; it lives five minutes. Test installations only."""
    with Administrator(find(data, hub, credentials), language()) as session:
        sys.stdout.write(session.token() + "\n")


def _prove(
    place: Place,
    path: Path,
    *,
    secret: bool,
    ask: Callable[[dict[str, Any]], tuple[str, dict[str, Any]]],
) -> None:
    """Make a key or secret, tell the hub, and keep it in the credentials file."""
    if secret:
        kept: dict[str, Any] = {"client_secret": new_secret()}
        proof: dict[str, Any] = {"secret": kept["client_secret"]}
    else:
        kept = {"private_key": new_private_jwk()}
        proof = {"jwk": public_part(kept["private_key"])}
    with Administrator(place, language()) as session, credentials_file(path) as write:
        where, body = ask(proof)
        issuer = str(session.get("/.well-known/oauth-authorization-server")["issuer"])
        made = session.post(where, body)
        write(
            {
                "client_id": made["id"],
                "participant": made["participant"],
                **kept,
                "issuer": issuer,
                "token_url": f"{issuer}/oauth/token",
                "gateway": place.url,
            }
        )
    typer.echo(f"{made['id']}: {path}", err=True)
