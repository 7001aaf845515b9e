"""A world of webhooks whose owners are told what waits, and dead letters without a network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consumers import dead_letters, retrying, subscriptions
from consumers.alerting import Alerting, Owner
from consumers.mail import Mailer, MailSettings
from consumers.scope import Scope
from consumers.sending import Tried
from schemas.errors import Message
from tests.consumers.webhook_world import OCMW

if TYPE_CHECKING:
    from consumers.sending import Envelope
    from tests.consumers.webhook_world import World

HUB = "https://hub.example.org"
CONTACT = "activering@ocmw-tienen.example.org"
EXCERPT = "Testers is unknown here"


class Refusing:
    """Takes every fourth event, so that the breaker stays shut, and refuses the others for good."""

    def __init__(self) -> None:
        self.asked = 0

    def send(self, envelope: Envelope, message_id: str, body: bytes) -> Tried:
        """One attempt that no network sees."""
        del envelope, message_id, body
        self.asked += 1
        if self.asked % 4 == 0:
            return Tried(retrying.Verdict("delivered"), 1)
        return Tried(retrying.Verdict("refused", "http_422"), 1, EXCERPT)


def mailer(port: int) -> Mailer:
    """To a server on loopback."""
    return Mailer(MailSettings("127.0.0.1", port, "none", "hub@schakel.example.org"))


@dataclass
class Telling:
    """The world, and the worker that tells."""

    world: World
    owners: dict[str, Owner] = field(default_factory=lambda: {OCMW: Owner(CONTACT)})

    def __post_init__(self) -> None:
        self._arrived = 0
        self._real = self.world.turns.sender
        object.__setattr__(self.world.turns, "sender", Refusing())

    def worker(self, port: int | None) -> Alerting:
        """One, with a mail server at this port or none."""
        return Alerting(
            self.world.reading,
            self.world.writing,
            sender=self._real,
            seal=self.world.seal,
            clock=self.world.clock,
            owner=self.owners.get,
            mailer=None if port is None else mailer(port),
            hub=HUB,
            sentence=sentence,
        )

    def give_up(self, count: int = 1, **wanted: str) -> str:
        """A subscription with that many dead letters; its id."""
        made = self.world.subscribe("http://127.0.0.1:9/hook", concurrency=1, **wanted)
        self.fail(count)
        return made

    def fail(self, count: int = 1) -> None:
        """So many more dead letters of the one subscription."""
        seen = self._arrived
        while self._arrived - self._arrived // 4 < seen - seen // 4 + count:
            self._arrived += 1
        self.world.arrive(*range(seen, self._arrived), trajectories=50)
        for _ in range(3):
            self.world.settle()
            self.world.clock.advance(1)

    def mend(self, subscription_id: str) -> None:
        """Give up for good what waits."""
        letters = self.world.letters(subscription_id)
        with self.world.writing.begin() as connection:
            dead_letters.discard(
                connection, letters, by="c", why="seen", now=self.world.clock.now_us()
            )

    def redirect(self, subscription_id: str, email: str | None) -> None:
        """Have mail go elsewhere."""
        with self.world.writing.begin() as connection:
            subscriptions.change(connection, Scope(OCMW), subscription_id, alert_email=email)

    def pass_by(self, worker: Alerting, *, minutes: int = 0, hours: int = 0) -> None:
        """Let time pass, with the worker looking at every hour."""
        for seconds in [3600] * hours + [60] * minutes:
            self.world.clock.advance(seconds)
            worker.step()


def sentence(code: str) -> Message:
    """What a code means."""
    return Message(nl=f"zin over {code}", en=f"sentence on {code}")
