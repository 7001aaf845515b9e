"""A load of several senders whose every call is noted, and what the hub has made of it.

Each case has a referral, then corrections of it, sent one after the other; between them stand
events that have to be refused. A call without an answer is repeated, and so is a part of those
that were acknowledged.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from connectors.errors import HubRefused, HubUnavailable
from tests.e2e.running_hub import OCMW, event, referral
from tests.faults.history import History, Operation, publishing
from tests.store_fixtures import opened

if TYPE_CHECKING:
    from collections.abc import Callable

    from connectors.answers import Receipt
    from connectors.client import HubClient

PATIENCE_SECONDS = 90.0
PAUSE_SECONDS = 0.1
CASE_EVENTS = 5
REFUSED, REPEATED = 0.1, 0.3
"""Shares of the calls."""


@dataclass(slots=True)
class _Case:
    """One person's case, as its sender knows it."""

    name: str
    number: int
    aggregate_id: str | None = None
    left: int = CASE_EVENTS


@dataclass(slots=True)
class Load:
    """The events of one trial.

    Args:
        connect: opens a client of the sender; one for each thread.
        seed: decides everything that is left to chance.
        name: what its cases are called by; different in each trial of a history.
    """

    history: History
    connect: Callable[[], HubClient]
    seed: int
    name: str
    events: int = 60
    senders: int = 4
    acknowledged: int = 0
    _counting: threading.Lock = field(default_factory=threading.Lock)
    _failed: list[str] = field(default_factory=list)

    def run(self, disturb: Callable[[], None] | None = None) -> None:
        """Send everything; `disturb` is called at an instant that the seed decides.

        Raises:
            AssertionError: a sender got no answer for longer than any fault may last.
        """
        chance = random.Random(self.seed)  # noqa: S311 - to be repeated, not to be secret
        instant = chance.randint(self.events // 10, self.events * 8 // 10)
        pause = chance.uniform(0, 0.05)
        threads = [
            threading.Thread(target=self._sender, args=(number,), daemon=True)
            for number in range(self.senders)
        ]
        for one in threads:
            one.start()
        while disturb is not None and self.acknowledged < instant and threads[0].is_alive():
            time.sleep(0.005)
        if disturb is not None:
            time.sleep(pause)
            disturb()
        for one in threads:
            one.join(PATIENCE_SECONDS * 2)
        assert not self._failed, self._failed
        assert not any(one.is_alive() for one in threads)

    def _sender(self, number: int) -> None:
        chance = random.Random(f"{self.seed}/{number}")  # noqa: S311 - to be repeated
        share = self.events // self.senders
        cases = deque(
            _Case(f"{self.name}-{number}-{case}", number * 1000 + case)
            for case in range(-(-share // CASE_EVENTS))
        )
        try:
            with self.connect() as client:
                for _ in range(share):
                    case = cases[0]
                    cases.rotate(-1)
                    self._next(client, case, chance)
                    if not case.left:
                        cases.remove(case)
        except Exception as error:  # noqa: BLE001 - the edge of a thread: the trial has to know
            self._failed.append(f"sender {number}: {type(error).__name__}")

    def _next(self, client: HubClient, case: _Case, chance: random.Random) -> None:
        if case.aggregate_id is not None and chance.random() < REFUSED:
            self._refused(client, case)
        sent = self._event(case)
        receipt = self._until_answered(client, case, sent)
        if chance.random() < REPEATED:
            again = self._until_answered(client, case, sent)
            assert again.event_id == receipt.event_id
        case.aggregate_id = case.aggregate_id or receipt.aggregate_id
        case.left -= 1
        with self._counting:
            self.acknowledged += 1

    def _event(self, case: _Case) -> dict[str, Any]:
        if case.aggregate_id is None:
            return referral(case.number)
        data = {"income_status": "leefloon"}
        return event("referral.corrected", OCMW, data, subject=case.aggregate_id)

    def _refused(self, client: HubClient, case: _Case) -> None:
        """Nobody may endorse what was sent to somebody: 409, whenever it is sent."""
        sent = event("referral.endorsed", OCMW, {}, subject=case.aggregate_id)
        try:
            self._until_answered(client, case, sent)
        except HubRefused:
            return
        raise AssertionError("accepted what has to be refused")

    def _until_answered(self, client: HubClient, case: _Case, sent: dict[str, Any]) -> Receipt:
        """Send the same call until it is acknowledged or refused."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            with publishing(self.history, OCMW, case.name, sent["id"]) as call:
                try:
                    receipt = client.publish(sent)
                except HubRefused:
                    call.outcome = "fail"
                    raise
                except HubUnavailable:
                    if time.monotonic() > deadline:
                        raise
                else:
                    call.outcome, call.id = "ok", receipt.event_id
                    return receipt
            time.sleep(PAUSE_SECONDS)


def note_rows(history: History, ledger_url: str) -> None:
    """Note every row of the ledger, in its order."""
    query = "select participant, sender_key, event_id from ledger order by seq"
    with opened(ledger_url, read_only=True) as engine, engine.connect() as connection:
        rows = connection.exec_driver_sql(query).all()
    for participant, sender_key, event_id in rows:
        own = str(sender_key).partition("/")[2]
        history.note(Operation("record", participant, event_id=own, id=event_id))


def note_feed(history: History, client: HubClient, org: str, wanted: set[str]) -> None:
    """Note a whole feed, once all that are wanted have come or patience is over."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = [one.id for one in client.feed_events(limit=500)]
        if wanted <= set(found) or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    for one in found:
        history.note(Operation("deliver", org, id=one))
