"""One of two gateways on a PostgreSQL is killed with kill -9: what it acknowledged is there, once.

Its clients do as they are told to: what was not answered they send again, to the other gateway.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from consumers.database import Stores
from consumers.wake import wakers
from gateway.exchange.drains import PostgresDrain
from gateway.exchange.relay import Relay
from tests.gateway.exchange.published_order import Findings, accepted_by, compare, ids_of
from tests.gateway.exchange.relaying import ScriptedLog
from tests.gateway.exchange.two_gateways import (
    Answer,
    Gateway,
    Hold,
    beginnings,
    contact,
    contacts,
    gateways,
    referral,
    until,
)
from tests.store_fixtures import migrated, opened

if TYPE_CHECKING:
    from pathlib import Path

BEFORE_THE_KILL = 12


@pytest.fixture
def stores(postgres_url: str) -> Stores:
    """An empty, migrated database."""
    return migrated(Stores.postgres(postgres_url))


def relayed(stores: Stores, folder: Path) -> tuple[set[str], Findings]:
    """The ids in the ledger, and what is wrong with what a relay makes of them."""
    listener = wakers(stores, folder).listener("relay")
    with opened(stores.ledger) as engine:
        log = ScriptedLog()
        relay = Relay(PostgresDrain(engine), log, listener, threading.Event())
        until(relay.drain.acquire)
        while relay.step():
            pass
        relay.drain.close()
        listener.close()
        accepted = accepted_by(engine)
        published = ids_of((one.topic, one.headers) for one in log.records)
        return {one.event_id for one in accepted}, compare(accepted, published)


def by_sender(gateway: Gateway) -> dict[str, Answer]:
    """The last answer to each event."""
    return {one.sent: one for one in gateway.answers}


def test_what_a_killed_gateway_acknowledged_is_there_once(
    stores: Stores, postgres_url: str, tmp_path: Path
) -> None:
    """It dies under load; the other goes on, and answers the repeated calls as repeats."""
    with gateways(postgres_url, tmp_path) as (killed, other):
        for name, gateway in (("a", killed), ("b", other)):
            gateway.publish(beginnings(name))
            gateway.finish()
        begun = len(killed.answers)
        sent = contacts("a")
        killed.publish(sent)
        other.publish(contacts("b"))
        killed.answered(begun + BEFORE_THE_KILL)
        killed.kill()
        acknowledged = by_sender(killed)
        assert killed.is_unfinished
        other.finish()
        other.publish(sent)
        other.finish()
        again = by_sender(other)

    in_ledger, findings = relayed(stores, tmp_path)
    told = [one for one in killed.answers + other.answers if one.status == "accepted"]
    assert {one.status for one in killed.answers + other.answers} == {"accepted", "duplicate"}
    assert len({one.event_id for one in told}) == len(told)
    assert {one.event_id for one in told} <= in_ledger
    repeated = [sent for sent in acknowledged if sent in again]
    assert len(repeated) >= BEFORE_THE_KILL
    assert {again[sent].event_id for sent in repeated} == {
        acknowledged[sent].event_id for sent in repeated
    }
    assert {again[sent].status for sent in repeated} == {"duplicate"}
    assert findings == Findings()


def test_a_commit_that_nobody_heard_of_is_answered_as_a_repeat(
    stores: Stores, postgres_url: str, tmp_path: Path
) -> None:
    """The gateway dies after it asked for its commit and before it could answer."""
    with gateways(postgres_url, tmp_path) as (killed, other):
        killed.publish([[referral("begins", "case")]])
        killed.finish()
        hold = Hold(postgres_url, killed)
        killed.publish([[contact("unheard", "case")]])
        until(hold.is_holding)
        killed.kill()
        hold.release()
        other.publish([[contact("unheard", "case"), contact("next", "case")]])
        other.finish()

    assert set(by_sender(killed)) == {"begins"}
    again = by_sender(other)
    assert [again[one].status for one in ("unheard", "next")] == ["duplicate", "accepted"]
    in_ledger, findings = relayed(stores, tmp_path)
    assert again["unheard"].event_id in in_ledger
    assert len(in_ledger) == 4  # with the hub's own event at the beginning
    assert findings == Findings()
