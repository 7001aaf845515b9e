"""`schakel registry apply`: change who takes part and what was agreed.

A file is planned first and the plan is shown; what is applied is that plan or nothing. Applying a
file twice changes nothing.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.commands.administrator import Administrator
from gateway.commands.asking import confirm
from gateway.commands.hub_place import find
from gateway.commands.options import (  # noqa: TC001 - typer reads the annotations
    AsJson,
    Credentials,
    Data,
    DryRun,
    Hub,
    Yes,
)
from gateway.exchange.registry_document import read_yaml
from schemas.cli import language, say
from schemas.errors import Message

app = typer.Typer(add_completion=False, no_args_is_help=True)

SIGNS = {"add": "+", "change": "~", "revoke": "-", "reinstate": "+"}
ACTIONS = {
    "add": Message("nieuw", "add"),
    "change": Message("wijzig", "change"),
    "revoke": Message("trek in", "revoke"),
    "reinstate": Message("herstel", "reinstate"),
}


@app.callback()
def registry() -> None:
    """Organisations, participants, clients and agreements."""


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="The registry file, YAML.")],
    *,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
) -> None:
    """Plan a registry file, show the plan, and apply it."""
    document = read_yaml(file)
    with Administrator(find(data, hub, credentials), language()) as session:
        plan = session.post("/v1/registry/plan", document)
        applied = False
        if not as_json:
            _show(plan)
        if plan["changes"] and not dry_run:
            if not yes:
                confirm("Toepassen?", "Apply?")
            wanted = {"document": document, "expected_version": plan["version"]}
            plan = session.post("/v1/registry/apply", wanted)
            applied = True
    if as_json:
        sys.stdout.write(json.dumps({**plan, "applied": applied}, indent=2) + "\n")
    elif applied:
        version = plan["version"]
        typer.echo(
            say(
                f"Toegepast; het register is aan versie {version}.",
                f"Applied; the registry is at version {version}.",
            ),
            err=True,
        )


def _show(plan: dict[str, Any]) -> None:
    """The plan, one change a line, and the clients that still need a key."""
    if not plan["changes"]:
        sys.stdout.write(say("Geen wijzigingen.", "No changes.") + "\n")
    for change in plan["changes"]:
        fields = f": {', '.join(change['fields'])}" if change["fields"] else ""
        sign, action = SIGNS[change["action"]], ACTIONS[change["action"]].text(language())
        sys.stdout.write(f"{sign} {action} {change['kind']} {change['id']}{fields}\n")
    for client_id in plan["clients_without_key"]:
        told = say(f"{client_id} heeft nog geen sleutel", f"{client_id} has no key yet")
        typer.echo(f"{told}: schakel client rotate {client_id}", err=True)
