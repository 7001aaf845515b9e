"""The figures that tell whether the processes behind the gateway are behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumers.clock import FixedClock
from consumers.database import Stores, open_engine
from gateway.exchange.backlog import Backlog
from tests.gateway.exchange.ledger_world import submission
from tests.gateway.exchange.relaying import outbox
from tests.store_fixtures import opened, stores

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["stores"]

QUIET = {
    "outbox_oldest_seconds": 0.0,
    "outbox_set_aside": 0.0,
    "webhooks_overdue_seconds": 0.0,
    "dead_letters_open": 0.0,
}


def test_the_oldest_event_that_the_log_lacks_is_told(stores: Stores, tmp_path: Path) -> None:
    """Its age grows while no relay works; a row that is set aside is counted from then on."""
    with (
        outbox(stores, tmp_path) as box,
        opened(stores.ledger, read_only=True) as ledger,
        opened(stores.consumers, read_only=True) as consumers,
    ):
        clock = box.desk.clock
        backlog = Backlog(ledger, consumers, clock)
        box.add(b"a fact")
        assert backlog.figures() == QUIET

        box.desk.one(submission(source_record_id="A"))
        clock.advance(30)
        box.desk.one(submission(source_record_id="B"))
        clock.advance(12)
        assert backlog.figures() == QUIET | {"outbox_oldest_seconds": 42.0}

        drain = box.drain()
        assert drain.acquire()
        for number in box.numbers():
            drain.park(number, "too large")
        drain.close()

    with (
        opened(stores.ledger, read_only=True) as ledger,
        opened(stores.consumers, read_only=True) as consumers,
    ):
        told = Backlog(ledger, consumers, clock).figures()
    assert told["outbox_oldest_seconds"] == 0
    assert told["outbox_set_aside"] >= 3


def test_a_store_that_is_away_tells_nothing(tmp_path: Path) -> None:
    """The other figures are still given: `/readyz` says which store it is."""
    away = open_engine(f"sqlite:///{tmp_path}/nowhere/ledger.db", read_only=True)

    assert Backlog(away, away, FixedClock()).figures() == {}
