"""`GET /v1/stopped`: administrators see all that is stopped, a participant hardly more than why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi import FastAPI

from consumers import inbox
from consumers.clock import FixedClock
from consumers.disclosures import Disclosure, disclose
from consumers.inbox import InboxRow
from gateway.api import stopped as calls
from gateway.api.framework import refuse
from schemas.errors import SchakelError
from tests.gateway.api import fakes
from tests.gateway.api.parties import PARTNER, roles
from tests.gateway.exchange import cast
from tests.hub_front import served
from tests.store_fixtures import migrate, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OTHER = cast.RELATED["W"]
ADMIN, READER = f"{OTHER}+sj_admin", f"{PARTNER}+sj_feed_read"


def row(participant: str, event_id: str, leg: str | None) -> InboxRow:
    """A withdrawn referral in an inbox."""
    return InboxRow(
        participant, event_id, "referral.withdrawn", "case-1", None, ("target",), "24107",
        "wijk_werken", False, 1, leg,
    )  # fmt: skip


def disclosed(event_id: str, door: str) -> Disclosure:
    """A line that says that it was handed to the other."""
    return Disclosure(
        event_id, OTHER, door, 0, 1, "referral.withdrawn", "ocmw", "urn:o", None, "case-1",
        None, None, None, None, None, "",
    )  # fmt: skip


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    """The route over inboxes in which six rows are stopped, two of them after they had left."""
    url = f"sqlite:///{tmp_path / 'consumers.db'}"
    migrate(url, "consumers")
    with opened(url) as engine:
        with engine.begin() as connection:
            rows = [
                row(PARTNER, "e-1", "objection"),
                row(PARTNER, "e-2", None),
                row(PARTNER, "e-3", "agreement"),
                row(OTHER, "e-1", "objection"),
                row(OTHER, "e-4", "membership_ended"),
                row(OTHER, "e-5", "unpublishable"),
                row(OTHER, "e-6", "unpublishable"),
            ]
            inbox.append(connection, rows, now=2)
            doors = [("e-4", "feed"), ("e-5", "kafka"), ("e-6", "kafka"), ("e-6", "feed")]
            disclose(connection, [disclosed(*one) for one in doors])
        app = FastAPI()
        app.add_exception_handler(SchakelError, refuse)
        verifier = fakes.ReadableTokens(roles())
        app.include_router(calls.router(reader=engine, clock=FixedClock(), verifier=verifier))
        with served(app) as address, httpx.Client(base_url=address) as client:
            yield client


def read(client: httpx.Client, who: str, query: str = "") -> Any:
    """What somebody is answered."""
    answer = client.get(f"/v1/stopped{query}", headers={"authorization": f"Bearer {who}"})
    assert answer.status_code == 200, answer.text
    return answer.json()


def legs(answer: Any) -> list[tuple[str, str]]:
    """Event and leg of each."""
    return [(one["event_id"], one["leg"]) for one in answer["stopped"]]


def test_an_administrator_sees_what_is_stopped_for_everybody(client: httpx.Client) -> None:
    """By participant, with kind and reason in two languages; what has left is not among it.

    What Kafka does not take was disclosed to be written there, and never was.
    """
    found = read(client, ADMIN)

    mine = [("e-1", "objection"), ("e-3", "agreement")]
    assert legs(found) == [*mine, ("e-1", "objection"), ("e-5", "unpublishable")]
    assert found["stopped"][0]["participant"] == PARTNER
    assert found["stopped"][0]["type"] == "referral.withdrawn"
    assert found["stopped"][0]["why"]["nl"] == "De persoon maakt bezwaar tegen deze verwerking."
    assert found["next"] is None


def test_an_administrator_asks_for_one_inbox_or_one_leg(client: httpx.Client) -> None:
    """Both narrow the list."""
    theirs = [("e-1", "objection"), ("e-5", "unpublishable")]
    assert legs(read(client, ADMIN, f"?participant={OTHER}")) == theirs
    assert legs(read(client, ADMIN, "?leg=agreement")) == [("e-3", "agreement")]


def test_pages_follow_each_other(client: httpx.Client) -> None:
    """`next` of one page asks for the next, until there is none; a page may hold fewer."""
    found, after = [], ""
    while True:
        page = read(client, ADMIN, f"?limit=1{after}")
        found += legs(page)
        if page["next"] is None:
            break
        after = f"&after={page['next']}"

    assert found == legs(read(client, ADMIN))


def test_a_participant_sees_its_own_and_hardly_more_than_why(client: httpx.Client) -> None:
    """Neither what kind of event it is nor who sent it, and nobody else's when it asks for that."""
    found = read(client, READER, f"?participant={OTHER}")

    assert legs(found) == [("e-1", "objection"), ("e-3", "agreement")]
    shown = {"event_id", "trajectory_id", "leg", "why", "routed_at"}
    assert all(one.keys() == shown for one in found["stopped"])


@pytest.mark.parametrize(
    ("who", "query", "code"),
    [
        (f"{PARTNER}+sj_referral_read", "", "missing_scope"),
        (ADMIN, "?leg=mood", "unknown_leg"),
        (ADMIN, "?after=nowhere", "cursor_invalid"),
    ],
)
def test_what_is_refused_says_why(client: httpx.Client, who: str, query: str, code: str) -> None:
    """Another scope, an unknown leg, a cursor that was never given out."""
    answer = client.get(f"/v1/stopped{query}", headers={"authorization": f"Bearer {who}"})
    problem = answer.json()

    assert answer.status_code in (400, 403)
    assert code in (problem["code"], *(one["code"] for one in problem.get("invalidParams", ())))


def test_without_a_token_nothing_is_told(client: httpx.Client) -> None:
    """Not even whether something is stopped."""
    assert client.get("/v1/stopped").status_code == 401
