"""The broker is told what is done, once in a while, and never what was only polled."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from consumers import log_consumer
from consumers.errors import LogUnavailable
from consumers.log import LogConsumer, LogSettings
from consumers.log_client import MEMBERSHIP_LOST, KafkaError, TopicPartition

if TYPE_CHECKING:
    from collections.abc import Sequence

TOPIC = "activation.test.v1"
FIRST, SECOND = TopicPartition(TOPIC, 0), TopicPartition(TOPIC, 1)
EVERY = 10.0


class _Sent(NamedTuple):
    """A record as the client gives it."""

    topic: str
    partition: int
    offset: int
    key: bytes = b"k"
    value: bytes = b"v"
    headers: Sequence[tuple[str, bytes]] = ()
    timestamp: int = 0


@dataclass
class _Client:
    """Stands for the library's consumer: what it is to give, and what it was told."""

    batches: list[dict[TopicPartition, list[_Sent]]] = field(default_factory=list)
    told: list[dict[TopicPartition, int]] = field(default_factory=list)
    assigned: set[TopicPartition] = field(default_factory=lambda: {FIRST, SECOND})
    is_away: bool = False
    is_closed: bool = False
    dropped: type[KafkaError] | None = None
    """What a commit raises since the group dropped this member."""

    def topics(self) -> set[str]:
        return {TOPIC}

    def assignment(self) -> set[TopicPartition]:
        return self.assigned

    def poll(self, timeout_ms: int) -> dict[TopicPartition, list[_Sent]]:
        assert timeout_ms >= 0
        return self.batches.pop(0) if self.batches else {}

    def commit(self, offsets: dict[TopicPartition, Any], timeout_ms: int) -> None:
        assert timeout_ms > 0
        if self.is_away:
            raise KafkaError
        if self.dropped is not None:
            raise self.dropped
        self.told.append({place: one.offset for place, one in offsets.items()})

    def close(self, **_given: Any) -> None:
        self.is_closed = True

    def bring(self, *records: tuple[TopicPartition, int]) -> None:
        """Let the next poll find these."""
        batch: defaultdict[TopicPartition, list[_Sent]] = defaultdict(list)
        for place, offset in records:
            batch[place].append(_Sent(TOPIC, place.partition, offset))
        self.batches.append(dict(batch))


@dataclass
class Reading:
    """A consumer, its client and its clock."""

    consumer: LogConsumer
    client: _Client
    now: float = 0.0
    left: list[_Client] = field(default_factory=list)

    def join(self, *_topics: str, **_options: Any) -> _Client:
        """The client of one membership; one that was closed is replaced."""
        if self.client.is_closed:
            self.left.append(self.client)
            self.client = _Client(self.client.batches)
        return self.client

    def read(self, *records: tuple[TopicPartition, int]) -> None:
        """Poll these and say that they are done."""
        self.client.bring(*records)
        assert len(self.consumer.poll(0)) == len(records)
        self.consumer.commit()


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> Reading:
    """One that tells every ten seconds."""
    consumer = LogConsumer(
        LogSettings("127.0.0.1:1"),
        [TOPIC],
        "test",
        "one",
        commit_seconds=EVERY,
        passed=lambda: made.now,
    )
    made = Reading(consumer, _Client())
    monkeypatch.setattr(log_consumer, "KafkaConsumer", made.join)
    return made


def test_what_comes_alone_is_told_at_once(reading: Reading) -> None:
    """The offset is that of the next record, and only of partitions that were read."""
    reading.read((FIRST, 4))

    assert reading.client.told == [{FIRST: 5}]


def test_under_load_it_is_told_once_in_a_while(reading: Reading) -> None:
    """What is done meanwhile goes together, and goes before anything more is polled."""
    reading.read((FIRST, 0))
    reading.read((FIRST, 1))
    reading.read((FIRST, 2), (SECOND, 0))
    assert reading.client.told == [{FIRST: 1}]

    reading.now = EVERY
    reading.client.bring((FIRST, 3))
    reading.consumer.poll(0)

    assert reading.client.told == [{FIRST: 1}, {FIRST: 3, SECOND: 1}]


def test_when_nothing_more_comes_the_rest_is_told(reading: Reading) -> None:
    """So that a quiet hub owes nothing."""
    reading.read((FIRST, 0))
    reading.read((FIRST, 1))
    reading.consumer.poll(0)
    reading.consumer.poll(0)

    assert reading.client.told == [{FIRST: 1}, {FIRST: 2}]


def test_leaving_tells_what_is_done_and_not_what_was_polled(reading: Reading) -> None:
    """A record whose effect is not written yet comes again."""
    reading.read((FIRST, 0))
    reading.read((FIRST, 1))
    reading.client.bring((FIRST, 2))
    reading.consumer.poll(0)
    reading.consumer.close()

    assert reading.client.told == [{FIRST: 1}, {FIRST: 2}]
    assert reading.client.is_closed


def test_a_broker_that_is_away_is_told_later(reading: Reading) -> None:
    """What is owed stays owed."""
    reading.client.is_away = True
    with pytest.raises(LogUnavailable):
        reading.read((FIRST, 0))
    reading.client.is_away = False
    reading.consumer.commit()

    assert reading.client.told == [{FIRST: 1}]


def test_what_went_to_another_member_is_that_ones_to_tell(reading: Reading) -> None:
    """Else an offset would go back after a rebalance."""
    reading.read((SECOND, 0))
    reading.read((FIRST, 0), (SECOND, 1))
    reading.client.assigned = {FIRST}
    reading.consumer.close()

    assert reading.client.told == [{SECOND: 1}, {FIRST: 1}]


@pytest.mark.parametrize("error", MEMBERSHIP_LOST)
def test_who_lost_its_membership_joins_anew(reading: Reading, error: type[KafkaError]) -> None:
    """No commit of a member that the group dropped ever succeeds: only a poll joins again.

    What was owed is not told, so the new member reads it once more.
    """
    reading.read((FIRST, 0))
    reading.read((FIRST, 1))
    reading.client.dropped = error
    reading.now = EVERY
    with pytest.raises(LogUnavailable):
        reading.consumer.commit()
    reading.consumer.commit()
    reading.read((FIRST, 1), (FIRST, 2))

    assert [one.told for one in reading.left] == [[{FIRST: 1}]]
    assert reading.client.told == [{FIRST: 3}]


def test_a_poll_that_finds_its_membership_lost_is_the_last_of_its_client(reading: Reading) -> None:
    """What is owed is told before polling, so the next poll has to be a new member's."""
    reading.read((FIRST, 0))
    reading.read((FIRST, 1))
    reading.client.dropped = MEMBERSHIP_LOST[0]
    reading.now = EVERY
    with pytest.raises(LogUnavailable):
        reading.consumer.poll(0)
    reading.read((FIRST, 1))

    assert reading.left[0].is_closed
