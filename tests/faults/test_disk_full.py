"""The disk of an SQLite hub is full, and has room again: nothing half-written, nothing to restart.

The limit that the system sets on the length of a process's files stands for the full disk: it
works anywhere, fails the same writes, and is lifted at once.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from connectors.errors import HubUnavailable
from tests.e2e.running_hub import OCMW, ORGANISER, referral
from tests.faults.lone_gateway import LoneGateway, lone_gateway, publish

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

MORE_THAN_THE_LOG_TAKES = 80
"""Refusals whose log lines are longer than a file may be."""
TABLES = ("ledger", "outbox", "trajectories", "subjects", "aggregates", "blind_index")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoneGateway]:
    """A gateway on SQLite."""
    with lone_gateway(tmp_path_factory.mktemp("hub") / "data") as made:
        yield made


@pytest.fixture
def sender(gateway: LoneGateway) -> Iterator[httpx.Client]:
    """A participant that publishes."""
    with gateway.client(OCMW) as client:
        yield client


def test_publishing_goes_on_once_there_is_room(gateway: LoneGateway, sender: httpx.Client) -> None:
    """503 while it is full, the same call then 201, and again 200: one row in the ledger."""
    assert publish(sender, referral(1)).status_code == 201
    event = referral(2)
    before = {table: gateway.rows(table) for table in TABLES}
    with gateway.no_file_may_grow():
        answers = [publish(sender, event) for _ in range(MORE_THAN_THE_LOG_TAKES)]
        assert "writer" in gateway.failing()
        assert before == {table: gateway.rows(table) for table in TABLES}
    again, once_more = publish(sender, event), publish(sender, event)

    assert {one.status_code for one in answers} == {503}
    assert {one.json()["code"] for one in answers} == {"ledger_unavailable"}
    assert all(int(one.headers["retry-after"]) >= 1 for one in answers)
    assert (again.status_code, once_more.status_code) == (201, 200)
    assert gateway.recorded(OCMW, [event["id"]]) == {event["id"]: 1}
    gateway.wait_until_ready()


def test_readiness_tells_although_nobody_publishes(gateway: LoneGateway) -> None:
    """Every store that cannot be written is named, though all can be read."""
    with gateway.no_file_may_grow():
        gateway.wait_until_failing(["ledger", "consumers", "keys"])
    assert gateway.failing() == []


def test_nothing_leaves_undisclosed(gateway: LoneGateway, sender: httpx.Client) -> None:
    """A page whose disclosure lines cannot be written is 503; with room it comes, noted once."""
    event_id = publish(sender, referral(3)).json()["event_id"]
    gateway.place(event_id)
    noted = f"select count(*) from disclosures where event_id = '{event_id}'"  # noqa: S608
    with gateway.client(ORGANISER) as reader:
        with gateway.no_file_may_grow():
            refused = reader.get("/v1/feed")
            streamed = reader.get("/v1/feed", headers={"accept": "application/x-ndjson"})
        assert gateway.number("consumers", noted) == 0
        page = reader.get("/v1/feed").json()

    for answer in (refused, streamed):
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "unavailable"
        assert int(answer.headers["retry-after"]) >= 1
    assert event_id in [one["id"] for one in page["events"]]
    assert gateway.number("consumers", noted) == 1


def test_no_token_without_a_note_of_the_assertion(gateway: LoneGateway) -> None:
    """An assertion counts once, so where that cannot be noted there is no token; then there is."""
    answers: list[httpx.Response] = []
    with gateway.no_file_may_grow(), pytest.raises(HubUnavailable):
        gateway.token(OCMW, answers)

    assert answers[-1].status_code == 503
    assert gateway.token(OCMW)


def test_the_files_are_whole_afterwards(gateway: LoneGateway) -> None:
    """SQLite finds nothing wrong in any of the stores."""
    for name in ("ledger", "keys", "consumers"):
        connection = sqlite3.connect(gateway.settings.data / f"{name}.db")
        assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
        connection.close()
