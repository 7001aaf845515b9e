"""`schakel subject`: what is done about one person: merge, rectify, object, lift, erase and more.

Most send the one event that they are named after, as the caller's own client; erasing is
an order, see `erasures.py`. The hub keeps a line of each for its auditors.
A person is named by a case, never by a number.
"""

from __future__ import annotations

import json
import sys
import time
import uuid
from typing import Annotated, Any

import typer

from gateway.commands import erasures
from gateway.commands.access import access
from gateway.commands.hub_place import find
from gateway.commands.json_output import write_json
from gateway.commands.options import (  # noqa: TC001 - typer reads the annotations
    AsJson,
    Credentials,
    Data,
    Hub,
)
from gateway.commands.session import Session
from gateway.errors import FormIncomplete
from schemas.cli import language
from schemas.envelope import event_type, participant_source
from schemas.errors import Message
from schemas.moments import to_rfc3339

app = typer.Typer(add_completion=False, no_args_is_help=True)

Case = Annotated[str, typer.Argument(help="Trajectory id.")]
Key = Annotated[
    str | None, typer.Option("--id", help="Your own id of this event, to repeat a call.")
]


Organisation = Annotated[
    str | None, typer.Option(help="Only data of, or deliveries to, this organisation (URN).")
]
Purpose = Annotated[str | None, typer.Option(help="Only this purpose.")]


@app.callback()
def subject() -> None:
    """What is done about one person, by a case of theirs."""


for _command in (
    erasures.erase,
    erasures.erasures,
    erasures.report,
    erasures.confirm,
    erasures.verify,
):
    app.command()(_command)


app.command()(access)


@app.command()
def merge(
    trajectory: Case,
    *,
    old_ref: Annotated[str, typer.Option(help="Your pseudonym of the one that goes.")],
    new_ref: Annotated[str, typer.Option(help="Your pseudonym of the one that stays.")],
    event_id: Key = None,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
    as_json: AsJson = False,
) -> None:
    """Say that two persons are one; your pseudonyms are in `subjectref` of what you received."""
    with Session(find(data, hub, credentials), language()) as session:
        said = {"old_ref": old_ref, "new_ref": new_ref}
        _told(_sent(session, "subject.merged", trajectory, said, event_id), as_json=as_json)


@app.command()
def rectify(
    trajectory: Case,
    *,
    event_id: Key = None,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
    as_json: AsJson = False,
) -> None:
    """Correct data of the person; everybody who had the old value gets the new one.

    The changed fields come as one JSON object on standard input, which keeps them out of the list
    of processes and the shell's history: {"person": {"phone": "+32 000 12 34 56"}}
    """
    changed = _object(sys.stdin.read())
    with Session(find(data, hub, credentials), language()) as session:
        answer = _sent(session, "subject.details_changed", trajectory, changed, event_id)
        _told(answer, as_json=as_json)


@app.command(name="object")
def objects(
    trajectory: Case,
    *,
    organisation: Organisation = None,
    purpose: Purpose = None,
    event_id: Key = None,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
    as_json: AsJson = False,
) -> None:
    """Note that the person objects; deliveries in scope are held at once."""
    scope = _scope(organisation, purpose)
    with Session(find(data, hub, credentials), language()) as session:
        name = "subject.objection_recorded"
        _told(_sent(session, name, trajectory, scope, event_id), as_json=as_json)


@app.command()
def lift(
    trajectory: Case,
    *,
    organisation: Organisation = None,
    purpose: Purpose = None,
    event_id: Key = None,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
    as_json: AsJson = False,
) -> None:
    """Note that the person takes an objection back, in the scope in which it was recorded."""
    scope = _scope(organisation, purpose)
    with Session(find(data, hub, credentials), language()) as session:
        name = "subject.objection_lifted"
        _told(_sent(session, name, trajectory, scope, event_id), as_json=as_json)


@app.command(name="withdraw-consent")
def withdraw_consent(
    trajectory: Case,
    *,
    organisation: Organisation = None,
    purpose: Purpose = None,
    event_id: Key = None,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
    as_json: AsJson = False,
) -> None:
    """Note that the person withdraws consent: what rests on it is held from now on."""
    scope = _scope(organisation, purpose)
    with Session(find(data, hub, credentials), language()) as session:
        name = "subject.consent_withdrawn"
        _told(_sent(session, name, trajectory, scope, event_id), as_json=as_json)


def _scope(organisation: str | None, purpose: str | None) -> dict[str, Any]:
    """Which processing it is about; nothing said is all of it."""
    given = {"organisation": organisation, "purpose": purpose}
    return {"scope": {name: value for name, value in given.items() if value is not None}}


def _sent(
    session: Session, name: str, trajectory: str, data: dict[str, Any], event_id: str | None
) -> dict[str, Any]:
    """The receipt of one event of the caller's; raises as `Session.publish`."""
    participant = str(session.get("/v1/me")["participant"])
    return session.publish(
        {
            "specversion": "1.0",
            "id": event_id or str(uuid.uuid4()),
            "source": participant_source(participant),
            "type": event_type(name),
            "time": to_rfc3339(time.time_ns() // 1000),
            "trajectoryid": trajectory,
            "data": data,
        }
    )


def _told(answer: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        write_json(answer)
        return
    label = Message("Vastgelegd als", "Recorded as").text(language())
    typer.echo(f"{label} {answer['event_id']}")


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if isinstance(found, dict) and found:
        return found
    raise FormIncomplete(
        Message(
            nl="Geef de gewijzigde velden als één JSON-object op de standaardinvoer.",
            en="Give the changed fields as one JSON object on standard input.",
        )
    )
