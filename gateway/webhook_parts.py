"""The parts of webhooks: what the deliverer is made of, and what calls receivers."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from consumers import deliver
from consumers.addresses import AddressPolicy, SystemResolver
from consumers.leases import open_leases
from consumers.posting import Poster
from consumers.receiver_tokens import ReceiverTokens
from consumers.sending import Sender
from consumers.turn import Turns
from consumers.wake import wakers
from gateway.alert_parts import AlertParts
from gateway.door_parts import DoorParts
from gateway.exchange.text_seal import TextSeal
from gateway.exchange.webhook_door import WebhookDoor
from gateway.registry_parts import business_clock

if TYPE_CHECKING:
    import threading

    from gateway.registry_parts import RegistryParts
    from gateway.settings import HubSettings


class ReceiverParts:
    """What calls receivers: which may be called, and the one way to do it."""

    def __init__(self, settings: HubSettings) -> None:
        self.policy = AddressPolicy(allows_loopback=settings.webhook_loopback)
        self._poster = Poster(self.policy, SystemResolver())
        self.sender = Sender(self._poster, ReceiverTokens(self._poster))

    def close(self) -> None:
        """End the connections."""
        self._poster.close()


class DeliverParts:
    """Everything the deliverer's process is made of."""

    def __init__(self, settings: HubSettings, registry: RegistryParts) -> None:
        self._settings = settings
        clock = business_clock(settings, registry.ledger_reader)
        self._doors = DoorParts(settings, registry, clock)
        self._receivers = ReceiverParts(settings)
        self._alerts = AlertParts(settings, self._doors, self._receivers.sender)
        self._threads = deliver.Threads()
        self._turns = Turns(
            self._doors.reading,
            self._doors.writing,
            render=WebhookDoor(self._doors.hand_over),
            sender=self._receivers.sender,
            seal=TextSeal(self._doors.encryption),
            clock=clock,
            hands=self._threads,
            chance=random.SystemRandom().random,
        )

    def run(self, stop: threading.Event) -> None:
        """Deliver until `stop` is set; blocks."""
        woken = wakers(self._settings.stores, self._settings.run_dir)
        self._doors.start()
        listener, waker = woken.listener(deliver.NAME), woken.waker(deliver.NAME)
        deliverer = deliver.Deliverer(
            self._turns,
            leases=open_leases(self._doors.writing, self._settings.run_dir / "deliver.lock"),
            threads=self._threads,
            listener=listener,
            waker=waker,
            stop=stop,
        )
        telling = self._alerts.start(stop)
        try:
            deliverer.run()
        finally:
            stop.set()
            telling.join()
            self._receivers.close()
            waker.close()
            listener.close()
            self._doors.stop()
            self._doors.close()
