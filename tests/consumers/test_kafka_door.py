"""The Kafka door writes each inbox once, in order, to whoever may read, and never skips a row."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from consumers import inbox, kafka_positions, views, waiting
from consumers.errors import NotPublished, Poison
from consumers.inbox import InboxRow
from consumers.kafka_door import PAGE, PAUSE_SECONDS, UNPUBLISHABLE, KafkaDoor, run
from consumers.leases import FileLeases
from consumers.scope import Scope
from schemas.errors import Message, SchakelError
from tests.consumers.kafka_copy import TRAJECTORY, copy_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from sqlalchemy.engine import Engine

    from consumers.log_records import Record
    from consumers.views import InboxEntry
    from schemas.envelope import CloudEvent

ACME, OTHER = "acme", "acme-2"


@dataclass
class Broker:
    """Access and producer in one, which notes what it is asked."""

    published: list[Record] = field(default_factory=list)
    applied: list[Mapping[str, frozenset[str]]] = field(default_factory=list)
    poison: bytes | None = None
    is_away: bool = False
    missing: set[str] = field(default_factory=set)
    made: set[str] = field(default_factory=set)

    def apply(self, readers: Mapping[str, frozenset[str]]) -> None:
        """Note whose access it is; make the topics that it does not remember."""
        self.applied.append(readers)
        self.missing -= {self.topic_of(one) for one in readers if one not in self.made}
        self.made |= readers.keys()

    def forget(self, participant: str) -> None:
        """Remember no longer that a topic was made."""
        self.made.discard(participant)

    def topic_of(self, participant: str) -> str:
        """As the shipped kind of topics names it."""
        return f"out.{participant}.v1"

    def prepare(self, topic: str) -> None:
        """There is nothing to connect; whether it is away shows when something is sent."""
        assert topic.startswith("out.")

    def publish(self, records: Sequence[Record]) -> None:
        """Take all or none."""
        if self.is_away or {one.topic for one in records} & self.missing:
            raise NotPublished(Message("Weg.", "Away."))
        if self._bad(records):
            raise NotPublished(Message("Geweigerd.", "Rejected."), rejected=True)
        self.published += records

    def publish_separately(self, records: Sequence[Record]) -> tuple[Poison, ...]:
        """Take all but what is poison."""
        bad = self._bad(records)
        self.published += [one for one in records if one not in bad]
        return tuple(Poison(one, "too large") for one in bad)

    def _bad(self, records: Sequence[Record]) -> list[Record]:
        return [one for one in records if self.poison and self.poison in one.value]

    def ids(self, participant: str) -> list[int]:
        """The numbers of the events in one topic, in order."""
        topic = self.topic_of(participant)
        found = (dict(one.headers)["ce_id"] for one in self.published if one.topic == topic)
        return [int(one[-12:]) for one in found]


@dataclass
class Copies:
    """Renders each row as it is, but for the events that are stopped."""

    stopped: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    seconds_a_row: float = 0.0
    now: float = 0.0
    rendered: int = 0
    broken: set[str] = field(default_factory=set)
    meanwhile: Callable[[], object] = int

    def __call__(
        self, participant: str, entries: Sequence[InboxEntry], door: str
    ) -> list[CloudEvent | None]:
        """One copy an entry."""
        self.asked.append(door)
        self.rendered += len(entries)
        self.now += len(entries) * self.seconds_a_row
        self.meanwhile()
        if participant in self.broken:
            raise SchakelError(Message("Stuk.", "Broken."))
        return [
            None
            if one.event_id in self.stopped
            else copy_of(int(one.event_id[-12:]), deliveredfor=participant)
            for one in entries
        ]


@dataclass
class Setting:
    """A door on a real store, with a broker and rendering that can be looked into."""

    engine: Engine
    door: KafkaDoor
    broker: Broker
    copies: Copies
    readers: dict[str, frozenset[str]]

    def fill(self, participant: str, numbers: Sequence[int]) -> None:
        """Put events into an inbox."""
        with self.engine.begin() as connection:
            inbox.append(connection, [_row(participant, one) for one in numbers], now=5)

    def work(self) -> None:
        """Until there is nothing left."""
        while self.door.step():
            pass


@pytest.fixture
def setting(engine_of: Callable[..., Engine]) -> Setting:
    """Acme may read; the other has no client."""
    engine = engine_of("consumers")
    broker, copies = Broker(), Copies()
    readers = {ACME: frozenset({"acme-reader"})}
    door = KafkaDoor(engine, engine, copies, broker, broker, lambda: dict(readers))  # type: ignore[arg-type]  # the broker stands for access too
    return Setting(engine, door, broker, copies, readers)


def test_each_row_is_written_once_and_in_order(setting: Setting) -> None:
    """More than a page, then more still; nobody else's."""
    setting.fill(ACME, range(PAGE + 20))
    setting.fill(OTHER, [1, 2])
    setting.work()
    setting.fill(ACME, [9_001, 9_000])
    setting.work()

    assert setting.broker.ids(ACME) == [*range(PAGE + 20), 9_001, 9_000]
    assert setting.broker.ids(OTHER) == []
    assert set(setting.copies.asked) == {"kafka"}


def test_whoever_gets_a_client_later_gets_all_that_its_inbox_keeps(setting: Setting) -> None:
    """From the first row; access is given before anything is written."""
    setting.fill(OTHER, [1, 2])
    setting.work()
    setting.readers[OTHER] = frozenset({"other-reader"})
    setting.work()

    assert setting.broker.ids(OTHER) == [1, 2]
    assert setting.broker.applied[-1] == setting.readers


def test_what_is_stopped_is_passed_over(setting: Setting) -> None:
    """The rest goes on, and the position with it."""
    setting.fill(ACME, [1, 2, 3])
    setting.copies.stopped.add(_row(ACME, 2).event_id)
    setting.work()

    assert setting.broker.ids(ACME) == [1, 3]
    assert not setting.door.step()


def test_a_broker_that_is_away_costs_no_row(setting: Setting) -> None:
    """The position stays until everything was acknowledged."""
    setting.fill(ACME, [1, 2])
    setting.broker.is_away = True
    with pytest.raises(NotPublished):
        setting.door.step()
    setting.broker.is_away = False
    setting.work()

    assert setting.broker.ids(ACME) == [1, 2]


def test_a_copy_that_no_broker_takes_is_set_aside_and_said(setting: Setting) -> None:
    """Its inbox row says so, its owner is to be told, and what comes after it is written."""
    setting.fill(ACME, [1, 2, 3])
    setting.broker.poison = _row(ACME, 2).event_id.encode()
    setting.work()

    assert setting.broker.ids(ACME) == [1, 3]
    with setting.engine.connect() as connection:
        rows = views.feed_page(connection, Scope(ACME), after=0, limit=10)
        untold = waiting.untold(connection, 0)
    assert [one.stopped_leg for one in rows] == [None, UNPUBLISHABLE, None]
    assert untold == [(ACME, waiting.KAFKA)]


def test_a_restart_repeats_nothing_that_was_noted(setting: Setting) -> None:
    """The position is in the store, so a new process goes on where the last one was."""
    setting.fill(ACME, [1, 2])
    setting.work()
    setting.fill(ACME, [3])
    with setting.engine.connect() as connection:
        assert kafka_positions.behind(connection, [ACME, OTHER]) == {ACME: 2}
    fresh = KafkaDoor(
        setting.engine,
        setting.engine,
        setting.copies,
        setting.broker,
        setting.broker,  # type: ignore[arg-type]  # stands for access too
        lambda: setting.readers,
    )
    while fresh.step():
        pass

    assert setting.broker.ids(ACME) == [1, 2, 3]


def test_a_page_that_renders_too_slowly_gets_smaller(setting: Setting) -> None:
    """Under a load that makes rendering slow, a long inbox still goes out, whoever else has one.

    A page is rendered at once and may wait for half a second at most: a slower one is in vain.
    """
    setting.copies.seconds_a_row = 0.004
    setting.door.passed = lambda: setting.copies.now
    setting.readers[OTHER] = frozenset({"other-reader"})
    for one in (ACME, OTHER):
        setting.fill(one, range(PAGE))
    for _ in range(2 * PAGE // 50):
        setting.door.step()

    for one in (ACME, OTHER):
        assert setting.broker.ids(one) == [*range(PAGE)]
    assert setting.copies.rendered == 2 * PAGE


def test_what_fails_for_one_holds_up_no_other(setting: Setting) -> None:
    """A record that cannot be opened, say: the log names whose it is, and it is tried again.

    Under load not at every turn.
    """
    setting.readers[OTHER] = frozenset({"other-reader"})
    setting.door.passed = lambda: setting.copies.now
    for one in (ACME, OTHER):
        setting.fill(one, range(3))
    setting.copies.broken.add(ACME)
    with capture_logs() as lines:
        for number in range(3, 6):
            setting.door.step()
            setting.fill(OTHER, [number])
    setting.door.step()
    setting.copies.broken.clear()
    setting.copies.now += PAUSE_SECONDS
    setting.work()

    assert [(one["event"], one["participant"]) for one in lines] == [("kafka_door_held_up", ACME)]
    assert setting.broker.ids(OTHER) == [*range(6)]
    assert setting.broker.ids(ACME) == [*range(3)]


def test_who_alone_has_more_and_fails_is_waited_for(setting: Setting) -> None:
    """The loop pauses: else it would ask again at once, for ever."""
    setting.readers[OTHER] = frozenset({"other-reader"})
    setting.fill(ACME, [1])
    setting.fill(OTHER, [1])
    setting.copies.broken |= {ACME, OTHER}
    for _ in range(2):
        with pytest.raises(SchakelError):
            setting.door.step()
    setting.copies.broken.clear()
    setting.work()

    assert setting.broker.ids(ACME) == setting.broker.ids(OTHER) == [1]


def test_a_topic_that_was_deleted_is_made_again(setting: Setting) -> None:
    """Without a restart; meanwhile the others are written to."""
    setting.readers[OTHER] = frozenset({"other-reader"})
    setting.fill(ACME, [1])
    setting.work()
    setting.broker.missing.add(setting.broker.topic_of(ACME))
    setting.fill(ACME, [2])
    setting.fill(OTHER, [2])
    setting.door.passed = lambda: setting.copies.now
    setting.door.step()
    setting.copies.now += PAUSE_SECONDS
    setting.work()

    assert setting.broker.ids(ACME) == [1, 2]
    assert setting.broker.ids(OTHER) == [2]


def test_a_right_that_ends_during_a_turn_is_gone_before_the_next_page(setting: Setting) -> None:
    """However many inboxes have more: its entries go, and nothing more is written for it."""
    setting.readers[OTHER] = frozenset({"other-reader"})
    for one in (ACME, OTHER):
        setting.fill(one, [1])
    setting.copies.meanwhile = lambda: setting.readers.pop(OTHER, None)
    setting.door.step()

    assert setting.broker.applied[-1].keys() == {ACME}
    assert setting.broker.ids(OTHER) == []


def test_a_wake_up_for_others_is_none(setting: Setting) -> None:
    """The door looks when one of its readers got something, or when nobody is named."""
    assert setting.door.concerns([b"vdab,acme", b"vdab"])
    assert setting.door.concerns([b""])
    assert not setting.door.concerns([b"vdab", b"ocmw-tienen,acme-2"])


def test_the_loop_survives_a_broker_that_is_away(
    setting: Setting, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It tries again, and ends when it is asked to."""
    monkeypatch.setattr("consumers.kafka_door.PAUSE_SECONDS", 0.01)
    setting.fill(ACME, [1])
    stop = threading.Event()
    tries: list[float] = []

    class _Listener:
        def wait(self, timeout_seconds: float) -> list[bytes]:
            """Nothing is left: end."""
            tries.append(timeout_seconds)
            stop.set()
            return []

        def close(self) -> None:
            """Nothing to close."""

    setting.broker.is_away = True
    heal = threading.Timer(0.05, lambda: setattr(setting.broker, "is_away", False))
    heal.start()
    leases = FileLeases(tmp_path / "lock")
    run(setting.door, leases, _Listener(), stop)
    leases.close()
    heal.join()

    assert setting.broker.ids(ACME) == [1]
    assert tries


def _row(participant: str, number: int) -> InboxRow:
    return InboxRow(
        participant=participant,
        event_id=f"0195a000-0000-7000-8000-{number:012d}",
        event_name="referral.created",
        trajectory_id=TRAJECTORY,
        agreement_id="prot-1",
        relations=("target",),
        nis="24107",
        programme=None,
        backfill=False,
        recorded_at=1_000,
    )
