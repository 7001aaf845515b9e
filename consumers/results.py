"""What a turn came to, written down in one transaction; the rules of the contract in rows.

A crash between sending and this transaction sends one batch again, and loses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import structlog
from msgspec.structs import replace

from consumers import alerts, dead_letters, deliveries, retrying, subscriptions
from consumers.dead_letters import DeadLetter
from consumers.deliveries import Attempt
from consumers.errors import LOST
from consumers.scope import Scope
from schemas.identifiers import uuid7

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import sqlalchemy as sa

    from consumers.batches import Batch, Item
    from consumers.deliveries import Delivery
    from consumers.sending import Copy, Tried
    from consumers.subscriptions import Subscription

BREAKER: Final = "unreachable"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one event in a turn.

    Attributes:
        copy: None when the hand-over stopped it, or could not render it.
        tried: None when it was stopped.
        at: business time.
    """

    item: Item
    copy: Copy | None
    tried: Tried | None
    at: int

    @property
    def has_ended(self) -> bool:
        """Whether it is not tried again, whatever its window."""
        return self.tried is None or self.tried.verdict.kind in {"delivered", "refused"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """A turn's results, and how often the receiver failed in a row by its end."""

    results: tuple[Result, ...]
    failures: int
    has_delivered: bool


def record(
    connection: sa.Connection,
    seen: Subscription,
    batch: Batch,
    outcome: Outcome,
    *,
    now: int,
    chance: Callable[[], float],
) -> None:
    """Write a turn down.

    Args:
        connection: of a transaction of the consumers' store.
        seen: the subscription as the turn found it; what its owner changed since then stays.
        batch: what the turn was to do.
        outcome: what it did.
        now: business time.
        chance: 0 to 1, for jitter.
    """
    scope = Scope(seen.participant)
    current = subscriptions.one(connection, scope, seen.id, locked=True)
    rows = _rows(batch, outcome, seen, chance)
    if current is None:  # taken away meanwhile: what arrived is told, the rest comes no more
        deliveries.write(connection, rows)
        deliveries.abandon(connection, scope, seen.id, now)
        return
    if batch.vanished:
        deliveries.drop(connection, scope, seen.id, batch.vanished)
    deliveries.write(connection, rows, _attempts(outcome))
    letters = [
        _letter(result, row)
        for result, row in zip(outcome.results, rows, strict=False)
        if row.state == deliveries.FAILED
    ]
    replayed = _begun_anew(outcome)
    if replayed:
        dead_letters.end_replayed(connection, scope, seen.id, replayed, now)
    dead_letters.add(connection, letters)
    lanes = _unsettled(batch, rows)
    if lanes:
        deliveries.head(connection, scope, seen.id, lanes, now)
    # What is pending has a time, or gets one now.
    is_waiting = bool(lanes) or current.due_at is not None
    values = _standing(connection, current, outcome, now, chance, is_waiting=is_waiting)
    if current.position == seen.position:
        values["position"] = batch.position
    if letters and alerts.owe(connection, current, now):
        _log.warning(
            "dead_letters_waiting",
            subscription=seen.id,
            participant=seen.participant,
            code=letters[0].code,
        )
    subscriptions.change(connection, scope, seen.id, **values)


def _rows(
    batch: Batch, outcome: Outcome, seen: Subscription, chance: Callable[[], float]
) -> list[Delivery]:
    """The rows of the results in their order, then those of what was not begun or waits."""
    done = {result.item.entry.seq for result in outcome.results}
    rows = [_after(result, seen, chance()) for result in outcome.results]
    rows += [item.delivery for lane in batch.lanes for item in lane if item.entry.seq not in done]
    return [*rows, *batch.waiting]


def _after(result: Result, seen: Subscription, chance: float) -> Delivery:
    """A delivery's row after its attempt."""
    before, at = result.item.delivery, result.at
    if result.tried is None:
        return replace(before, state=deliveries.STOPPED, next_at=None, ended_at=at)
    verdict = result.tried.verdict
    first = at if before.first_at is None else before.first_at
    tried = replace(before, tries=before.tries + 1, first_at=first, code=verdict.code or None)
    if verdict.kind == "delivered":
        return replace(tried, state=deliveries.DELIVERED, next_at=None, ended_at=at)
    window_ends = first + seen.window_us
    if verdict.kind == "refused" or (verdict.kind == "retry" and at >= window_ends):
        return replace(tried, state=deliveries.FAILED, next_at=None, ended_at=at)
    wait = retrying.together(at + retrying.wait_us(tried.tries, at - first, chance))
    return replace(tried, next_at=max(min(wait, max(window_ends, at)), at + (verdict.hold_us or 0)))


def _attempts(outcome: Outcome) -> list[Attempt]:
    return [
        Attempt(
            subscription_id=result.item.delivery.subscription_id,
            seq=result.item.entry.seq,
            number=result.item.delivery.tries + 1,
            participant=result.item.entry.participant,
            at=result.at,
            duration_us=result.tried.duration_us,
            code=result.tried.verdict.code,
            excerpt=result.tried.excerpt,
        )
        for result in outcome.results
        if result.tried is not None and result.tried.verdict.kind != "delivered"
    ]


def _begun_anew(outcome: Outcome) -> list[int]:
    """What was tried before and begins a new window: a redrive or a replay took it up."""
    rows = (result.item.delivery for result in outcome.results)
    return [row.seq for row in rows if row.tries and row.first_at is None]


def _letter(result: Result, row: Delivery) -> DeadLetter:
    entry = result.item.entry
    return DeadLetter(
        id=uuid7(),
        participant=entry.participant,
        subscription_id=row.subscription_id,
        seq=entry.seq,
        event_id=entry.event_id,
        event_name=entry.event_name,
        trajectory_id=entry.trajectory_id,
        dataschema=result.copy.dataschema if result.copy else None,
        code=row.code or "",
        tries=row.tries,
        excerpt=result.tried.excerpt if result.tried else None,
        dead_at=result.at,
    )


def _unsettled(batch: Batch, rows: Sequence[Delivery]) -> set[str]:
    """The lanes in which something is, or was, pending; the others have no rows to put right."""
    was = {
        item.delivery.lane
        for lane in batch.lanes
        for item in lane
        if item.delivery.tries or item.delivery.next_at is not None
    }
    lanes = was | {row.lane for row in rows if row.state == deliveries.PENDING}
    # Who stood behind one that vanished is not known here, so every lane of the turn is looked at.
    return lanes | {row.lane for row in rows} if batch.vanished else lanes


def _standing(
    connection: sa.Connection,
    current: Subscription,
    outcome: Outcome,
    now: int,
    chance: Callable[[], float],
    *,
    is_waiting: bool,
) -> dict[str, Any]:
    """The subscription's columns after the turn: its breaker, its rest, what is due next."""
    scope = Scope(current.participant)
    values: dict[str, Any] = {"failures": outcome.failures}
    if outcome.has_delivered:
        values["delivered_at"] = now
    verdicts = [(one.at, one.tried.verdict) for one in outcome.results if one.tried is not None]
    holds = [at + verdict.hold_us for at, verdict in verdicts if verdict.hold_us is not None]
    values["held_until"] = max([current.held_until, *holds])
    if current.state not in subscriptions.DELIVERING:
        return values  # its owner paused it meanwhile
    if any(verdict.kind == "gone" for _, verdict in verdicts):
        _log.warning("receiver_gone", subscription=current.id, participant=current.participant)
        return {**values, "state": subscriptions.GONE, "reason": "http_410", "due_at": None}
    lost = next((verdict.code for _, verdict in verdicts if verdict.code in LOST), None)
    if lost is not None or outcome.failures >= retrying.BREAKER_FAILURES:
        since = now if current.failing_since is None else current.failing_since
        probe = now + retrying.probe_us(now - since, chance())
        if lost is not None and current.reason != lost:
            _log.warning("webhook_secret_lost", subscription=current.id, code=lost)
        elif current.state != subscriptions.SUSPENDED:
            _log.warning("receiver_unreachable", subscription=current.id)
        return {
            **values,
            "state": subscriptions.SUSPENDED,
            "reason": lost or BREAKER,
            "failing_since": since,
            "due_at": probe,
        }
    if current.state == subscriptions.SUSPENDED and outcome.has_delivered:
        deliveries.hurry(connection, scope, current.id, now)
        _log.info("receiver_back", subscription=current.id)
    return {
        **values,
        "state": subscriptions.ACTIVE,
        "reason": None,
        "failing_since": None,
        "due_at": deliveries.next_time(connection, scope, current.id) if is_waiting else None,
    }
