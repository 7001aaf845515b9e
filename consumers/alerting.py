"""The worker that tells owners what waits for them, by mail and by webhook, beside the deliverer.

Several may run: an attempt is claimed first, and a claim that its process did not live to end
lapses. A webhook is repeated under the same id; a letter that the mail server may have is not, so
that nobody gets two (decision 50). Nothing here makes a dead letter.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from consumers import alert_texts, alerts, mail, subscriptions, waiting
from consumers.alert_texts import Notice
from consumers.alerts import MAIL, Alert
from consumers.errors import SecretLost
from consumers.retrying import DAY_US
from consumers.scope import Scope
from consumers.sending import Envelope
from consumers.waiting import KAFKA

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    import sqlalchemy as sa

    from consumers.alerts import Outcome
    from consumers.clock import Clock
    from consumers.mail import Mailer
    from consumers.sending import Sender
    from consumers.subscriptions import Subscription
    from consumers.waiting import Waiting
    from consumers.webhook_secrets import Seal
    from schemas.errors import Message

POLL_SECONDS: Final = 5.0
KEPT_US: Final = 35 * DAY_US
_OF_ANSWER: Final[dict[str, Outcome]] = {
    "delivered": "sent",
    "refused": "refused",
    "gone": "refused",
}

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Owner:
    """Whoever is told about a participant's dead letters; its repr shows no address.

    Attributes:
        email: of its contact in the registry, for when the subscription says nothing else.
    """

    email: str | None

    def __repr__(self) -> str:
        return "Owner()"


@dataclass(slots=True)
class Alerting:
    """Owes, sends and ends alerts; for one thread.

    Args:
        reading: read-only engine of the consumers' store.
        writing: writing engine of the consumers' store.
        owner: of a participant, by the registry of now; None when it takes no part now.
        mailer: None when this installation sends no mail.
        hub: where partners reach it, without a slash at its end.
        sentence: of a code, for people.
    """

    reading: sa.Engine
    writing: sa.Engine
    sender: Sender
    seal: Seal
    clock: Clock
    owner: Callable[[str], Owner | None]
    mailer: Mailer | None
    hub: str
    sentence: Callable[[str], Message]
    _forgotten_at: int = 0

    def step(self, is_stopping: Callable[[], bool] = lambda: False) -> None:
        """Owe what is owed by now, and try once what is due, unless it is to stop.

        Raises:
            SQLAlchemyError: the store does not answer; what was begun is tried again later.
        """
        now = self.clock.now_us()
        with self.reading.connect() as connection:
            untold = waiting.untold(connection, now - DAY_US)
        for participant, about in untold:
            with self.writing.begin() as connection:
                if alerts.owe_again(connection, participant, about, now):
                    _log.warning(
                        "dead_letters_waiting", subscription=about, participant=participant
                    )
        with self.reading.connect() as connection:
            due = alerts.due(connection, now)
        is_mail_away = False
        for one in due:
            # One letter finds out for all of them that the server is away.
            if not is_stopping() and (one.channel != MAIL or not is_mail_away):
                is_mail_away = self._try_alone(one) or is_mail_away
        self._forget(now)

    def _try_alone(self, seen: Alert) -> bool:
        try:
            return self._try(seen)
        except SQLAlchemyError:
            raise
        except Exception as error:  # noqa: BLE001 - the edge of one alert; the others go on
            _log.error("alert_failed", alert=seen.id, error=type(error).__name__)
            return False

    def _try(self, seen: Alert) -> bool:
        """One attempt; whether the mail server is away."""
        if seen.handed_at is not None:
            self._end(seen, "unsure", "process_ended")
            return False
        with self.reading.connect() as connection:
            found = subscriptions.one(connection, Scope(seen.participant), seen.about)
            waits = (
                waiting.of_kafka(connection, seen.participant)
                if seen.about == KAFKA
                else waiting.of_subscription(connection, seen.participant, seen.about)
            )
        if waits is None:
            self._end(seen, "moot")
            return False
        if seen.channel == MAIL:
            return self._mail(seen, found, waits)
        self._post(seen, found, waits)
        return False

    def _mail(self, seen: Alert, found: Subscription | None, waits: Waiting) -> bool:
        if self.mailer is None:
            self._end(seen, "off")
            return False
        address = self._address(seen, found)
        if address is None:
            self._end(seen, "nobody")
            return False
        if not self._claim(seen):
            return False
        notice = self._notice(seen, waits)
        letter = mail.Letter(
            seen.id, address, alert_texts.subject(notice), alert_texts.text(notice)
        )
        posted = self.mailer.send(letter, lambda: self._hand(seen))
        if posted.kind == "later":
            self._later(seen, posted.code)
        elif posted.kind != "withheld":
            self._end(seen, posted.kind, posted.code)
        return posted.is_away

    def _address(self, seen: Alert, found: Subscription | None) -> str | None:
        """Where mail goes as things stand now; None for nowhere."""
        owner = self.owner(seen.participant)
        if owner is None:
            return None
        chosen = None if found is None else found.alert_email
        address = owner.email if chosen is None else chosen
        return address if address and mail.is_address(address) else None

    def _post(self, seen: Alert, found: Subscription | None, waits: Waiting) -> None:
        if found is None or found.alert_url is None or self.owner(seen.participant) is None:
            self._end(seen, "nobody")
            return
        if not self._claim(seen):
            return
        # Real time, as signatures are. Its receiver's token, if it has one, is for that receiver.
        try:
            secrets = subscriptions.signing_secrets(found, self.seal, time.time_ns() // 1000)
        except SecretLost as error:
            self._later(seen, error.code)
            return
        envelope = Envelope(f"alerts:{found.id}", found.alert_url, secrets)
        body = alert_texts.cloud_event(self._notice(seen, waits))
        verdict = self.sender.send(envelope, seen.id, body).verdict
        outcome = _OF_ANSWER.get(verdict.kind)
        if outcome is None:
            self._later(seen, verdict.code)
        else:
            self._end(seen, outcome, verdict.code)

    def _notice(self, seen: Alert, waits: Waiting) -> Notice:
        about = None if seen.about == KAFKA else seen.about
        return Notice(seen.id, about, waits, self.hub, self.sentence)

    def _claim(self, seen: Alert) -> bool:
        with self.writing.begin() as connection:
            return alerts.claim(connection, seen, self.clock.now_us())

    def _hand(self, seen: Alert) -> bool:
        with self.writing.begin() as connection:
            return alerts.hand(connection, seen, self.clock.now_us())

    def _later(self, seen: Alert, code: str) -> None:
        with self.writing.begin() as connection:
            alerts.take_back(connection, seen)
        _log.warning("alert_delayed", alert=seen.id, channel=seen.channel, code=code)

    def _end(self, seen: Alert, outcome: Outcome, code: str = "") -> None:
        with self.writing.begin() as connection:
            alerts.end(connection, seen, outcome, self.clock.now_us())
        told = {"alert": seen.id, "channel": seen.channel, "about": seen.about}
        if outcome == "sent":
            _log.info("alert_sent", **told)
        elif outcome in {"unsure", "refused"} or (outcome == "nobody" and seen.channel == MAIL):
            _log.warning("alert_not_sent", **told, why=code or outcome)

    def _forget(self, now: int) -> None:
        if now - self._forgotten_at < DAY_US:
            return
        self._forgotten_at = now
        with self.writing.begin() as connection:
            alerts.forget(connection, before=now - KEPT_US)


def run(alerting: Alerting, stop: threading.Event) -> None:
    """Tell owners until `stop` is set; what fails is tried again and nothing is skipped."""
    if alerting.mailer is None:
        _log.info("alert_mail_off", setting="SCHAKEL_MAIL_HOST")
    while not stop.is_set():
        try:
            alerting.step(stop.is_set)
        except SQLAlchemyError as error:
            _log.warning("alerting_waits", error=type(error).__name__)
        stop.wait(POLL_SECONDS)
