"""The parts of the Kafka door's process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumers import kafka_door
from consumers.clock import date_of
from consumers.database import open_engine
from consumers.kafka_access import KafkaAccess
from consumers.kafka_door import KafkaDoor
from consumers.leases import open_leases
from consumers.log import LogAdmin, SupervisedProducer
from consumers.wake import wakers
from gateway.exchange.handover import HandOver
from gateway.exchange.kafka_readers import kafka_readers
from gateway.exchange.key_watch import KeyWatch
from gateway.exchange.keys import KeyStore
from gateway.exchange.render import Renderer
from gateway.hub_parts import business_clock, key_encryption

if TYPE_CHECKING:
    import threading

    from gateway.hub_parts import RegistryParts
    from gateway.settings import HubSettings


class KafkaDoorParts:
    """Everything the Kafka door's process is made of."""

    def __init__(self, settings: HubSettings, registry: RegistryParts) -> None:
        stores = settings.stores
        self._settings = settings
        self._registry = registry
        self._keys_engine = open_engine(stores.keys)
        encryption = key_encryption(settings, self._keys_engine, registry.ledger_reader)
        keys = KeyStore(self._keys_engine, encryption)
        self._key_watch = KeyWatch(self._keys_engine, keys)
        self._reading = open_engine(stores.consumers, read_only=True)
        self._writing = open_engine(stores.consumers)
        self._admin = LogAdmin(settings.log_settings(kafka_door.NAME))
        self._producer = SupervisedProducer(
            settings.log_settings(kafka_door.NAME), flush_seconds=kafka_door.FLUSH_SECONDS
        )
        self._clock = business_clock(settings, registry.ledger_reader)
        hand_over = HandOver(
            Renderer(registry.live.current, keys, self._clock),
            registry.ledger_reader,
            self._reading,
            self._writing,
            self._clock,
        )
        self._door = KafkaDoor(
            self._reading,
            self._writing,
            hand_over.copies,
            self._producer,
            KafkaAccess(self._admin, replication=settings.replication),
            self._readers,
        )

    def run(self, stop: threading.Event) -> None:
        """Write until `stop` is set; blocks."""
        run_dir = self._settings.run_dir
        listener = wakers(self._settings.stores, run_dir).listener(kafka_door.NAME)
        leases = open_leases(self._writing, run_dir / f"{kafka_door.NAME}.lock")
        self._registry.live.start()
        self._key_watch.start()
        try:
            kafka_door.run(self._door, leases, listener, stop)
        finally:
            leases.close()
            listener.close()
            self._producer.close()
            self._admin.close()
            self._key_watch.stop()
            self._registry.live.stop()
            for engine in (self._reading, self._writing, self._keys_engine):
                engine.dispose()

    def _readers(self) -> dict[str, frozenset[str]]:
        return kafka_readers(self._registry.live.current(), date_of(self._clock.now_us()))
