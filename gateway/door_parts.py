"""What every process with a door hands events over with: inboxes, keys and the hand-over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumers.database import open_engine
from gateway.exchange.handover import HandOver
from gateway.exchange.key_file import FileKeyEncryption
from gateway.exchange.key_rotation import holds_keys
from gateway.exchange.key_watch import KeyWatch
from gateway.exchange.keys import KeyStore
from gateway.exchange.render import Renderer

if TYPE_CHECKING:
    from consumers.clock import Clock
    from gateway.registry_parts import RegistryParts
    from gateway.settings import HubSettings


class DoorParts:
    """The stores of inboxes and keys, and the one hand-over that reads them.

    `start` before the first copy, `stop` after the last; `close` gives the connections back.
    """

    def __init__(self, settings: HubSettings, registry: RegistryParts, clock: Clock) -> None:
        stores = settings.stores
        self.registry = registry
        self.clock = clock
        self.reading = open_engine(stores.consumers, read_only=True)
        self.writing = open_engine(stores.consumers)
        self.keys_engine = open_engine(stores.keys)
        # A missing file is made only while nothing needs an older one.
        self.encryption = FileKeyEncryption(
            settings.key_file,
            may_create=lambda: not holds_keys(self.keys_engine, registry.ledger_reader),
        )
        self.keys = KeyStore(self.keys_engine, self.encryption)
        self._watch = KeyWatch(self.keys_engine, self.keys)
        self.hand_over = HandOver(
            Renderer(registry.live.current, self.keys, clock),
            registry.ledger_reader,
            self.reading,
            self.writing,
            clock,
        )

    def start(self) -> None:
        """Start the threads that follow the registry and the keys."""
        self.registry.live.start()
        self._watch.start()

    def stop(self) -> None:
        """End them."""
        self._watch.stop()
        self.registry.live.stop()

    def close(self) -> None:
        """Close the connections to inboxes and keys, and the registry's."""
        for engine in (self.reading, self.writing, self.keys_engine):
            engine.dispose()
        self.registry.close()
