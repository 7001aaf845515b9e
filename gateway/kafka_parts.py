"""The parts of the Kafka door's process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumers import kafka_door
from consumers.clock import date_of
from consumers.kafka_access import KafkaAccess
from consumers.kafka_door import KafkaDoor
from consumers.leases import open_leases
from consumers.log import LogAdmin, SupervisedProducer
from consumers.wake import wakers
from gateway.door_parts import DoorParts
from gateway.exchange.kafka_readers import kafka_readers
from gateway.registry_parts import business_clock

if TYPE_CHECKING:
    import threading

    from gateway.registry_parts import RegistryParts
    from gateway.settings import HubSettings


class KafkaDoorParts:
    """Everything the Kafka door's process is made of."""

    def __init__(self, settings: HubSettings, registry: RegistryParts) -> None:
        self._settings = settings
        self._registry = registry
        self._clock = business_clock(settings, registry.ledger_reader)
        self._doors = DoorParts(settings, registry, self._clock)
        self._admin = LogAdmin(settings.log_settings(kafka_door.NAME))
        self._producer = SupervisedProducer(
            settings.log_settings(kafka_door.NAME), flush_seconds=kafka_door.FLUSH_SECONDS
        )
        self._door = KafkaDoor(
            self._doors.reading,
            self._doors.writing,
            self._doors.hand_over.copies,
            self._producer,
            KafkaAccess(self._admin, replication=settings.replication),
            self._readers,
        )

    def run(self, stop: threading.Event) -> None:
        """Write until `stop` is set; blocks."""
        run_dir = self._settings.run_dir
        listener = wakers(self._settings.stores, run_dir).listener(kafka_door.NAME)
        leases = open_leases(self._doors.writing, run_dir / f"{kafka_door.NAME}.lock")
        self._doors.start()
        try:
            kafka_door.run(self._door, leases, listener, stop)
        finally:
            leases.close()
            listener.close()
            self._producer.close()
            self._admin.close()
            self._doors.stop()
            self._doors.close()

    def _readers(self) -> dict[str, frozenset[str]]:
        return kafka_readers(self._registry.live.current(), date_of(self._clock.now_us()))
