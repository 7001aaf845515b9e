"""A thousand events wait for a slow broker: none is written once the right to it has ended.

Each record takes the broker a while by the hub's clock, so that a page would last longer than
anybody may go on writing it. The broker is a fake; what comes before it is real.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from consumers.clock import date_of
from consumers.kafka_door import KafkaDoor
from gateway.exchange.kafka_readers import kafka_readers
from tests.gateway.exchange.exchange_world import ORGANISER
from tests.gateway.exchange.stopping_world import (
    KAFKA_CLIENT,
    LIMIT_US,
    PROTOCOL,
    TICK,
    Hub,
    object_all,
    referred,
    revoke,
    stopping_hub,
    withdraw_all,
)
from tests.store_fixtures import stores

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from consumers.database import Stores
    from consumers.errors import Poison
    from consumers.log_records import Record

__all__ = ["stores"]

OTHERS = ("demo-vdab-organiser-2026", "demo-caw-2026", "demo-host-2026", "demo-town-2026")
RECORDS_A_TICK = 5
GIVEN = {ORGANISER: frozenset({KAFKA_CLIENT})}


@dataclass
class SlowBroker:
    """Takes a fiftieth of a second a record, and notes when it was sent each, and whose access."""

    hub: Hub
    written: list[tuple[str, int]] = field(default_factory=list)
    access: list[tuple[Mapping[str, frozenset[str]], int]] = field(default_factory=list)

    def apply(self, readers: Mapping[str, frozenset[str]]) -> None:
        """Note whose access it is from now on."""
        self.access.append((readers, self.hub.world.clock.now_us()))

    def topic_of(self, participant: str) -> str:
        """As the shipped kind of topics names it."""
        return f"out.{participant}.v1"

    def prepare(self, topic: str) -> None:
        """There is nothing to connect."""
        assert topic == self.topic_of(ORGANISER)

    def publish(self, records: Sequence[Record]) -> None:
        """All are sent now, and acknowledged when time has passed."""
        now = self.hub.world.clock.now_us()
        self.written += [(dict(one.headers)["ce_id"].decode(), now) for one in records]
        for _ in range(-(-len(records) // RECORDS_A_TICK)):
            self.hub.pass_time()

    def publish_separately(self, records: Sequence[Record]) -> tuple[Poison, ...]:
        """Nothing is poison here."""
        self.publish(records)
        return ()


@pytest.fixture
def hub(stores: Stores, tmp_path: Path) -> Iterator[Hub]:
    """A hub on both databases."""
    with stopping_hub(stores, tmp_path) as made:
        yield made


@pytest.fixture
def broker(hub: Hub) -> SlowBroker:
    """Written to at each tick."""
    world, made = hub.world, SlowBroker(hub)
    both: Any = made
    door = KafkaDoor(
        world.engines["consumers_read"],
        world.engines["consumers"],
        world.handover.copies,
        both,
        both,
        lambda: kafka_readers(world.registry, date_of(world.clock.now_us())),
        passed=lambda: world.clock.now_us() / 1_000_000,
    )
    hub.work = door.step
    return made


def test_a_revoked_agreement_stops_a_thousand_within_two_seconds(
    hub: Hub, broker: SlowBroker
) -> None:
    """Revoked in the middle of a page: nothing is rendered or sent two seconds after."""
    referred(hub, 500)
    ended: list[int] = []
    publish = broker.publish

    def revoked_meanwhile(records: Sequence[Record]) -> None:
        if not ended:
            revoke(hub)
            ended.append(hub.world.clock.now_us())
        publish(records)

    broker.publish = revoked_meanwhile  # type: ignore[method-assign]  # once, from inside a page
    for _ in range(60):
        hub.tick()
    disclosed, unread = hub.disclosed(), hub.unread()

    assert broker.written
    assert max(at for _, at in broker.written) <= ended[0] + LIMIT_US
    assert max(disclosed) <= ended[0] + LIMIT_US
    assert len({one for one, _ in broker.written}) <= len(disclosed)
    assert len(disclosed) + len(unread) == 1_000
    assert set(unread) == {"agreement"}
    assert broker.access[-1][0] == GIVEN


def test_access_goes_with_the_last_agreement(hub: Hub, broker: SlowBroker) -> None:
    """Within two seconds the client may read no more, and nothing is written for it."""
    referred(hub, 200)
    hub.tick()
    revoke(hub, PROTOCOL, *OTHERS)
    ended = hub.world.clock.now_us()
    for _ in range(40):
        hub.tick()

    assert [one for one, _ in broker.access] == [GIVEN, {}]
    assert broker.access[-1][1] <= ended + LIMIT_US
    assert max(at for _, at in broker.written) <= ended + LIMIT_US
    assert set(hub.unread()) == {"agreement"}


@pytest.mark.parametrize(
    ("end", "leg"), [(object_all, "objection"), (withdraw_all, "membership_ended")]
)
def test_what_ends_in_the_ledger_stops_the_next_write(
    hub: Hub, broker: SlowBroker, end: Any, leg: str
) -> None:
    """A person's objection, or a withdrawn referral: nothing of the case is written after."""
    cases = referred(hub, 40)
    end(hub, cases[:20])
    hub.world.clock.advance(TICK)
    for _ in range(10):
        hub.tick()
    written = {one for one, _ in broker.written}
    entries = hub.world.inbox_of_all(ORGANISER)

    assert {one.event_id for one in entries if one.trajectory_id in cases[20:]} <= written
    assert not {one.event_id for one in entries if one.stopped_leg == leg} & written
    assert leg in hub.unread()
