"""`GET /v1/records`, `schakel events records` and `schakel verify`, one after the other."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from sqlalchemy import text

from connectors.records import fetch_records
from consumers.database import Stores
from gateway.api import records as calls
from gateway.api.framework import refuse
from gateway.commands.hub_place import Place
from gateway.commands.records import Fetch, fetch_key
from gateway.commands.session import Session
from gateway.exchange.exchange_records import ExchangeRecords
from schemas.errors import InvalidProof, SchakelError
from schemas.record_checks import Checker, salts_from
from schemas.tree_head import PublicKeys
from tests.gateway.api import fakes
from tests.gateway.exchange.ledger_world import PERSON, desk, submission
from tests.gateway.exchange.sealed_tree import HUB, Tree, tree
from tests.hub_front import served
from tests.store_fixtures import migrated, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from schemas.leaf import Leaf
    from tests.gateway.exchange.ledger_world import Desk

OWN, OTHER = "partner-a", "partner-b"


@dataclass(frozen=True)
class Installation:
    """A ledger, its tree, and the calls over both."""

    desk: Desk
    grove: Tree
    key_store: str
    address: str

    def get(self, path: str, /, *, by: str = OWN, **query: Any) -> httpx.Response:
        """One call as a participant."""
        headers = {"authorization": f"Bearer {by}"}
        return httpx.get(self.address + path, params=query or None, headers=headers)

    def record(self, count: int, by: str = OWN) -> list[str]:
        """Accept and seal events of a participant, each with one of the hub's own; their ids."""
        outcomes = self.desk.publish(*(submission(of=by) for _ in range(count)))
        self.grove.seal()
        return [one.receipt.event_id for one in outcomes if one.receipt is not None]

    def session(self, participant: str = OWN) -> Session:
        """A command's way to it."""
        return Session(Place(self.address, {"client_id": participant, "client_secret": "s"}))

    def checker(self) -> Checker:
        """With nothing but the public key."""
        return Checker(PublicKeys(fetch_key(self.address)))


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Installation]:
    """An installation on SQLite."""
    stores = migrated(Stores.sqlite(tmp_path))
    with ExitStack() as stack:
        made = stack.enter_context(desk(stores, tmp_path))
        grove = stack.enter_context(tree(stores, tmp_path))
        records = ExchangeRecords(grove.reader, made.keys, grove.keys, HUB)
        verifier = fakes.ReadableTokens({OWN: "P", OTHER: "P", "hub": "A"})
        app = FastAPI()
        for kind in (SchakelError, RequestValidationError):
            app.add_exception_handler(kind, refuse)
        app.include_router(calls.router(records=records, verifier=verifier))

        @app.post("/oauth/token")
        def token(given: Annotated[HTTPBasicCredentials, Depends(HTTPBasic())]) -> dict[str, str]:
            return {"access_token": given.username}

        yield Installation(made, grove, stores.keys, stack.enter_context(served(app)))


def test_a_fetched_file_holds_and_carries_on_from_an_older_one(
    hub: Installation, tmp_path: Path
) -> None:
    """Page after page under one head, then what came since, each offline."""
    hub.record(3)
    hub.record(2, by=OTHER)
    old, new, whole = (tmp_path / name for name in ("old", "new", "whole"))
    checker = hub.checker()
    with hub.session() as session:
        Fetch(session).write(old)
        account = checker.check(_lines(old)).account
        hub.record(2)
        Fetch(session, account).write(new)
        Fetch(session).write(whole)
        since = checker.check_after(_lines(new), _lines(old))

    assert (account.count, account.tree_size, account.hub) == (3, 10, HUB)
    assert (since.records, since.account.count, since.grown_from) == (2, 5, 10)
    assert checker.check(_lines(whole)).records == 5


def test_a_partners_client_keeps_no_file_that_does_not_hold(
    hub: Installation, tmp_path: Path
) -> None:
    """It checks what came with the key it was given, and carries on from an older file."""
    hub.record(3)
    old, new, forged = (tmp_path / name for name in ("old", "new", "forged"))
    key = fetch_key(hub.address)
    with hub.session() as session:
        first = fetch_records(session.get, old, key, None)
        hub.record(2)
        since = fetch_records(session.get, new, key, old)

        def dropping(path: str, **parameters: str | int) -> dict[str, Any]:
            page = session.get(path, **parameters)
            if "records" in page:
                del page["records"][1]
            return page

        with pytest.raises(InvalidProof):
            fetch_records(dropping, forged, key, None)
        with pytest.raises(InvalidProof):
            fetch_records(session.get, forged, {"keys": []}, None)

    assert (first.records, since.records, since.grown_from) == (3, 2, first.account.tree_size)
    assert not forged.exists()


def test_pages_stay_under_the_head_of_the_first(hub: Installation) -> None:
    """Whatever is sealed meanwhile comes with the next account."""
    hub.record(3)
    first = hub.get("/v1/records", limit=2).json()
    hub.record(2)
    second = hub.get("/v1/records", limit=2, after=first["next"]).json()

    assert [len(one["records"]) for one in (first, second)] == [2, 1]
    assert (second["head"], second["next"]) == (first["head"], None)
    assert hub.get("/v1/records").json()["tree_size"] == 10


def test_salts_open_what_the_records_commit_to(hub: Installation, tmp_path: Path) -> None:
    """The file of salts belongs to the events as they were sent; without asking there is none."""
    sent = submission(sender_event_id="own-1", data={"programme": "wijk_werken", "person": PERSON})
    hub.desk.publish(sent)
    hub.grove.seal()
    out, kept = tmp_path / "records", tmp_path / "salts"
    with hub.session() as session:
        Fetch(session).write(out, kept)
    leaves: list[Leaf] = []
    hub.checker().check(_lines(out), see=leaves.append)
    salt = salts_from(_lines(kept))["own-1"]

    assert leaves[0].event_id == salt.event_id
    assert leaves[0].commits_to(salt.salt, sent.canonical)
    assert not leaves[0].commits_to(salt.salt, sent.canonical + b" ")
    assert "salt" not in hub.get("/v1/records").json()["records"][0]
    assert PERSON["family_name"] not in out.read_text() + kept.read_text()


def test_erasure_takes_the_salts_and_leaves_the_proof(hub: Installation, tmp_path: Path) -> None:
    """Without its key nothing opens the commitment; the record is proven as before."""
    hub.desk.publish(submission(data={"programme": "wijk_werken", "person": PERSON}))
    hub.grove.seal()
    with opened(hub.key_store) as keys, keys.begin() as connection:
        connection.execute(text("delete from data_keys"))
    hub.desk.keys.forget_cached()
    out, kept = tmp_path / "records", tmp_path / "salts"
    with hub.session() as session:
        Fetch(session).write(out, kept)

    assert hub.checker().check(_lines(out)).records == 1
    assert kept.read_bytes() == b""


def test_a_ledger_row_that_was_rewritten_no_longer_verifies(
    hub: Installation, tmp_path: Path
) -> None:
    """Whoever changes the record of what was accepted cannot change what was signed."""
    (event_id, _) = hub.record(2)
    with hub.grove.engine.begin() as connection:
        connection.execute(
            text("update ledger set recorded_at = recorded_at - 1 where event_id = :id"),
            {"id": event_id},
        )
    with hub.session() as session:
        Fetch(session).write(tmp_path / "records")

    with pytest.raises(InvalidProof) as caught:
        hub.checker().check(_lines(tmp_path / "records"))
    assert caught.value.facts["reason"] == "inclusion"


def test_a_record_of_another_looks_like_one_that_does_not_exist(hub: Installation) -> None:
    """Whose it is shows nowhere: same status, code and sentence, and the list has own ones only."""
    (foreign,) = hub.record(1, by=OTHER)
    (own,) = hub.record(1)
    answers = [hub.get(f"/v1/records/{one}") for one in (foreign, "0190-none", "a" * 64)]
    told = [{**one.json(), "instance": None, "traceId": None} for one in answers]
    listed = hub.get("/v1/records").json()["records"]

    assert hub.get("/v1/records/%00").status_code == 400
    assert hub.get(f"/v1/records/{own}").json()["record"]["record"]["leaf"]["event_id"] == own
    assert {one.status_code for one in answers} == {404}
    assert all(one == told[0] for one in told)
    assert [one["record"]["leaf"]["event_id"] for one in listed] == [own]
    assert hub.get(f"/v1/records/{foreign}", by=OTHER).status_code == 200


def test_an_auditor_reads_anybodys_records_and_the_hubs_own(
    hub: Installation, tmp_path: Path
) -> None:
    """Without salts; a partner is refused whether or not there is such a participant."""
    hub.record(2)
    auditor = "hub+sj_audit"
    with hub.session(auditor) as session:
        Fetch(session, participant="hub").write(tmp_path / "hub")
        Fetch(session, participant=OWN).write(tmp_path / "own")
    salts = hub.get("/v1/records", by=auditor, participant=OWN, salts="true")
    refused = [hub.get("/v1/records", participant=one) for one in (OTHER, "nobody")]

    for name, participant in (("hub", "hub"), ("own", OWN)):
        checked = hub.checker().check(_lines(tmp_path / name))
        assert (checked.account.participant, checked.records) == (participant, 2)
    assert salts.status_code == 400
    assert [(one.status_code, one.json()["code"]) for one in refused] == [
        (403, "missing_scope")
    ] * 2
    assert hub.get("/v1/records", participant=OWN).status_code == 200


def test_a_cursor_counts_for_the_participant_that_got_it(hub: Installation) -> None:
    """Somebody else's, a broken one and one of an unsigned size are refused."""
    hub.record(2)
    cursor = hub.get("/v1/records", limit=1).json()["next"]
    unsigned = calls.Cursor(1, 0, 3).encoded(OWN)

    assert hub.get("/v1/records", after=cursor).status_code == 200
    assert hub.get("/v1/records", by=OTHER, after=cursor).json()["code"] == "cursor_invalid"
    assert hub.get("/v1/records", after="!" + cursor[1:]).json()["code"] == "cursor_invalid"
    assert hub.get("/v1/records", after=unsigned).status_code == 404


def test_growth_is_proven_between_signed_sizes_only(hub: Installation) -> None:
    """From any size to one that was signed, never backwards or beyond."""
    hub.record(2)
    hub.record(1)

    assert hub.get("/v1/records/consistency?from=3&to=6").json()["path"]
    assert hub.get("/v1/records/consistency?from=3&to=5").status_code == 404
    assert hub.get("/v1/records/consistency?from=3&to=7").status_code == 404
    wrong = hub.get("/v1/records/consistency?from=4&to=3")
    assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid_parameter")
    assert hub.get("/v1/records/head").json()["tree_size"] == 6


def test_before_the_first_head_there_is_nothing_to_prove(hub: Installation) -> None:
    """The key is there from the start, and needs no token; everything else does."""
    assert fetch_key(hub.address)["keys"]
    for path in ("/v1/records", "/v1/records/head", "/v1/records/some-id"):
        assert hub.get(path).status_code == 404
        assert httpx.get(hub.address + path).status_code == 401


def test_a_participant_without_records_gets_an_account_that_says_so(
    hub: Installation, tmp_path: Path
) -> None:
    """Also one that asks for what comes after all there is."""
    hub.record(1)
    with hub.session("hub") as admin, hub.session(OTHER) as other:
        Fetch(other).write(tmp_path / "none")
        Fetch(admin).write(tmp_path / "hub")
    none = hub.checker().check(_lines(tmp_path / "none"))

    assert (none.records, none.account.participant) == (0, OTHER)
    assert hub.checker().check(_lines(tmp_path / "hub")).records == 1
    assert hub.get("/v1/records?from=9").json()["records"] == []


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def test_the_calls_of_the_file_are_json(hub: Installation) -> None:
    """Each record stands in an answer as in a line of the file, beside the sender's own id."""
    hub.record(1)
    (one,) = hub.get("/v1/records", salts="true").json()["records"]

    assert set(one) == {"id", "record", "salt"}
    assert set(one["record"]) == {"index", "leaf", "path"}
    assert json.dumps(one)
