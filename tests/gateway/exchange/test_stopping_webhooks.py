"""A thousand events wait for a slow receiver, some for a retry: none goes out once it may not.

The receiver takes three tenths of a second an event by the hub's clock, on which the turns' half
second runs too. The sender is a fake; everything before it is real.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from consumers import deliveries, subscriptions
from consumers.retrying import HOUR_US, Verdict
from consumers.scope import WHOLE_HUB, Scope
from consumers.sending import Tried
from consumers.subscriptions import Wanted
from consumers.turn import After, Turns
from gateway.exchange.webhook_door import WebhookDoor
from tests.consumers.webhook_world import SECRET, Never, PlainSeal
from tests.gateway.exchange.exchange_world import ORGANISER
from tests.gateway.exchange.stopping_world import (
    LIMIT_US,
    Hub,
    object_all,
    referred,
    revoke,
    stopping_hub,
    until_stopped,
    withdraw_all,
)
from tests.store_fixtures import stores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consumers.database import Stores
    from consumers.sending import Envelope

__all__ = ["stores"]

URL = "https://receiver.example.org/hook"
TICKS_AN_EVENT = 3


@dataclass
class SlowReceiver:
    """Takes its time, refuses every third event for good, and notes when each came."""

    hub: Hub
    got: list[tuple[str, int]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    def send(self, _envelope: Envelope, message_id: str, body: bytes) -> Tried:
        """What became of it; the hub goes on meanwhile."""
        assert json.loads(body)["id"] == message_id
        is_first = message_id not in {one for one, _ in self.got}
        self.got.append((message_id, self.hub.world.clock.now_us()))
        for _ in range(TICKS_AN_EVENT):
            self.hub.pass_time()
        if is_first and len(self.got) % 3 == 0:
            self.refused.add(message_id)
        fails = message_id in self.refused
        return Tried(Verdict("retry", "http_500") if fails else Verdict("delivered"), 300_000)


@dataclass
class Door:
    """The deliverer's turns for one subscription of the organiser."""

    hub: Hub
    receiver: SlowReceiver
    turns: Turns
    subscription: str

    def turn(self) -> bool:
        """One turn; whether there is more to do at once."""
        return self.turns.take(self.subscription) is After.MORE

    def states(self) -> Counter[str]:
        """How many deliveries are in each state."""
        with self.hub.world.engines["consumers_read"].connect() as connection:
            rows = deliveries.newest(
                connection, WHOLE_HUB, self.subscription, state=None, before=None, limit=5_000
            )
        return Counter(one.state for one in rows)

    def finish(self) -> None:
        """Let hours pass in which all that was put off comes due, and do what the rate allows."""
        for _ in range(12):
            self.hub.world.clock.advance(HOUR_US / 1_000_000)
            while self.turn():
                pass


@pytest.fixture
def hub(stores: Stores, tmp_path: Path) -> Iterator[Hub]:
    """A hub on both databases."""
    with stopping_hub(stores, tmp_path) as made:
        yield made


@pytest.fixture
def door(hub: Hub) -> Door:
    """A subscription from the beginning, worked at each tick."""
    world, seal, receiver = hub.world, PlainSeal(), SlowReceiver(hub)
    with world.engines["consumers"].begin() as connection:
        made, _ = subscriptions.create(
            connection,
            ORGANISER,
            Wanted(URL, concurrency=1),
            key=URL,
            content_hash="h",
            secret=SECRET,
            seal=seal,
            position=0,
            now=world.clock.now_us(),
        )
        subscriptions.change(connection, Scope(ORGANISER), made.id, state=subscriptions.ACTIVE)
    sender: Any = receiver
    turns = Turns(
        world.engines["consumers_read"],
        world.engines["consumers"],
        render=WebhookDoor(world.handover),
        sender=sender,
        seal=seal,
        clock=world.clock,
        hands=Never(),
        chance=random.Random(7).random,  # noqa: S311 - jitter
        passed=lambda: world.clock.now_us() / 1_000_000,
    )
    found = Door(hub, receiver, turns, made.id)
    hub.work = found.turn
    return found


def test_a_revoked_agreement_stops_a_thousand_within_two_seconds(hub: Hub, door: Door) -> None:
    """Nothing is rendered or sent two seconds after, also no retry; the inbox has the leg."""
    referred(hub, 500)
    before: list[Counter[str]] = []

    def end() -> None:
        before.append(door.states())
        revoke(hub)

    ended = until_stopped(hub, end, ticks=20)
    disclosed, unread = hub.disclosed(), hub.unread()
    door.finish()
    states = door.states()

    assert max(at for _, at in door.receiver.got) <= ended + LIMIT_US
    assert max(disclosed) <= ended + LIMIT_US
    assert hub.disclosed() == disclosed
    assert before[0]["pending"]
    assert states.keys() == {"delivered", "stopped"}
    assert len({one for one, _ in door.receiver.got}) <= len(disclosed) < 100
    assert len(disclosed) + len(unread) == states.total() == 1_000
    assert set(unread) == {"agreement"}


@pytest.mark.parametrize(
    ("end", "leg"), [(object_all, "objection"), (withdraw_all, "membership_ended")]
)
def test_what_ends_in_the_ledger_stops_the_next_event(
    hub: Hub, door: Door, end: Any, leg: str
) -> None:
    """A person's objection, or a withdrawn referral: the next turn sends nothing of the case."""
    cases = referred(hub, 20)
    door.turn()
    end(hub, cases)
    before = len(door.receiver.got)
    door.finish()
    entries = hub.world.inbox_of_all(ORGANISER)
    stopped = {one.event_id for one in entries if one.stopped_leg == leg}
    later = {one for one, _ in door.receiver.got[before:]}

    assert before
    assert stopped
    assert not later & stopped
    assert set(hub.unread()) <= {leg, None}
