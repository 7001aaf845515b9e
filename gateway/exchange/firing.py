"""One hub event on its way to the ledger: made of a clock or an errand, waiting for its answer."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from gateway.errors import LedgerUnavailable, Overloaded, ServiceError
from gateway.exchange.decision import HUB
from gateway.exchange.submission import Submission, content
from schemas.catalogue import catalogue
from schemas.errors import SchakelError

if TYPE_CHECKING:
    from gateway.exchange.clock import Clock
    from gateway.exchange.decision import Errand
    from gateway.exchange.publication import ItemOutcome

CLIENT = "hub-timers"
"""Stands in the ledger where a partner's client does."""

UNKNOWN = (LedgerUnavailable, Overloaded)
"""Errors that leave open what became of it: it is sent again under the same id."""


class Firing:
    """A submission of the hub, the ticket under which it was handed in, and its answer.

    Attributes:
        target_id: the trajectory or offer.
        error: why it was refused; None when it was accepted, now or before.
        is_final: whether sending the same again could bring no other answer.
        is_new: whether it was recorded by this very submission.
    """

    def __init__(self, submission: Submission, target_id: str) -> None:
        self.submission = submission
        self.target_id = target_id
        self.error: SchakelError | None = None
        self.is_final = self.is_new = False
        self._answered = threading.Event()

    @property
    def is_decided(self) -> bool:
        """Whether it was accepted or refused for good."""
        return self.is_final and not self.has_failed

    @property
    def has_failed(self) -> bool:
        """Whether the hub itself failed at it, by a defect or by what it depends on."""
        return self.is_final and isinstance(self.error, ServiceError)

    def answer(self, settled: tuple[ItemOutcome, ...] | SchakelError) -> None:
        """Take the ledger's answer: the outcome, or the error of the whole request."""
        if isinstance(settled, SchakelError):
            self.error = settled
        else:
            (outcome,) = settled
            self.error, self.is_new = outcome.error, outcome.status == "accepted"
        self.is_final = not isinstance(self.error, UNKNOWN)
        self._answered.set()

    def wait(self, seconds: float) -> None:
        """Wait for the answer; without one in time nothing is known of it."""
        self._answered.wait(seconds)


def for_clock(target_id: str, clock: Clock, now: int) -> Firing:
    """The event of a clock that is due."""
    made = _submission(
        clock.event,
        clock.data,
        sender_event_id=clock.id,
        acts_for=clock.acts_for,
        target_id=target_id,
        aggregate_id=clock.aggregate_id,
        now=now,
    )
    return Firing(replace(made, clock=clock.id), target_id)


def for_errand(errand: Errand, now: int) -> Firing:
    """The event of an errand that is due."""
    made = _submission(
        errand.name,
        errand.data,
        sender_event_id=errand.id,
        acts_for=errand.acts_for,
        target_id=errand.target_id,
        aggregate_id=errand.aggregate_id or errand.target_id,
        now=now,
    )
    made = replace(made, beside=errand.beside, repeats=errand.repeats, told=errand.told)
    return Firing(made, errand.target_id)


def _submission(
    name: str,
    data: dict[str, Any],
    *,
    sender_event_id: str,
    acts_for: str,
    target_id: str,
    aggregate_id: str,
    now: int,
) -> Submission:
    event = catalogue().event(name)
    kind = event.aggregate_type
    subject = target_id if kind == "trajectory" else aggregate_id
    return Submission(
        participant=HUB,
        client_id=CLIENT,
        scopes=frozenset(),
        event=event,
        sender_event_id=sender_event_id,
        occurred_at=now,
        data=data,
        canonical=content(sender_event_id, name, subject, data),
        subject=subject,
        trajectory_id=None if kind == "offer" else target_id,
        on_behalf_of=acts_for,
    )
