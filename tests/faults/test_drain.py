"""The gateway is asked to end under load: it answers what it accepted, then ends."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.e2e.running_hub import OCMW, referral
from tests.faults.checker import unanswered, violations
from tests.faults.history import History, publishing
from tests.faults.load import note_rows
from tests.faults.lone_gateway import PATIENCE_SECONDS, LoneGateway, lone_gateway, publish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SENDERS = 8
ANSWERS = 100
DRAIN_SECONDS = 10.0
"""What the operator is promised."""


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[LoneGateway]:
    """A gateway on SQLite."""
    with lone_gateway(tmp_path / "data") as made:
        yield made


def _publish_until_it_ends(gateway: LoneGateway, history: History, number: int) -> None:
    with gateway.client(OCMW) as client:
        for case in range(100_000):
            sent = referral(number * 1000 + case)
            with publishing(history, OCMW, sent["id"], sent["id"]) as call:
                try:
                    answer = publish(client, sent)
                except httpx.TransportError:
                    return
                if answer.status_code == 201:
                    call.outcome, call.id = "ok", answer.json()["event_id"]


def test_every_accepted_event_is_answered(gateway: LoneGateway, tmp_path: Path) -> None:
    """Nothing is in the ledger that its sender was not told of, and the process ends in time."""
    history = History(tmp_path / "history.jsonl")
    senders = [
        threading.Thread(target=_publish_until_it_ends, args=(gateway, history, number))
        for number in range(SENDERS)
    ]
    for one in senders:
        one.start()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while history.count("ok") < ANSWERS:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(gateway.pid, signal.SIGTERM)
    assert gateway.role.child is not None
    assert gateway.role.child.wait(DRAIN_SECONDS)
    for one in senders:
        one.join(PATIENCE_SECONDS)
    note_rows(history, gateway.settings.stores.ledger)

    assert unanswered(history.read()) == []
    assert violations(history.read(), []) == []
