"""The parts of the alerts that the deliverer's process sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumers import alerting
from consumers.alerting import Alerting, Owner
from consumers.clock import date_of
from consumers.mail import Mailer
from gateway.companion import start_companion
from gateway.exchange.alert_addresses import owner_of
from gateway.exchange.legs import reason
from gateway.exchange.text_seal import TextSeal

if TYPE_CHECKING:
    import threading

    from consumers.sending import Sender
    from gateway.door_parts import DoorParts
    from gateway.settings import HubSettings


class AlertParts:
    """A thread beside the deliverer's, with `sender` for webhooks and the mail server for mail."""

    def __init__(self, settings: HubSettings, doors: DoorParts, sender: Sender) -> None:
        self._doors = doors
        self._alerting = Alerting(
            doors.reading,
            doors.writing,
            sender=sender,
            seal=TextSeal(doors.encryption),
            clock=doors.clock,
            owner=self._owner,
            mailer=None if settings.mail is None else Mailer(settings.mail),
            hub=settings.base_url.rstrip("/"),
            sentence=reason,
        )

    def start(self, stop: threading.Event) -> threading.Thread:
        """Tell owners until `stop` is set; without this thread the process ends, to begin anew."""
        return start_companion("alerts", lambda: alerting.run(self._alerting, stop), stop)

    def _owner(self, participant: str) -> Owner | None:
        day = date_of(self._doors.clock.now_us())
        return owner_of(self._doors.registry.live.current(), participant, day)
