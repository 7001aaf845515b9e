"""One turn of one subscription: plan, render, send, write down.

A turn begins no event later than half a second after it rendered it, so that what an agreement no
longer allows is asked again before it leaves; what it did not get to is the next turn's.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol

from consumers import batches, results, retrying, subscriptions
from consumers.errors import SecretLost
from consumers.lanes import Lanes
from consumers.rendering import BEGIN_SECONDS, fitting
from consumers.results import Outcome, Result
from consumers.scope import WHOLE_HUB
from consumers.sending import Envelope, Tried
from schemas.errors import SchakelError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import sqlalchemy as sa

    from consumers.batches import Batch, Item
    from consumers.clock import Clock
    from consumers.lanes import Hands
    from consumers.retrying import Verdict
    from consumers.sending import Copy, Sender
    from consumers.subscriptions import Subscription
    from consumers.views import InboxEntry
    from consumers.webhook_secrets import Seal

LARGEST_BATCH: Final = 100
UNRENDERED: Final = Tried(retrying.Verdict("retry", "not_rendered"), 0)


class After(Enum):
    """What comes after a turn: another at once, something at its time, or nothing."""

    MORE = "more"
    LATER = "later"
    NOTHING = "nothing"


class Render(Protocol):
    """Hands events over through the door webhook, as `gateway.exchange.webhook_door` does."""

    def copies(self, participant: str, entries: Sequence[InboxEntry]) -> list[Copy | None]:
        """Each entry's copy, None where the hand-over stops it; disclosed when this returns.

        Raises:
            SchakelError: one of them cannot be opened.
            SQLAlchemyError: a store does not answer.
        """
        ...


@dataclass(slots=True)
class Pace:
    """How much of one subscription goes into a turn, learnt from its turns."""

    size: int = 8
    most: int = LARGEST_BATCH
    allowance: float = -1.0
    refilled_at: int = 0

    def room(self, subscription: Subscription, now: int) -> int:
        """How many events may go now under its rate; `take` says how many went."""
        rate = float(subscription.rate)
        passed = max(0, now - self.refilled_at) / retrying.SECOND_US
        full = self.allowance < 0
        self.allowance = rate if full else min(rate, self.allowance + passed * rate)
        self.refilled_at = now
        return min(self.size, self.most, int(self.allowance))

    def rendered(self, count: int, seconds: float) -> None:
        """Learn how many are rendered in good time, so that none leaves long after it was asked."""
        self.most = fitting(self.most, count, seconds, most=LARGEST_BATCH)

    def took(self, done: int, planned: int, concurrency: int) -> None:
        """Learn: all of it doubles the next turn, less of it makes that the size."""
        self.allowance = max(0.0, self.allowance - done)
        if done < planned:
            self.size = max(concurrency, done)
        elif planned:
            self.size = min(LARGEST_BATCH, max(self.size, planned) * 2)


class _Gate:
    """Counts how many events failed at first without a success between them; shuts at too many.

    It also shuts half a second after it was made, which is when all had been rendered.
    Later attempts do not count, so that one event that its receiver cannot take does not look like
    a receiver that is away.
    """

    def __init__(self, failures: int, passed: Callable[[], float], *, is_probe: bool) -> None:
        self._lock = threading.Lock()
        self._passed = passed
        self._until = passed() + BEGIN_SECONDS
        self._is_probe = is_probe
        self._is_shut = False
        self.failures = failures
        self.has_delivered = False

    def is_open(self) -> bool:
        if self._is_shut or self._passed() > self._until:
            return False
        return self._is_probe or self.failures < retrying.BREAKER_FAILURES

    def saw(self, verdict: Verdict, tries: int) -> None:
        with self._lock:
            if verdict.kind == "delivered":
                self.failures, self.has_delivered = 0, True
            elif verdict.hold_us is not None or verdict.kind == "gone":
                self._is_shut = True  # the receiver answers, and wants nothing more for now
            elif verdict is not UNRENDERED.verdict and not tries:
                self.failures += 1


@dataclass(frozen=True, slots=True)
class Turns:
    """Takes turns; safe from several threads, for different subscriptions.

    Args:
        reading: read-only engine of the consumers' store.
        writing: writing engine of the consumers' store.
        chance: 0 to 1, for jitter.
        passed: seconds on a clock that never goes back.
    """

    reading: sa.Engine
    writing: sa.Engine
    render: Render
    sender: Sender
    seal: Seal
    clock: Clock
    hands: Hands
    chance: Callable[[], float]
    passed: Callable[[], float] = time.monotonic
    paces: dict[str, Pace] = field(default_factory=dict)

    def take(self, subscription_id: str) -> After:
        """One turn, and what comes after it.

        Raises:
            SchakelError: its secrets cannot be opened now.
            SQLAlchemyError: a store does not answer; nothing is written down, and what was sent
                may be sent again.
        """
        now = self.clock.now_us()
        with self.reading.connect() as connection:
            found = subscriptions.one(connection, WHOLE_HUB, subscription_id)
            if found is None or not _may_deliver(found, now):
                return After.NOTHING
            pace = self.paces.setdefault(subscription_id, Pace())
            room = pace.room(found, now)
            if room < 1:
                return After.NOTHING
            batch = batches.plan(connection, found, now, room)
        if batch.is_idle(found) and (found.due_at is None or found.due_at > now):
            # Also when the inbox has more than may wait: whoever keeps the times knows `due_at`.
            return After.NOTHING
        outcome = self._send(found, batch, pace)
        with self.writing.begin() as connection:
            results.record(
                connection, found, batch, outcome, now=self.clock.now_us(), chance=self.chance
            )
        pace.took(len(outcome.results), len(batch.entries), found.concurrency)
        return _after(found, batch, outcome)

    def _send(self, subscription: Subscription, batch: Batch, pace: Pace) -> Outcome:
        if not batch.lanes:
            return Outcome((), subscription.failures, has_delivered=False)
        began = self.passed()
        envelope, copies = self._ready(subscription, batch.entries)
        pace.rendered(len(copies), self.passed() - began)
        is_probe = subscription.state == subscriptions.SUSPENDED
        gate = _Gate(subscription.failures, self.passed, is_probe=is_probe)
        done: list[Result] = []
        lanes: Lanes[Sequence[Item]] = Lanes(
            batch.lanes,
            lambda lane: self._lane(envelope, lane, copies, gate, done),
            gate.is_open,
        )
        lanes.run(self.hands, subscription.concurrency)
        return Outcome(tuple(done), gate.failures, gate.has_delivered)

    def _lane(
        self,
        envelope: Envelope,
        lane: Sequence[Item],
        copies: dict[int, Copy | Tried | None],
        gate: _Gate,
        done: list[Result],
    ) -> None:
        """Send one lane in order, up to the first that has to be tried again."""
        for item in lane:
            if not gate.is_open():
                return
            copy = copies[item.entry.seq]
            if copy is None:
                done.append(Result(item, None, None, self.clock.now_us()))
                continue
            if isinstance(copy, Tried):
                tried, sent = copy, None
            else:
                tried, sent = self.sender.send(envelope, item.entry.event_id, copy.body), copy
            gate.saw(tried.verdict, item.delivery.tries)
            done.append(Result(item, sent, tried, self.clock.now_us()))
            if tried.verdict.kind in {"retry", "gone"}:
                return

    def _ready(
        self, subscription: Subscription, entries: Sequence[InboxEntry]
    ) -> tuple[Envelope, dict[int, Copy | Tried | None]]:
        """Where to send and what; nothing is rendered, and so disclosed, that cannot leave."""
        try:
            envelope = self._envelope(subscription)
        except SecretLost as error:
            tried = Tried(retrying.of_silence(error.code), 0)
            nowhere = Envelope(subscription.id, subscription.url, ())
            return nowhere, {entry.seq: tried for entry in entries}
        return envelope, self._copies(subscription.participant, entries)

    def _envelope(self, subscription: Subscription) -> Envelope:
        now = time.time_ns() // 1000  # the grace of a former secret is real time, as signatures are
        return Envelope(
            subscription.id,
            subscription.url,
            subscriptions.signing_secrets(subscription, self.seal, now),
            subscriptions.oauth_of(subscription, self.seal),
        )

    def _copies(
        self, participant: str, entries: Sequence[InboxEntry]
    ) -> dict[int, Copy | Tried | None]:
        """Every copy by inbox number; one that cannot be opened does not hold up the others."""
        try:
            made = self.render.copies(participant, entries)
            return {entry.seq: copy for entry, copy in zip(entries, made, strict=True)}
        except SchakelError:
            return {entry.seq: self._alone(participant, entry) for entry in entries}

    def _alone(self, participant: str, entry: InboxEntry) -> Copy | Tried | None:
        try:
            return self.render.copies(participant, [entry])[0]
        except SchakelError:
            return UNRENDERED


def _after(subscription: Subscription, batch: Batch, outcome: Outcome) -> After:
    """What comes after a turn; an event that failed has its time, and so has what is behind it."""
    failed = {one.item.delivery.lane for one in outcome.results if not one.has_ended}
    done = {one.item.entry.seq for one in outcome.results}
    items = (item for lane in batch.lanes for item in lane)
    is_all = all(one.entry.seq in done or one.delivery.lane in failed for one in items)
    if batch.is_idle(subscription) or (is_all and batch.is_end):
        is_waiting = failed or batch.waiting or subscription.due_at is not None
        return After.LATER if is_waiting else After.NOTHING
    return After.MORE


def _may_deliver(subscription: Subscription, now: int) -> bool:
    if subscription.state not in subscriptions.DELIVERING or subscription.held_until > now:
        return False
    is_waiting = subscription.due_at is not None and subscription.due_at > now
    return not (subscription.state == subscriptions.SUSPENDED and is_waiting)
