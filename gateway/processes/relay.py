"""The process `relay`: from the ledger to the log, and into the tree of proofs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from consumers.database import open_engine
from consumers.log import SupervisedProducer
from consumers.wake import wakers
from gateway.companion import start_companion
from gateway.exchange import relay as relaying
from gateway.exchange.drains import open_drain
from gateway.exchange.sealer import SEALER_LOCK, Sealer
from gateway.exchange.seats import open_seat
from gateway.processes.background import step_back
from gateway.processes.collector import spare_collections

if TYPE_CHECKING:
    import threading

    from gateway.settings import HubSettings

RELAY: Final = "relay"


def run(settings: HubSettings) -> None:
    """Publish what the ledger accepted to Kafka, in order per trajectory; number it for proof."""
    stop = step_back()
    ledger = open_engine(settings.stores.ledger)
    woken = wakers(settings.stores, settings.run_dir)
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    drain = open_drain(ledger, woken.waker("ledger"), settings.run_dir / "relay.lock")
    producer = SupervisedProducer(settings.log_settings(RELAY))
    sealing = _sealing(settings, stop)
    spare_collections()
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
            for one in (engine, reader):
                one.dispose()

    return start_companion("sealer", seal, stop)
