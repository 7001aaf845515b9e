"""A thousand events wait at a door while the right to them ends, on the hub's own clock.

Time moves a tenth of a second a tick; the registry is polled and what is queued is swept as often
as the hub does. So what is compared are recorded times: when the change was committed, and when
each copy was rendered and left.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from consumers import views
from consumers.scope import Scope
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
from tests.registry_fixtures import demo_content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from consumers.database import Stores

PROTOCOL = "demo-ocmw-organiser-2026"
KAFKA_CLIENT = "wijkwerk-hageland-kafka"
TICK = 0.1
POLL_TICKS = 15
"""`LiveRegistry` polls every three quarters of its two seconds."""
SWEEP_TICKS = 4
LIMIT_US = 2_000_000


@dataclass
class Hub:
    """The exchange, with a registry in the store that is polled, and one door that is worked.

    Attributes:
        work: what the door does in one tick.
    """

    world: World
    store: RegistryStore
    live: LiveRegistry
    ticks: int = 0
    work: Callable[[], object] = field(default=lambda: None)

    def pass_time(self) -> None:
        """A tenth of a second: poll and sweep when it is time."""
        self.world.clock.advance(TICK)
        self.ticks += 1
        if self.ticks % POLL_TICKS == 0:
            self.world.registry = self.live.refresh()
        if self.ticks % SWEEP_TICKS == 0:
            self.world.sweeper.step()

    def tick(self) -> None:
        """Let it pass, and let the door work."""
        self.pass_time()
        self.work()

    def disclosed(self) -> list[int]:
        """When each copy was rendered for the organiser."""
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


@contextmanager
def stopping_hub(stores: Stores, folder: Path) -> Iterator[Hub]:
    """The demonstration's registry, applied; the organiser has a client for Kafka too."""
    with exchange(stores, folder) as world:
        store = RegistryStore(
            world.engines["ledger"], environment="test", now_us=world.clock.now_us
        )
        store.apply(parse(content(), "test"), "test")
        live = LiveRegistry(store)
        world.registry = live.current()
        world.sweeper.step()
        yield Hub(world, store, live)


def content(revoked: Sequence[str] = ()) -> Any:
    """The registry's file, with these agreements revoked."""
    made = demo_content()
    for one in made["agreements"]:
        if one["agreement_id"] in revoked:
            one["status"] = "revoked"
    clients = next(
        participant["clients"]
        for organisation in made["organisations"]
        for participant in organisation["participants"]
        if participant["id"] == ORGANISER
    )
    clients.append({"id": KAFKA_CLIENT, "name": "Kafka", "scopes": ["sj_kafka_read"]})
    return made


def revoke(hub: Hub, *agreements: str) -> None:
    """Agreements are revoked in the registry, as `schakel registry apply` does."""
    hub.store.apply(parse(content(agreements or (PROTOCOL,)), "test"), "test")


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


def until_stopped(hub: Hub, end: Callable[[], object], ticks: int = 40) -> int:
    """Work for a second, let the right end, and work on for four; when it ended."""
    for _ in range(7):
        hub.tick()
    end()
    ended = hub.world.clock.now_us()
    for _ in range(ticks):
        hub.tick()
        if hub.world.clock.now_us() - ended >= LIMIT_US:
            assert None not in hub.unread()
    return ended


def object_all(hub: Hub, cases: Sequence[str]) -> None:
    """All these persons object to what the organiser does."""
    for case in cases:
        scope = {"scope": {"organisation": ORGANISER_URN}}
        name = "subject.objection_recorded"
        hub.world.send(name, OCMW, scope, trajectory_id=case, subject=case)


def withdraw_all(hub: Hub, cases: Sequence[str]) -> None:
    """All these referrals are withdrawn, so that the organiser takes no part any more."""
    for case in cases:
        referral = hub.world.rows(case)[0].aggregate_id
        data = {"reason": "person_request"}
        hub.world.send("referral.withdrawn", OCMW, data, trajectory_id=case, subject=referral)
