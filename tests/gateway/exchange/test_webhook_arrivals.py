"""What a webhook has not taken is told as such, and comes back when the right to it does.

The sender is a fake; the exchange before it and the deliverer's turns are real.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from consumers import deliveries, inbox, subscriptions, views
from consumers.deliveries import KEPT_US
from consumers.retrying import HOUR_US, Verdict
from consumers.scope import WHOLE_HUB, Scope
from consumers.sending import Tried
from consumers.subscriptions import Wanted
from consumers.turn import After, Turns
from gateway.exchange import arrivals
from gateway.exchange.webhook_door import DOOR, WebhookDoor
from tests.consumers.webhook_world import SECRET, Never, PlainSeal
from tests.gateway.exchange.exchange_world import (
    OCMW,
    ORGANISER,
    REFERRAL,
    World,
    exchange,
    rebuilt,
    without_agreement,
)
from tests.store_fixtures import stores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consumers.database import Stores

__all__ = ["stores"]

PROTOCOL = "demo-ocmw-organiser-2026"
MINUTE, DAY = 60.0, 86_400.0
AWAY, TAKEN = Verdict("retry", "http_503"), Verdict("delivered")
REFUSED = Verdict("refused", "http_422")


@dataclass
class Receiver:
    """Answers what it is told to, and keeps what it took."""

    verdict: Verdict = TAKEN
    took: list[str] = field(default_factory=list)

    def send(self, _envelope: object, _id: str, body: bytes, *_more: object) -> Tried:
        """What became of it."""
        if self.verdict is TAKEN:
            self.took.append(json.loads(body)["id"])
        return Tried(self.verdict, 1_000)


@dataclass
class Hub:
    """An exchange whose organiser is sent its events."""

    world: World
    receiver: Receiver
    turns: Turns
    subscription: str

    def deliver(self) -> None:
        """Turns until nothing is due."""
        while self.turns.take(self.subscription) is After.MORE:
            pass

    def refer(self) -> list[str]:
        """Somebody is referred to the organiser; the events that reach its inbox."""
        self.world.send("referral.created", OCMW, REFERRAL)
        self.world.deliver()
        return [one.event_id for one in self.world.inbox(ORGANISER)]

    def states(self) -> set[tuple[str, str | None]]:
        """What the journeys of the inbox's events say."""
        found = set()
        for one in self.world.inbox(ORGANISER):
            journey = self.world.journeys.event(one.event_id, OCMW)
            assert journey is not None
            found |= {
                (passage.state, passage.reason)
                for passage in journey.passages
                if passage.participant == ORGANISER
            }
        return found

    def stopped(self) -> list[str]:
        """What `GET /v1/stopped` lists."""
        with self.world.engines["consumers_read"].connect() as connection:
            found = views.stopped(connection, WHOLE_HUB, after=("", 0), limit=100)
            now = self.world.clock.now_us()
            gone = arrivals.left(connection, WHOLE_HUB, found, now=now)
        return [one.event_id for one in found if (one.event_id, one.participant) not in gone]

    def forget(self) -> None:
        """What the deliverer does once an hour."""
        before = self.world.clock.now_us() - KEPT_US
        with self.world.engines["consumers"].begin() as connection:
            deliveries.forget(connection, WHOLE_HUB, before=before)

    def unsubscribe(self) -> None:
        """Take the subscription away."""
        scope, now = Scope(ORGANISER), self.world.clock.now_us()
        with self.world.engines["consumers"].begin() as connection:
            subscriptions.remove(connection, scope, self.subscription, now=now)


@pytest.fixture
def hub(stores: Stores, tmp_path: Path) -> Iterator[Hub]:
    """A hub on both databases, and a subscription from the beginning."""
    with exchange(stores, tmp_path) as world:
        world.sweeper.step()
        yield subscribed(world)


def subscribed(world: World) -> Hub:
    """The organiser's subscription and its turns."""
    seal, receiver = PlainSeal(), Receiver()
    with world.engines["consumers"].begin() as connection:
        made, _ = subscriptions.create(
            connection,
            ORGANISER,
            Wanted("https://receiver.example.org/hook", window_us=90 * 24 * HOUR_US),
            key="k",
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
    )
    return Hub(world, receiver, turns, made.id)


def end_while_it_fails(hub: Hub) -> list[str]:
    """A first attempt fails, and at the second the right to it has ended; what it was about."""
    sent, hub.receiver.verdict = hub.refer(), AWAY
    hub.deliver()
    hub.world.registry = without_agreement(hub.world.registry, PROTOCOL)
    hub.world.sweeper.step()
    hub.world.clock.advance(MINUTE)
    hub.deliver()
    return sent


def test_what_stopped_between_two_attempts_is_sent_when_the_right_is_back(hub: Hub) -> None:
    """It was disclosed for the first attempt and has not left: it is listed, and comes again."""
    intact = hub.world.registry
    sent = end_while_it_fails(hub)
    listed, told = hub.stopped(), hub.states()
    hub.world.registry = rebuilt(intact)
    restored = hub.world.sweeper.step()
    hub.receiver.verdict = TAKEN
    hub.deliver()

    assert listed == sent
    assert told == {("stopped", "agreement")}
    assert restored == len(sent)
    assert hub.receiver.took == sent
    assert hub.states() == {("delivered", None)}
    assert hub.stopped() == []


def test_it_comes_back_however_long_that_takes(hub: Hub) -> None:
    """Rows of what was stopped are kept, else it would be taken for delivered and forgotten."""
    intact = hub.world.registry
    sent = end_while_it_fails(hub)
    hub.world.clock.advance(40 * DAY)
    hub.forget()
    listed = hub.stopped()
    hub.world.registry = rebuilt(intact)
    hub.world.sweeper.step()
    hub.forget()
    told = hub.states()
    hub.receiver.verdict = TAKEN
    hub.deliver()

    assert listed == sent
    assert told == {("ready", "not_fetched")}
    assert hub.receiver.took == sent


def test_a_right_that_ends_again_before_it_is_sent_stops_it_again(hub: Hub) -> None:
    """What was restored waits like anything that is queued."""
    intact = hub.world.registry
    sent = end_while_it_fails(hub)
    hub.world.registry = rebuilt(intact)
    hub.world.sweeper.step()
    hub.world.registry = without_agreement(hub.world.registry, PROTOCOL)
    stopped_again = hub.world.sweeper.step()
    hub.world.registry = rebuilt(intact)
    hub.world.sweeper.step()
    hub.receiver.verdict = TAKEN
    hub.deliver()

    assert stopped_again == len(sent)
    assert hub.receiver.took == sent


def test_what_a_receiver_took_or_may_yet_take_is_left_alone(hub: Hub) -> None:
    """Delivered, pending or a dead letter: a right that ends and returns brings no second copy."""
    intact, last = hub.world.registry, 0
    for verdict in (TAKEN, REFUSED, AWAY):
        hub.receiver.verdict = verdict
        last = len(hub.refer())
        hub.deliver()
    hub.world.registry = without_agreement(intact, PROTOCOL)
    hub.world.sweeper.step()
    hub.world.registry = rebuilt(intact)

    assert hub.world.sweeper.step() == 0
    assert [one.seq for one in hub.world.inbox(ORGANISER)] == list(range(1, last + 1))


def test_what_is_being_sent_has_not_arrived(hub: Hub) -> None:
    """It is disclosed before it leaves; a deliverer that dies in between has told nobody."""
    hub.refer()
    hub.world.fetch(ORGANISER, DOOR)
    before = hub.states()
    hub.deliver()

    assert before == {("pending", "not_tried")}
    assert hub.states() == {("delivered", None)}


def test_a_success_that_was_forgotten_is_still_one(hub: Hub) -> None:
    """After 35 days its line in the disclosure log is what is left of it."""
    hub.refer()
    hub.deliver()
    hub.world.clock.advance(36 * DAY)
    hub.forget()

    assert hub.states() == {("delivered", None)}


def test_what_failed_is_not_told_as_delivered_once_its_subscription_is_gone(hub: Hub) -> None:
    """Not at once and not after 35 days: it lies in the inbox, for who comes for it."""
    sent, hub.receiver.verdict = hub.refer(), AWAY
    hub.deliver()
    hub.unsubscribe()
    soon = hub.states()
    hub.world.clock.advance(36 * DAY)
    hub.forget()

    assert soon == hub.states() == {("ready", "not_fetched")}
    assert [one.event_id for one in hub.world.inbox(ORGANISER)] == sent


def test_what_was_delivered_stays_so_without_its_subscription(hub: Hub) -> None:
    """What arrived has arrived."""
    hub.refer()
    hub.deliver()
    hub.unsubscribe()
    soon = hub.states()
    hub.world.clock.advance(36 * DAY)
    hub.forget()

    assert soon == hub.states() == {("delivered", None)}


def test_rows_of_what_is_in_no_inbox_are_forgotten(hub: Hub) -> None:
    """So that they do not pile up."""
    end_while_it_fails(hub)
    hub.world.clock.advance(36 * DAY)
    with hub.world.engines["consumers"].begin() as connection:
        inbox.forget(connection, before=hub.world.clock.now_us())
    hub.forget()

    with hub.world.engines["consumers_read"].connect() as connection:
        assert (
            deliveries.newest(
                connection, WHOLE_HUB, hub.subscription, state=None, before=None, limit=10
            )
            == []
        )
