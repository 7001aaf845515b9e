"""Inboxes, subscriptions and turns on a store, with a clock that stands still."""

from __future__ import annotations

import base64
import json
import random
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from sqlalchemy import event

from consumers import dead_letters, deliveries, inbox, signatures, subscriptions
from consumers.addresses import AddressPolicy, SystemResolver
from consumers.clock import FixedClock
from consumers.database import Stores, open_engine
from consumers.deliver import Threads
from consumers.inbox import InboxRow
from consumers.posting import Poster
from consumers.receiver_tokens import ReceiverTokens
from consumers.scope import WHOLE_HUB, Scope
from consumers.sending import Copy, Sender
from consumers.subscriptions import Subscription, Wanted
from consumers.turn import After, Turns
from schemas.errors import Message, SchakelError
from tests.store_fixtures import migrated

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sqlalchemy.engine import Engine

    from consumers.views import InboxEntry

OCMW, ORGANISER = "ocmw-tienen", "wijk-werk-hageland"
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


class PlainSeal:
    """Says which key sealed, and hides nothing."""

    def __init__(self, key: str = "k1") -> None:
        self.key = key
        self.destroyed: set[str] = set()

    def seal(self, secret: bytes, bound_to: str) -> str:
        """The three together."""
        return json.dumps([self.key, bound_to, secret.decode()])

    def open(self, sealed: str, bound_to: str) -> bytes:
        """The secret, for what it is bound to alone."""
        _, bound, secret = json.loads(sealed)
        assert bound == bound_to
        return str(secret).encode()

    def is_current(self, sealed: str) -> bool:
        """Whether this key sealed it."""
        return bool(json.loads(sealed)[0] == self.key)

    def is_lost(self, sealed: str) -> bool:
        """Whether the key that sealed it is one of those that were destroyed."""
        return json.loads(sealed)[0] in self.destroyed


@dataclass
class Copies:
    """Renders an entry as its id and relation; what is in `stopped` it stops."""

    stopped: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def copies(self, participant: str, entries: Sequence[InboxEntry]) -> list[Copy | None]:
        """One each."""
        assert {one.participant for one in entries} == {participant}
        self.asked += [one.event_id for one in entries]
        if self.broken & {one.event_id for one in entries}:
            raise SchakelError(Message(nl="stuk", en="broken"))
        return [None if one.event_id in self.stopped else _copy(one) for one in entries]


def _copy(entry: InboxEntry) -> Copy:
    data = {"person": {"family_name": "Testers"}, "trajectory": entry.trajectory_id}
    body = {"specversion": "1.0", "id": entry.event_id, "source": "s", "type": "t", "data": data}
    return Copy(json.dumps(body).encode(), "/schemas/ids/7")


def event_id(number: int) -> str:
    """The id of the event of that number."""
    return f"0195a000-0000-7000-8000-{number:012d}"


@dataclass
class World:
    """Everything a deliverer has, in one process."""

    reading: Engine
    writing: Engine
    clock: FixedClock = field(default_factory=FixedClock)
    copies: Copies = field(default_factory=Copies)
    seal: PlainSeal = field(default_factory=PlainSeal)
    seconds: float = 0.4
    threads: Threads = field(default_factory=lambda: Threads(16))

    def __post_init__(self) -> None:
        self.poster = Poster(
            AddressPolicy(allows_loopback=True), SystemResolver(), seconds=self.seconds
        )
        self.turns = Turns(
            self.reading,
            self.writing,
            render=self.copies,
            sender=Sender(self.poster, ReceiverTokens(self.poster)),
            seal=self.seal,
            clock=self.clock,
            hands=self.threads,
            chance=random.Random(7).random,  # noqa: S311 - jitter
        )

    def close(self) -> None:
        """End threads and connections."""
        self.threads.close()
        self.poster.close()

    def arrive(
        self, *numbers: int, trajectories: int = 1, to: str = OCMW, **changes: Any
    ) -> list[str]:
        """Inbox rows; event `n` is of trajectory `n % trajectories`."""
        rows = [
            InboxRow(
                participant=to,
                event_id=event_id(number),
                event_name="referral.created",
                trajectory_id=f"trajectory-{number % trajectories}",
                agreement_id=None,
                relations=("handler",),
                nis="24107",
                programme="wijk_werken",
                backfill=False,
                recorded_at=self.clock.now_us(),
            )
            for number in numbers
        ]
        with self.writing.begin() as connection:
            inbox.append(
                connection, [replace(row, **changes) for row in rows], now=self.clock.now_us()
            )
        return [row.event_id for row in rows]

    def subscribe(self, url: str, to: str = OCMW, **wanted: Any) -> str:
        """An active subscription from the inbox's beginning; its id."""
        with self.writing.begin() as connection:
            made, _ = subscriptions.create(
                connection,
                to,
                Wanted(url, **wanted),
                key=url,
                content_hash="h",
                secret=SECRET,
                seal=self.seal,
                position=0,
                now=self.clock.now_us(),
            )
            subscriptions.change(connection, Scope(to), made.id, state=subscriptions.ACTIVE)
        return made.id

    def replace_secret(self, subscription_id: str) -> str:
        """As its owner does; the new one."""
        fresh = signatures.new_secret()
        with self.writing.begin() as connection:
            found = subscriptions.one(connection, WHOLE_HUB, subscription_id, locked=True)
            assert found is not None
            subscriptions.rotate(
                connection, found, self.seal, secret=fresh, grace_us=0, now=time.time_ns() // 1000
            )
        return fresh

    def step(self) -> int:
        """One turn for each subscription that has work now; how many have more at once."""
        with self.reading.connect() as connection:
            found = subscriptions.agenda(connection, self.clock.now_us())
        return sum(self.turns.take(one) is After.MORE for one in found.ready)

    def settle(self) -> None:
        """Turns until nothing is due at this moment."""
        for _ in range(200):
            if not self.step():
                return
        raise AssertionError("there is always more to do")

    def live(self, seconds: float) -> None:
        """Let business time pass, from one thing that is due to the next."""
        until = self.clock.now_us() + int(seconds * 1_000_000)
        for _ in range(5000):
            self.settle()
            now = self.clock.now_us()
            with self.reading.connect() as connection:
                due = subscriptions.agenda(connection, now).following
                held = [one.held_until for one in subscriptions.every(connection, WHOLE_HUB)]
            later = [one for one in (due, *held) if one is not None and one > now]
            following = min([until, *later])
            if following >= until:
                break
            self.clock.advance((following - self.clock.now_us()) / 1_000_000)
        self.clock.advance((until - self.clock.now_us()) / 1_000_000)
        self.settle()

    def one(self, subscription_id: str) -> Subscription:
        """A subscription as it stands."""
        with self.reading.connect() as connection:
            found = subscriptions.one(connection, WHOLE_HUB, subscription_id)
        assert found is not None
        return found

    def states(self, subscription_id: str) -> dict[str, str]:
        """The state of each delivery, by the last digits of its event."""
        with self.reading.connect() as connection:
            rows = deliveries.newest(
                connection, WHOLE_HUB, subscription_id, state=None, before=None, limit=1000
            )
        return {row.event_id[-3:]: row.state for row in reversed(rows)}

    def letters(self, subscription_id: str) -> list[dead_letters.DeadLetter]:
        """Its open dead letters, the oldest first."""
        with self.reading.connect() as connection:
            found = dead_letters.find(connection, WHOLE_HUB, subscription_id, dead_letters.Choice())
        return found[::-1]


@contextmanager
def on_sqlite(folder: Path) -> Iterator[World]:
    """A world on an empty store that forgets what a crash of the machine would.

    Hours of retries are hundreds of commits; what a killed process leaves is `test_deliver`'s.
    """
    url = migrated(Stores.sqlite(folder)).consumers
    reading, writing = open_engine(url, read_only=True), open_engine(url)
    event.listen(writing, "connect", lambda raw, _: raw.execute("pragma synchronous=off"))
    made = World(reading, writing)
    try:
        yield made
    finally:
        made.close()
        reading.dispose()
        writing.dispose()


class Never:
    """Hands that never come."""

    def lend(self, work: object, wanted: int) -> None:
        """Nobody."""


class SilentWaker:
    """Counts its calls."""

    def __init__(self) -> None:
        self.woken = threading.Event()

    def wake(self, payload: bytes = b"") -> None:
        """Note it."""
        del payload
        self.woken.set()

    def close(self) -> None:
        """Nothing to let go of."""


class EventListener:
    """Waits for a `SilentWaker`."""

    def __init__(self, waker: SilentWaker) -> None:
        self._woken = waker.woken

    def wait(self, timeout_seconds: float) -> list[bytes]:
        """Until woken."""
        was_woken = self._woken.wait(timeout_seconds)
        self._woken.clear()
        return [b""] if was_woken else []

    def close(self) -> None:
        """Nothing to let go of."""
