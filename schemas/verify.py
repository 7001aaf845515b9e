"""`schakel verify`: check a file of exchange records offline, with the hub's public key alone."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from schemas.cli import language, say
from schemas.errors import InvalidProof, Message
from schemas.moments import to_rfc3339
from schemas.record_checks import Checked, Checker, Contents, salts_from
from schemas.tree_head import PublicKeys

if TYPE_CHECKING:
    from collections.abc import Iterator

app = typer.Typer(add_completion=False)

_Path = Annotated[Path, typer.Argument(help="File from `schakel events records`.")]


@app.command()
def verify(
    file: _Path,
    *,
    key: Annotated[Path, typer.Option(help="The hub's public key, from `events record-key`.")],
    older: Annotated[
        Path | None, typer.Option(help="An older file: check that the tree only grew since.")
    ] = None,
    events: Annotated[
        Path | None, typer.Option(help="Events as sent, one JSON a line: check their content.")
    ] = None,
    salts: Annotated[
        Path | None, typer.Option(help="Salts of those events, from `events records --salts`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Check a file of exchange records offline; exit 1 when anything in it does not hold."""
    checker = Checker(PublicKeys(_key(key)))
    contents = _contents(events, salts)
    see = contents.see if contents is not None else None
    if older is None:
        found = checker.check(lines_of(file), see=see)
    else:
        found = checker.check_after(lines_of(file), lines_of(older), see=see)
    compared = contents.finish() if contents is not None else 0
    if as_json:
        sys.stdout.write(json.dumps(_document(found, compared), indent=2) + "\n")
    else:
        sys.stdout.write(_told(found, compared).text(language()) + "\n")


def _document(found: Checked, compared: int) -> dict[str, Any]:
    account = found.account
    return {
        "holds": True,
        "hub": account.hub,
        "participant": account.participant,
        "first": account.first,
        "last": account.count,
        "records": found.records,
        "tree_size": account.tree_size,
        "root_hash": account.root_hash.hex(),
        "signed_at": to_rfc3339(account.timestamp),
        "grown_from": found.grown_from,
        "contents": compared,
    }


def _told(found: Checked, compared: int) -> Message:
    account = found.account
    signed = to_rfc3339(account.timestamp)
    which = f"{found.records} records" + (
        f" ({account.first}-{account.count})" if found.records else ""
    )
    nl = [
        f"Klopt: {which} van {account.participant}; geen is weg, bij, gewijzigd of verplaatst.",
        f"Getekend door {account.hub} op {signed}, boom van {account.tree_size} records.",
    ]
    en = [
        f"Holds: {which} of {account.participant}; none is gone, added, changed or moved.",
        f"Signed by {account.hub} at {signed}, a tree of {account.tree_size} records.",
    ]
    if found.grown_from is not None:
        nl.append(f"De boom begint met de oudere van {found.grown_from} records.")
        en.append(f"The tree begins with the older one of {found.grown_from} records.")
    if compared:
        nl.append(f"{compared} gebeurtenissen zijn wat hun record vastlegt.")
        en.append(f"{compared} events are what their records commit to.")
    return Message(nl="\n".join(nl), en="\n".join(en))


def _contents(events: Path | None, salts: Path | None) -> Contents | None:
    if (events is None) is not (salts is None):
        raise typer.BadParameter(
            say("--events en --salts horen samen", "--events and --salts go together")
        )
    if events is None or salts is None:
        return None
    return Contents(lines_of(events), salts_from(lines_of(salts)))


def _key(path: Path) -> Any:
    try:
        return orjson.loads(path.read_bytes())
    except OSError as error:
        raise _unreadable(path) from error
    except ValueError:
        return None  # `PublicKeys` says what to do


def lines_of(path: Path) -> Iterator[bytes]:
    """The lines of a file with their ends, lazily. Raises InvalidProof if it cannot be read."""
    try:
        with path.open("rb") as file:
            yield from file
    except OSError as error:
        raise _unreadable(path) from error


def _unreadable(path: Path) -> InvalidProof:
    return InvalidProof(
        Message(nl=f"{path} kan niet gelezen worden.", en=f"{path} cannot be read."),
        facts={"reason": "file"},
    )
