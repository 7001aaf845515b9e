"""A thousand events wait while somebody reads them: the right ends, and nothing goes out later.

Time is the hub's clock, moved a tenth of a second a page, and the registry is read as often as the
gateway polls it. So what is compared are recorded times: when the change was committed, and when
each copy was disclosed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from consumers import views
from consumers.scope import Scope
from gateway.api.inboxes import InboxFeed
from gateway.exchange.publication import PublishRequest
from gateway.exchange.registry_document import parse
from gateway.exchange.registry_live import LiveRegistry
from gateway.exchange.registry_store import RegistryStore
from tests.gateway.exchange.exchange_world import (
    OCMW,
    ORGANISER,
    ORGANISER_URN,
    REFERRAL,
    World,
    exchange,
    submitted,
)
from tests.registry_fixtures import demo_content, demo_document
from tests.store_fixtures import stores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from consumers.database import Stores

__all__ = ["stores"]

PROTOCOL = "demo-ocmw-organiser-2026"
TICK = 0.1
POLL_TICKS = 15
"""`LiveRegistry` polls every three quarters of its two seconds."""
LIMIT_US = 2_000_000
PAGE = 20


@dataclass
class Hub:
    """The exchange, with a registry in the store that is polled, and one reader of the feed."""

    world: World
    store: RegistryStore
    live: LiveRegistry
    ticks: int = 0
    cursor: int = 0
    read: list[bytes] = field(default_factory=list)

    def tick(self) -> None:
        """A tenth of a second: poll and sweep when it is time, and read one page."""
        self.world.clock.advance(TICK)
        self.ticks += 1
        if self.ticks % POLL_TICKS == 0:
            self.world.registry = self.live.refresh()
        if self.ticks % 4 == 0:
            self.world.sweeper.step()
        self.page()

    def page(self) -> None:
        """One page of the organiser's feed, as the door gives it."""
        feed = InboxFeed(self.world.handover, self.world.engines["consumers_read"])
        page = feed.read(ORGANISER, self.cursor, PAGE, "reader")
        self.cursor = page.next
        self.read += page.events

    def disclosed(self) -> list[int]:
        """When each copy left for the organiser."""
        ids = [one.event_id for one in self.world.inbox_of_all(ORGANISER)]
        with self.world.engines["consumers_read"].connect() as connection:
            found = views.hand_overs_of(connection, Scope(ORGANISER), ids)
        return [one.disclosed_at for one in found]

    def unread(self) -> list[str | None]:
        """What stops each row that was never handed over."""
        entries = self.world.inbox_of_all(ORGANISER)
        with self.world.engines["consumers_read"].connect() as connection:
            given = views.hand_overs_of(
                connection, Scope(ORGANISER), [one.event_id for one in entries]
            )
        known = {one.event_id for one in given}
        return [one.stopped_leg for one in entries if one.event_id not in known]


@pytest.fixture
def hub(stores: Stores, tmp_path: Path) -> Iterator[Hub]:
    """The demonstration's registry, applied."""
    with exchange(stores, tmp_path) as world:
        store = RegistryStore(
            world.engines["ledger"], environment="test", now_us=world.clock.now_us
        )
        store.apply(demo_document(), "test")
        live = LiveRegistry(store)
        world.registry = live.current()
        world.sweeper.step()
        yield Hub(world, store, live)


def referred(hub: Hub, people: int) -> list[str]:
    """So many people were referred to the organiser; their trajectories."""
    sent = tuple(
        submitted("referral.created", OCMW, _referral(number), source_record_id=f"n-{number}")
        for number in range(people)
    )
    ticket = object()
    hub.world.ledger.submit(PublishRequest(sent), ticket)
    outcomes = hub.world.answers_of(ticket)
    assert {one.status for one in outcomes} == {"accepted"}
    hub.world.deliver()
    return [str(one.receipt.trajectory_id) for one in outcomes if one.receipt is not None]


def _referral(number: int) -> dict[str, Any]:
    person = {
        **REFERRAL["person"],
        "family_name": f"Testers{number}",
        "phone": f"+32000{number:06}",
    }
    return {**REFERRAL, "person": person}


def until_stopped(hub: Hub, end: Callable[[], object]) -> int:
    """Read for a second, let the right end, and read on for four; when it ended."""
    for _ in range(7):
        hub.tick()
    end()
    ended = hub.world.clock.now_us()
    for _ in range(40):
        hub.tick()
        if hub.world.clock.now_us() - ended >= LIMIT_US:
            assert None not in hub.unread()
    return ended


def revoke(hub: Hub) -> None:
    """The agreement is revoked in the registry, as `schakel registry apply` does."""
    content = demo_content()
    for one in content["agreements"]:
        if one["agreement_id"] == PROTOCOL:
            one["status"] = "revoked"
    hub.store.apply(parse(content, "test"), "test")


def test_a_revoked_agreement_stops_a_thousand_within_two_seconds(hub: Hub) -> None:
    """Those read before are disclosed; all others are stopped with the leg, without being read."""
    referred(hub, 500)
    ended = until_stopped(hub, lambda: revoke(hub))
    disclosed, unread = hub.disclosed(), hub.unread()

    assert disclosed
    assert len(hub.read) == len(disclosed)
    assert max(disclosed) <= ended + LIMIT_US
    assert len(disclosed) + len(unread) == 1_000
    assert set(unread) == {"agreement"}


def test_an_objection_stops_at_once(hub: Hub) -> None:
    """No registry has to be read for it: the next page has nothing of those who object."""
    cases = referred(hub, 40)

    def object_all() -> None:
        for case in cases:
            scope = {"scope": {"organisation": ORGANISER_URN}}
            name = "subject.objection_recorded"
            hub.world.send(name, OCMW, scope, trajectory_id=case, subject=case)

    hub.page()
    object_all()
    ended = hub.world.clock.now_us()
    for _ in range(10):
        hub.tick()

    assert max(hub.disclosed()) <= ended
    assert len(hub.disclosed()) == PAGE
    assert set(hub.unread()) == {"objection"}


def test_an_ended_membership_stops_at_once(hub: Hub) -> None:
    """Withdrawn referrals are not read any more, and the rest of the page is."""
    cases = referred(hub, 40)
    hub.page()
    hub.world.clock.advance(TICK)
    for case in cases[:30]:
        referral = hub.world.rows(case)[0].aggregate_id
        data = {"reason": "person_request"}
        hub.world.send("referral.withdrawn", OCMW, data, trajectory_id=case, subject=referral)
    for _ in range(10):
        hub.tick()

    unread = hub.unread()

    assert set(unread) == {"membership_ended"}
    assert len(unread) == 2 * 30 - PAGE
