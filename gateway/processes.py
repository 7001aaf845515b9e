"""The composition root of every process of the hub: where the parts are made and joined.

Nothing else makes an engine, a key store, a producer or a server. Each function here runs one
process until it is asked to stop (SIGTERM, SIGINT) and finishes what it has begun.
"""

from __future__ import annotations

import gc
import os
import signal
import threading
from typing import TYPE_CHECKING

from consumers import evidence
from consumers.database import open_engine
from consumers.log import LogConsumer, SupervisedProducer
from consumers.spans import Tracing
from consumers.wake import wakers
from gateway.api.application import create_app
from gateway.api.management import create_management
from gateway.bootstrap import ensure_administrator
from gateway.exchange import relay as relaying
from gateway.exchange import route as routing
from gateway.exchange.drains import open_drain
from gateway.exchange.sealer import SEALER_LOCK, Sealer
from gateway.exchange.seats import open_seat
from gateway.hub_parts import GatewayParts
from gateway.installing import upgrade_stores
from gateway.kafka_parts import KafkaDoorParts
from gateway.probes import LedgerProbe, StoreProbe
from gateway.provisioning import provision
from gateway.registry_parts import RegistryParts, business_clock
from gateway.serving import serve
from gateway.webhook_parts import DeliverParts
from schemas.topics import topics

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.settings import HubSettings

GATEWAY = "gateway"
RELAY = "relay"
ROUTE = "route"
DELIVER = "deliver"
KAFKA_DOOR = "kafka-door"
FACTS = "activation.fact.v1"
BEHIND = 10
"""Niceness of all but the gateway: on a full machine callers are answered first."""


def gateway(settings: HubSettings) -> None:
    """Serve partners: OAuth, publishing, the feed and the rest of the interface; management."""
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    upgrade_stores(settings.stores)
    registry = RegistryParts(settings)
    ensure_administrator(registry.store, settings)
    registry.live.refresh()
    parts = GatewayParts(settings, registry)
    parts.start()
    draining = threading.Event()
    probes = (
        StoreProbe("ledger", registry.ledger_reader, registry.ledger_engine),
        StoreProbe("consumers", parts.doors.reading, parts.doors.writing),
        StoreProbe("keys", parts.doors.keys_engine, parts.doors.keys_engine),
        LedgerProbe(parts.ledger),
    )
    management = create_management(
        probes,
        parts.figures,
        clock=parts.movable_clock,
        settle=parts.workers.settle,
        is_draining=draining.is_set,
    )
    application = create_app(parts.collaborators(parts.verifier()))
    spare_collections()
    try:
        serve(application, management, settings, draining)
    finally:
        parts.stop()


def spare_collections() -> None:
    """Keep the collector off what lives as long as the process, and call it less often.

    Requests leave few cycles behind, and walking every schema, table and module for them costs
    as much as a stage of the work itself.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def relay(settings: HubSettings) -> None:
    """Publish what the ledger accepted to Kafka, in order per trajectory; number it for proof."""
    stop = _until_asked()
    os.nice(BEHIND)
    ledger = open_engine(settings.stores.ledger)
    woken = wakers(settings.stores, settings.run_dir)
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    drain = open_drain(ledger, woken.waker("ledger"), settings.run_dir / "relay.lock")
    producer = SupervisedProducer(settings.log_settings(RELAY))
    sealing = _sealing(settings, stop)
    try:
        relaying.run(drain, producer, woken.listener(RELAY), stop)
    finally:
        stop.set()
        sealing.join()
        ledger.dispose()


def _sealing(settings: HubSettings, stop: threading.Event) -> threading.Thread:
    """Number leaves beside the relay, in a thread with connections of its own."""
    engine = open_engine(settings.stores.ledger)
    reader = open_engine(settings.stores.ledger, read_only=True)
    seat = open_seat(engine, SEALER_LOCK, settings.run_dir / "sealer.lock")
    sealer = Sealer(engine, reader, seat=seat, stop=stop)

    def seal() -> None:
        try:
            sealer.run()
        finally:
            stop.set()  # without it nothing would be proven, in silence; the process begins anew
            for one in (engine, reader):
                one.dispose()

    thread = threading.Thread(target=seal, name="sealer")
    thread.start()
    return thread


def route(settings: HubSettings) -> None:
    """Place every event in the inboxes of those who may have it, and keep the facts."""
    stop = _until_asked()
    os.nice(BEHIND)
    stores = settings.stores
    registry = RegistryParts(settings)
    names = [one.name for one in topics() if one.name != FACTS and not one.is_per_participant]
    log = LogConsumer(settings.log_settings(ROUTE), names, ROUTE, f"{ROUTE}-1")
    tracing = Tracing(ROUTE, stores.spans, settings.otlp_endpoint, settings.trace_ratio)
    woken = wakers(stores, settings.run_dir)
    registry.live.start()
    placing = routing.Route(
        log=log,
        ledger=registry.ledger_reader,
        consumers=open_engine(stores.consumers),
        registry=registry.live.current,
        clock=business_clock(settings, registry.ledger_reader),
        wakers=tuple(woken.waker(one) for one in ("feed", DELIVER, KAFKA_DOOR)),
        tracing=tracing,
    )
    counting = _counting(settings, placing, stop)
    try:
        routing.run(placing, stop)
    finally:
        stop.set()
        counting.join()
        log.close()
        tracing.close()
        registry.live.stop()


def _counting(
    settings: HubSettings, placing: routing.Route, stop: threading.Event
) -> threading.Thread:
    """Keep facts beside the route, in a thread with a consumer of its own."""
    log = LogConsumer(settings.log_settings(ROUTE), [FACTS], evidence.GROUP, f"{ROUTE}-evidence-1")
    keeping = evidence.Evidence(log, placing.consumers, placing.clock)

    def keep() -> None:
        try:
            evidence.run(keeping, stop)
        finally:
            log.close()
            stop.set()  # without it figures would stand still in silence; the process begins anew

    thread = threading.Thread(target=keep if settings.has_evidence else _nothing, name="evidence")
    thread.start()
    return thread


def _nothing() -> None:
    """Evidence is switched off: facts wait in the log."""


def deliver(settings: HubSettings) -> None:
    """Send events to the receivers of webhook subscriptions."""
    stop = _until_asked()
    os.nice(BEHIND)
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    DeliverParts(settings, RegistryParts(settings)).run(stop)


def kafka_door(settings: HubSettings) -> None:
    """Write participants' copies to their own topics, and keep the broker to the registry."""
    stop = _until_asked()
    os.nice(BEHIND)
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    KafkaDoorParts(settings, RegistryParts(settings)).run(stop)


RUN: dict[str, Callable[[HubSettings], None]] = {
    GATEWAY: gateway,
    RELAY: relay,
    ROUTE: route,
    DELIVER: deliver,
    KAFKA_DOOR: kafka_door,
    "provision": provision,
}
"""Process by the name that `schakel run` takes."""


def _until_asked() -> threading.Event:
    """An event that SIGTERM and SIGINT set. Called on the main thread, once."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
