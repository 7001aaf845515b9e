"""What each part of an event's way costs, one by one, in microseconds of one thread.

The whole hub's figures say what a process needs for an event; these say which of its parts needs
it. Everything is the hub's own code, on a store of its own in a temporary folder.
"""

from __future__ import annotations

import gc
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from consumers.clock import SystemClock
from consumers.database import Stores
from gateway.api.fair_use import SCOPE_KEY, FairUse
from gateway.api.publishing import Publisher
from gateway.exchange import sealing
from gateway.exchange.budgets import Limits, Rate
from gateway.oauth.senders import DPOP, Sender
from gateway.oauth.verifier import Principal
from schemas.catalogue import catalogue
from schemas.leaf import GENESIS, Leaf
from schemas.merkle import leaf_hash, node_hash
from tests.e2e.running_hub import referral
from tests.gateway.exchange.exchange_world import (
    OCMW,
    ORGANISER,
    REFERRAL,
    demo_registry,
    exchange,
)
from tests.gateway.exchange.test_sealing import decided
from tests.hub_front import ISSUER, hub_front
from tests.store_fixtures import migrated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.exchange.handover import HandOver
    from tests.gateway.exchange.exchange_world import World

ROUNDS = 5
CALLS = 200
EVENTS = 100
URL = f"{ISSUER}/v1/events"
PLENTY = Rate(1e12, 1e12)


def figures(calls: int = CALLS) -> dict[str, float]:
    """Every part by its name."""
    with TemporaryDirectory() as folder:
        return {
            **_callers(Path(folder), calls),
            **_events(Path(folder) / "world", min(calls, EVENTS)),
        }


def _callers(folder: Path, calls: int) -> dict[str, float]:
    """What is done once for each call, however many events are in it."""
    stores = migrated(Stores.sqlite(folder))
    with hub_front(stores.ledger, folder) as front:
        forger = front.forger()
        bound = front.bound_token(forger)
        bare = front.token()
        proofs = iter([forger.proof("POST", URL, bound) for _ in range(calls * ROUNDS)])
        alone = Sender("POST", "/v1/events")
        front.verifier.verify(bare, alone)
        registry = front.live.current
        principal = front.verifier.verify(bare, alone)
        fair_use = FairUse(registry, plenty())
        return {
            "part: token, remembered, us a call": _each(
                calls, lambda: front.verifier.verify(bare, alone)
            ),
            "part: token with proof of its key, us a call": _each(
                calls,
                lambda: front.verifier.verify(
                    bound, Sender("POST", "/v1/events", DPOP, (next(proofs),))
                ),
            ),
            "part: budgets, us a call": _each(calls, lambda: _entered(fair_use, principal)),
        }


def _events(folder: Path, events: int) -> dict[str, float]:
    """What is done for each event, before, in and after its commit."""
    folder.mkdir()
    publisher = Publisher(catalogue(), "test", demo_registry, SystemClock())
    body = referral()
    principal = Principal(
        f"{OCMW}-connector", OCMW, frozenset({"sj_referral_write"}), trusted_trace=False, role="O"
    )
    with exchange(migrated(Stores.sqlite(folder)), folder) as world:
        for number in range(events):
            world.send("referral.created", OCMW, REFERRAL, source_record_id=f"D-{number}")
        world.deliver()
        prepared = sealing.prepare(decided(), b"{}")
        keys = world.keys.data_keys(prepared.needs())
        return {
            "part: parse and validate, us an event": _each(
                events, lambda: publisher.structured(body, principal, "")
            ),
            "part: encode and commit to it, us an event": _each(
                events, lambda: sealing.prepare(prepared.event, b"{}")
            ),
            "part: seal, us an event": _each(events, lambda: sealing.seal(prepared, keys)),
            "part: leaf and nodes, us an event": _each(events, lambda: _leaf(prepared)),
            "part: hand over, first time, us a copy": _hand_over(world.handover, world, events),
            "part: hand over, again, us a copy": _hand_over(world.handover, world, events),
        }


def plenty() -> Limits:
    """Budgets that nothing uses up."""
    return Limits(calls=PLENTY, events=PLENTY, content=PLENTY, concurrent=1_000)


def _entered(fair_use: FairUse, principal: Principal) -> None:
    scope: dict[str, Any] = {"method": "POST", "headers": [(b"content-length", b"600")]}
    fair_use.enter(scope, principal)
    scope[SCOPE_KEY].leave()


def _leaf(prepared: sealing.Prepared) -> None:
    """A leaf, and the two nodes that each needs in the long run."""
    event = prepared.event
    leaf = Leaf(
        participant=event.producer,
        count=1,
        previous=GENESIS,
        event_id=event.event_id,
        recorded_at=event.recorded_at,
        decision="accepted",
        agreement=event.agreement_id,
        agreement_hash=event.agreement_hash,
        record_sha256=prepared.commitment,
        commitment=prepared.commitment,
    )
    own = leaf_hash(leaf.canonical())
    node_hash(node_hash(own, own), own)


def _hand_over(door: HandOver, world: World, events: int) -> float:
    entries = world.inbox(ORGANISER)[:events]
    with _quiet():
        began = time.perf_counter()
        door.hand_over(ORGANISER, entries, "feed")
        return (time.perf_counter() - began) * 1e6 / len(entries)


def _each(calls: int, work: Callable[[], object]) -> float:
    """The best of a few rounds, so that other work on the machine counts least."""
    best = float("inf")
    with _quiet():
        for _ in range(ROUNDS):
            began = time.perf_counter()
            for _ in range(calls):
                work()
            best = min(best, (time.perf_counter() - began) / calls)
    return best * 1e6


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the collector, which the hub keeps off its hot path too."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
