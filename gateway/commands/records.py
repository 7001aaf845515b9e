"""`schakel events records` and `record-key`: fetch what `schakel verify` checks without the hub."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import httpx
import typer
from rich.console import Console

from gateway.commands.hub_place import address_of, find
from gateway.commands.options import (  # noqa: TC001 - typer reads the annotations
    AsJson,
    Credentials,
    Data,
    Hub,
)
from gateway.commands.session import Session, answer_of, unreachable
from schemas.cli import language
from schemas.errors import Message
from schemas.record_checks import Checker
from schemas.record_pages import opening_lines, pages, record_lines
from schemas.tree_head import PublicKeys
from schemas.verify import lines_of

if TYPE_CHECKING:
    from schemas.tree_head import Account

KEY_PATH = "/v1/records/key"


def records(
    *,
    out: Annotated[Path, typer.Option(help="The file to write.")],
    since: Annotated[
        Path | None, typer.Option(help="An older file: fetch what came after it.")
    ] = None,
    salts: Annotated[
        Path | None, typer.Option(help="Also write the salts, to check the events themselves.")
    ] = None,
    participant: Annotated[
        str | None, typer.Option(help="Whose, for an auditor; `hub` for the hub's own.")
    ] = None,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
    as_json: AsJson = False,
) -> None:
    """Fetch your own exchange records with their proofs; `schakel verify` checks the file.

    A salt shows that an event is the one that was recorded: keep it no longer than the event.
    """
    spoken = language()
    with Session(find(data, hub, credentials), spoken) as session:
        keys = PublicKeys(session.get(KEY_PATH))
        older = Checker(keys).check(lines_of(since)).account if since is not None else None
        with Console(stderr=True).status(str(out)):
            Fetch(session, older, participant).write(out, salts)
    found = Checker(keys).check(lines_of(out))
    size = found.account.tree_size
    if as_json:
        summary = {"file": str(out), "records": found.records, "tree_size": size}
        sys.stdout.write(json.dumps(summary) + "\n")
        return
    told = Message(
        nl=f"{found.records} records in {out}, nagekeken onder een boom van {size}.",
        en=f"{found.records} records in {out}, checked under a tree of {size}.",
    )
    sys.stdout.write(told.text(spoken) + "\n")


def record_key(*, data: Data = None, hub: Hub = None) -> None:
    """Print the hub's public proof key; needs no credentials.

    Keep it where only you can change it, and compare it with what the hub's operator tells you.
    """
    sys.stdout.write(json.dumps(fetch_key(address_of(data, hub)), indent=2) + "\n")


def fetch_key(address: str, transport: httpx.BaseTransport | None = None) -> dict[str, Any]:
    """The JWK Set of a hub's proof keys.

    Raises:
        HubUnreachable: no answer.
        RefusedByHub: something else answers there.
    """
    with httpx.Client(base_url=address, transport=transport, timeout=10) as client:
        try:
            return answer_of(client.get(KEY_PATH))
        except httpx.HTTPError as error:
            raise unreachable(address) from error


@dataclass(frozen=True, slots=True)
class Fetch:
    """Fetches one file.

    Attributes:
        older: the account of the file that it carries on from.
        participant: whose; the session's own when None.
    """

    session: Session
    older: Account | None = None
    participant: str | None = None

    def write(self, out: Path, salts: Path | None = None) -> None:
        """Write the file, and the salts beside it; both get their names only when whole.

        Raises:
            RefusedByHub, HubUnreachable: as the session does; no file is changed then.
        """
        parts = [(path, path.with_name(f"{path.name}.part")) for path in (out, salts) if path]
        with ExitStack() as stack:
            files = [stack.enter_context(part.open("wb")) for _, part in parts]
            found = pages(
                self.session.get,
                older=self.older,
                participant=self.participant,
                salts=salts is not None,
            )
            for number, page in enumerate(found):
                if number == 0:
                    files[0].writelines(opening_lines(self.session.get, page, self.older))
                files[0].writelines(record_lines(page))
                for one in page["records"]:
                    if one.get("salt") is not None:
                        files[1].write(_salt_line(one))
        for path, part in parts:
            part.replace(path)


def _salt_line(one: dict[str, Any]) -> bytes:
    event_id = one["record"]["leaf"]["event_id"]
    return json.dumps({"id": one["id"], "event_id": event_id, "salt": one["salt"]}).encode() + b"\n"
