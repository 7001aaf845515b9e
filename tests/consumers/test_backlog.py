"""How far webhooks are behind, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consumers import subscriptions
from consumers.backlog import WebhookBacklog, webhook_backlog
from consumers.scope import Scope
from tests.consumers.receivers import Receiver, Reply, always
from tests.consumers.webhook_world import OCMW, ORGANISER, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.engine import Engine

SECOND_US = 1_000_000


@pytest.fixture
def world(engine_of: Callable[..., Engine]) -> Iterator[World]:
    """On either database."""
    made = World(engine_of("consumers", read_only=True), engine_of("consumers"))
    yield made
    made.close()


def backlog(world: World) -> WebhookBacklog:
    """How it stands now."""
    with world.reading.connect() as connection:
        return webhook_backlog(connection, world.clock.now_us())


def test_nothing_is_overdue_without_work(world: World) -> None:
    """Neither an empty store nor an inbox that everybody has read makes anything wait."""
    assert backlog(world) == WebhookBacklog(0, 0)
    with Receiver(always(Reply(200))) as receiver:
        world.subscribe(receiver.url)
        world.arrive(0)
        world.settle()
    world.clock.advance(60)

    assert backlog(world) == WebhookBacklog(0, 0)


def test_what_no_deliverer_took_is_overdue_since_it_came(world: World) -> None:
    """The oldest of everybody counts, and a subscription that is not sent to does not."""
    for to in (OCMW, ORGANISER):
        world.subscribe("https://receiver.example.org/", to)
    world.arrive(0)
    world.clock.advance(20)
    world.arrive(1, to=ORGANISER)
    world.clock.advance(5)
    assert backlog(world).overdue_us == 25 * SECOND_US

    with world.writing.begin() as connection:
        for one in subscriptions.every(connection, Scope(OCMW)):
            subscriptions.change(connection, Scope(OCMW), one.id, state="paused")

    assert backlog(world).overdue_us == 5 * SECOND_US


def test_a_retry_is_overdue_from_its_own_time(world: World) -> None:
    """A receiver that is away is not the hub's delay, whatever more waits for it."""
    with Receiver(always(Reply(503))) as receiver:
        made = world.subscribe(receiver.url)
        world.arrive(0)
        world.settle()
    due = world.one(made).due_at
    assert due is not None
    world.clock.advance((due - world.clock.now_us()) / SECOND_US - 1)
    world.arrive(1)
    assert backlog(world).overdue_us == 0

    world.clock.advance(8)

    assert backlog(world).overdue_us == 7 * SECOND_US


def test_open_dead_letters_are_counted(world: World) -> None:
    """Of everybody, until somebody redrives or discards them."""
    with Receiver(always(Reply(422))) as receiver:
        world.subscribe(receiver.url)
        world.subscribe(receiver.url, ORGANISER)
        world.arrive(0, 1)
        world.arrive(2, to=ORGANISER)
        world.settle()

    assert backlog(world).dead_letters == 3
