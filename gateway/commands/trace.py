"""`schakel trace ID`: the whole way of an event or a trajectory, and who did not get it and why.

ID is an event id, a trajectory id, or the caller's own number for a case or an event. What is
shown is what the hub tells this client: the sender of an event sees every possible recipient.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console

from gateway.commands.hub_place import find
from gateway.commands.journey_drawing import draw_event, draw_trajectory
from gateway.commands.json_output import write_json
from gateway.commands.options import (  # noqa: TC001 - typer reads the annotations
    AsJson,
    Credentials,
    Data,
    Hub,
)
from gateway.commands.session import Session
from gateway.errors import NothingFound
from schemas.cli import language
from schemas.errors import Message
from schemas.identifiers import is_uuid

app = typer.Typer(add_completion=False)


@app.command()
def trace(
    wanted: Annotated[
        str, typer.Argument(metavar="ID", help="Event id, trajectory id or your own number.")
    ],
    *,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
    as_json: AsJson = False,
) -> None:
    """Draw the way of one event, or of every event of one trajectory."""
    spoken = language()
    with Session(find(data, hub, credentials), spoken) as session:
        found = look_up(session, wanted)
    if as_json:
        write_json(found)
        return
    console = Console()
    if "events" in found:
        console.print(draw_trajectory(found["trajectory_id"], found["events"], spoken))
    else:
        console.print(draw_event(found, spoken))


def look_up(session: Session, wanted: str) -> dict[str, Any]:
    """The journey document of an event, or `trajectory_id` and `events` of a trajectory.

    Raises:
        NothingFound: the hub knows no such thing for this client.
    """
    if not is_uuid(wanted):
        # As a query, so that a number of a case never stands in a path.
        cases = session.get("/v1/trajectories", sourcerecordid=wanted).get("trajectories", [])
        if cases:
            return _trajectory(session, str(cases[0]["trajectory_id"])) or _nothing()
    event = session.find(f"/v1/events/{wanted}")
    if event is not None:
        return event
    return (_trajectory(session, wanted) if is_uuid(wanted) else None) or _nothing()


def _trajectory(session: Session, trajectory_id: str) -> dict[str, Any] | None:
    case = session.find(f"/v1/trajectories/{trajectory_id}")
    if case is None:
        return None
    found = (session.find(f"/v1/events/{one['event_id']}") for one in case.get("timeline", ()))
    events = [one for one in found if one is not None]
    return {"trajectory_id": trajectory_id, "state": case.get("state"), "events": events}


def _nothing() -> dict[str, Any]:
    # Without what was asked for: it may be a partner's own number of a person.
    raise NothingFound(
        Message(
            nl="Geen gebeurtenis, traject of eigen nummer met die naam voor deze client.",
            en="No event, trajectory or own number of that name for this client.",
        )
    )
