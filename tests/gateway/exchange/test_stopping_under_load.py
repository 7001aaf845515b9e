"""A thousand events wait while somebody reads the feed: none goes out once the right has ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from gateway.api.inboxes import InboxFeed
from tests.gateway.exchange.exchange_world import ORGANISER
from tests.gateway.exchange.stopping_world import (
    LIMIT_US,
    TICK,
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

__all__ = ["stores"]

PAGE = 20


@dataclass
class Reader:
    """Reads the organiser's feed, a page a tick."""

    hub: Hub
    cursor: int = 0
    read: list[bytes] = field(default_factory=list)

    def page(self) -> None:
        """One page, as the door gives it."""
        world = self.hub.world
        feed = InboxFeed(world.handover, world.engines["consumers_read"])
        page = feed.read(ORGANISER, self.cursor, PAGE, "reader")
        self.cursor = page.next
        self.read += page.events


@pytest.fixture
def hub(stores: Stores, tmp_path: Path) -> Iterator[Hub]:
    """A hub on both databases."""
    with stopping_hub(stores, tmp_path) as made:
        yield made


@pytest.fixture
def reader(hub: Hub) -> Reader:
    """Somebody who reads at each tick."""
    made = Reader(hub)
    hub.work = made.page
    return made


def test_a_revoked_agreement_stops_a_thousand_within_two_seconds(hub: Hub, reader: Reader) -> None:
    """Those read before are disclosed; all others are stopped with the leg, without being read."""
    referred(hub, 500)
    ended = until_stopped(hub, lambda: revoke(hub))
    disclosed, unread = hub.disclosed(), hub.unread()

    assert disclosed
    assert len(reader.read) == len(disclosed)
    assert max(disclosed) <= ended + LIMIT_US
    assert len(disclosed) + len(unread) == 1_000
    assert set(unread) == {"agreement"}


def test_an_objection_stops_at_once(hub: Hub, reader: Reader) -> None:
    """No registry has to be read for it: the next page has nothing of those who object."""
    cases = referred(hub, 40)
    reader.page()
    object_all(hub, cases)
    ended = hub.world.clock.now_us()
    for _ in range(10):
        hub.tick()

    assert max(hub.disclosed()) <= ended
    assert len(hub.disclosed()) == PAGE
    assert set(hub.unread()) == {"objection"}


def test_an_ended_membership_stops_at_once(hub: Hub, reader: Reader) -> None:
    """Withdrawn referrals are not read any more, and the rest of the page is."""
    cases = referred(hub, 40)
    reader.page()
    hub.world.clock.advance(TICK)
    withdraw_all(hub, cases[:30])
    for _ in range(10):
        hub.tick()

    unread = hub.unread()

    assert set(unread) == {"membership_ended"}
    assert len(unread) == 2 * 30 - PAGE
