"""`schakel events records` and `record-key`: fetch what `schakel verify` checks without the hub."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import httpx
import typer
from rich.console import Console

from gateway.commands.options import (  # noqa: TC001 - typer reads the annotations
    AsJson,
    Credentials,
    Data,
    Hub,
)
from gateway.commands.session import Session, address_of, answer_of, find, unreachable
from schemas.cli import language
from schemas.errors import Message
from schemas.merkle import hash_from
from schemas.record_checks import Checker
from schemas.record_file import Growth, Opening, record_from
from schemas.tree_head import Account, PublicKeys
from schemas.verify import lines_of

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = 500
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
            for number, page in enumerate(self._pages(with_salts=salts is not None)):
                if number == 0:
                    self._open(files[0], page)
                for one in page["records"]:
                    files[0].write(record_from(one["record"]).line())
                    if one.get("salt") is not None:
                        files[1].write(_salt_line(one))
        for path, part in parts:
            part.replace(path)

    def _pages(self, *, with_salts: bool) -> Iterator[dict[str, Any]]:
        query: dict[str, str | int] = {"limit": PAGE, "salts": str(with_salts).lower()}
        if self.participant is not None:
            query["participant"] = self.participant
        first: dict[str, str | int] = {}
        if self.older is not None:
            first = {"from": self.older.count + 1}
        page = self.session.get("/v1/records", **query, **first)
        yield page
        while page["next"] is not None:
            page = self.session.get("/v1/records", **query, after=page["next"])
            yield page

    def _open(self, file: BinaryIO, page: dict[str, Any]) -> None:
        file.write(Opening(page["account"], page["head"]).line())
        if self.older is None:
            return
        sizes: dict[str, str | int] = {"from": self.older.tree_size, "to": page["tree_size"]}
        found = self.session.get("/v1/records/consistency", **sizes)
        path = tuple(hash_from(one) for one in found["path"])
        file.write(Growth(self.older.tree_size, self.older.root_hash, path).line())


def _salt_line(one: dict[str, Any]) -> bytes:
    event_id = one["record"]["leaf"]["event_id"]
    return json.dumps({"id": one["id"], "event_id": event_id, "salt": one["salt"]}).encode() + b"\n"
