"""The parts of webhooks: what the deliverer is made of, and what the gateway needs of it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from consumers import deliver
from consumers.addresses import AddressPolicy, SystemResolver
from consumers.database import open_engine
from consumers.leases import open_leases
from consumers.posting import Poster
from consumers.receiver_tokens import ReceiverTokens
from consumers.sending import Sender
from consumers.turn import Turns
from consumers.wake import wakers
from gateway.exchange.handover import HandOver
from gateway.exchange.key_watch import KeyWatch
from gateway.exchange.keys import KeyStore
from gateway.exchange.render import Renderer
from gateway.exchange.text_seal import TextSeal
from gateway.exchange.webhook_door import WebhookDoor
from gateway.hub_parts import business_clock, key_encryption

if TYPE_CHECKING:
    import threading

    from gateway.hub_parts import RegistryParts
    from gateway.settings import HubSettings


def address_policy(settings: HubSettings) -> AddressPolicy:
    """Which receivers may be called."""
    return AddressPolicy(allows_loopback=settings.webhook_loopback)


class DeliverParts:
    """Everything the deliverer's process is made of."""

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
        self._poster = Poster(address_policy(settings), SystemResolver())
        self._threads = deliver.Threads()
        clock = business_clock(settings, registry.ledger_reader)
        hand_over = HandOver(
            Renderer(registry.live.current, keys, clock),
            registry.ledger_reader,
            self._reading,
            self._writing,
            clock,
        )
        self._turns = Turns(
            self._reading,
            self._writing,
            render=WebhookDoor(hand_over),
            sender=Sender(self._poster, ReceiverTokens(self._poster)),
            seal=TextSeal(encryption),
            clock=clock,
            hands=self._threads,
            chance=random.SystemRandom().random,
        )

    def run(self, stop: threading.Event) -> None:
        """Deliver until `stop` is set; blocks."""
        woken = wakers(self._settings.stores, self._settings.run_dir)
        self._registry.live.start()
        self._key_watch.start()
        listener, waker = woken.listener(deliver.NAME), woken.waker(deliver.NAME)
        deliverer = deliver.Deliverer(
            self._turns,
            leases=open_leases(self._writing, self._settings.run_dir / "deliver.lock"),
            threads=self._threads,
            listener=listener,
            waker=waker,
            stop=stop,
        )
        try:
            deliverer.run()
        finally:
            self._poster.close()
            waker.close()
            listener.close()
            self._key_watch.stop()
            self._registry.live.stop()
            for engine in (self._reading, self._writing, self._keys_engine):
                engine.dispose()
