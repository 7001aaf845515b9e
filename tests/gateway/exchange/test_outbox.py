"""What gets a row in the outbox can also be published; on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumers.log_records import MAX_RECORD_BYTES, Record
from gateway.exchange.outbox import MAX_EVENT_BYTES, pack, unpack
from tests.gateway.exchange.ledger_world import desk, submission
from tests.gateway.exchange.relaying import outbox
from tests.store_fixtures import stores

if TYPE_CHECKING:
    from pathlib import Path

    from consumers.database import Stores

__all__ = ["stores"]


def test_an_event_no_broker_would_take_is_refused(stores: Stores, tmp_path: Path) -> None:
    """Nobody is told that it was accepted, and its neighbours are."""
    text = "x" * (MAX_EVENT_BYTES // 2)
    large = {"programme": "wijk_werken", "person": {"family_name": text, "given_name": text}}
    with desk(stores, tmp_path) as at:
        before, refused, follows, after = at.publish(
            submission(source_record_id="A"),
            submission(source_record_id="B", data=large),
            submission("guidance.contact_recorded", source_record_id="B"),
            submission("guidance.contact_recorded", source_record_id="A"),
        )

    assert [before.status, after.status] == ["accepted", "accepted"]
    assert refused.error is not None
    assert (refused.status, refused.error.code) == ("rejected", "event_too_large")
    assert refused.error.status == 413
    assert follows.status == "blocked"


def test_the_largest_event_that_is_accepted_fits_the_log(stores: Stores, tmp_path: Path) -> None:
    """With headers and all it stays below what a broker takes."""
    room = MAX_EVENT_BYTES - 1024
    large = {"programme": "wijk_werken", "person": {"family_name": "x" * room}}
    with outbox(stores, tmp_path) as box:
        accepted = box.desk.one(submission(data=large))
        drain = box.drain()
        assert drain.acquire()
        row, *_ = drain.take(10)
        drain.close()

    assert accepted.status == "accepted"
    record = Record(row.topic, row.key.encode(), row.value, list(row.headers))
    assert room < record.size <= MAX_RECORD_BYTES


def test_a_report_of_numbers_is_read_as_it_was_written() -> None:
    """Large numbers too; what cannot be a report is nothing."""
    assert list(unpack(pack([3, 1, 2**40]))) == [3, 1, 2**40]
    assert list(unpack(b"123")) == []
