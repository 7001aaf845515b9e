"""`schakel subject access`: who saw what of a person's case and why, to be told to the person."""

from __future__ import annotations

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
    Hub,
)
from gateway.commands.session import Session
from gateway.errors import NothingFound
from schemas.cli import language
from schemas.errors import Message

_HEADINGS = (
    Message(nl="wanneer", en="when"),
    Message(nl="wie", en="who"),
    Message(nl="wat", en="what"),
    Message(nl="waarom", en="why"),
    Message(nl="overeenkomst", en="agreement"),
    Message(nl="velden", en="fields"),
)
_NOBODY = Message(nl="Niemand kreeg iets van dit dossier.", en="Nobody was given anything of it.")


def access(
    case: Annotated[str, typer.Argument(help="Trajectory id; your own number with --own-number.")],
    *,
    own_number: Annotated[
        bool, typer.Option("--own-number", help="The case is named by your own number.")
    ] = False,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
    as_json: AsJson = False,
) -> None:
    """Tell who saw what of a case you hold, and why; the hub keeps a line of your asking."""
    spoken = language()
    with Session(find(data, hub, credentials), spoken) as session:
        cases = _numbered(session, case) if own_number else [case]
        answers = [session.get(f"/v1/trajectories/{one}/disclosures") for one in cases]
    if as_json:
        write_json(answers)
        return
    for answer in answers:
        _tell(answer, spoken)


def _numbered(session: Session, number: str) -> list[str]:
    """The cases of an own number.

    Raises:
        NothingFound: the caller has none.
    """
    found = session.get("/v1/trajectories", sourcerecordid=number)["trajectories"]
    if not found:
        raise NothingFound(
            Message(nl="U hebt geen dossier met dat nummer.", en="You have no case of that number.")
        )
    return [one["trajectory_id"] for one in found]


def _tell(answer: dict[str, Any], spoken: str) -> None:
    console = Console()
    console.print(f"{answer['trajectory_id']}, {answer['asked_at']}\n")
    if not answer["lines"]:
        console.print(_NOBODY.text(spoken))
    else:
        table = Table(box=None)
        for heading in _HEADINGS:
            table.add_column(heading.text(spoken))
        for one in answer["lines"]:
            table.add_row(*_row(one))
        console.print(table)
    console.print(f"\n{answer['note']}")


def _row(line: dict[str, Any]) -> list[str]:
    why = [one["label"] for one in (line["why"], line["legal_basis"]) if one is not None]
    return [
        line["when"][:16].replace("T", " "),
        line["who"]["name"],
        line["what"]["label"],
        ", ".join(why),
        line["agreement"] or "-",
        ", ".join(line["fields"]),
    ]
