"""`schakel keys rotate-signing`: let the issuer sign tokens with its next key.

Unlike the rest of `schakel keys` it asks a running hub, as the administrator, so that the change
counts there at once and has a line that says who did it.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.commands.administrator import Administrator
from gateway.commands.asking import confirm
from gateway.commands.hub_place import find
from gateway.commands.options import (  # noqa: TC001 - typer reads the annotations
    AsJson,
    Credentials,
    Data,
    Hub,
    Yes,
)
from schemas.cli import language
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

Emergency = Annotated[
    bool,
    typer.Option("--emergency", help="The key is no longer trusted: refuse what it signed, now."),
]
ASKED = Message(
    nl="Alle tokens van nu worden geweigerd: elke partner vraagt er een nieuw. Doorgaan?",
    en="Every token of now will be refused: each partner asks for a new one. Go on?",
)
PLANNED = Message(
    nl="De hub tekent nu met {current}; tokens van de vorige sleutel blijven goed tot hun einde. "
    "Daarna komt {next}.",
    en="The hub now signs with {current}; tokens of the key before stay good until they end. "
    "After it comes {next}.",
)
EMERGENCY = Message(
    nl="De hub tekent nu met {current}. Wat de vorige sleutel tekende wordt geweigerd: binnen "
    "2 seconden aan elke gateway, binnen 30 door Kafka. Daarna komt {next}.",
    en="The hub now signs with {current}. What the key before signed is refused: within "
    "2 seconds at every gateway, within 30 by Kafka. After it comes {next}.",
)


def rotate_signing(
    *,
    emergency: Emergency = False,
    yes: Yes = False,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
    as_json: AsJson = False,
) -> None:
    """Sign tokens with the next key; partners notice nothing, unless it is an emergency."""
    place, spoken = find(data, hub, credentials), language()
    if emergency and not yes:
        confirm(ASKED.nl, ASKED.en)
    with Administrator(place, spoken) as session:
        found: Mapping[str, str] = session.post("/v1/signing-keys/rotate", {"emergency": emergency})
    if as_json:
        sys.stdout.write(json.dumps({**found, "emergency": emergency}) + "\n")
        return
    told = EMERGENCY if emergency else PLANNED
    typer.echo(told.text(spoken).format(**found))
