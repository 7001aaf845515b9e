"""A gateway is killed in the middle of a leap of its clock: every reminder is sent once."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.e2e.running_hub import OCMW, referral
from tests.faults.lone_gateway import PATIENCE_SECONDS, LoneGateway, lone_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CASES = 400
"""Twice as many as the timers take in one step, so that the kill comes between two."""
DAY = 86_400
REMINDED = "event_name = 'trajectory.reminder_due'"
BATCH = "application/cloudevents-batch+json"


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[LoneGateway]:
    """A gateway on SQLite with many referrals that nobody answers."""
    with lone_gateway(tmp_path / "data") as made:
        with made.client(OCMW) as client:
            for start in range(0, CASES, 200):
                batch = [referral(number) for number in range(start, start + 200)]
                answer = client.post("/v1/events", json=batch, headers={"content-type": BATCH})
                assert answer.status_code == 200, answer.text[:500]
        yield made


def move(gateway: LoneGateway, **body: Any) -> Any:
    """Move the clock of the installation; the answer."""
    answer = httpx.post(f"{gateway.management}/clock", json=body, timeout=PATIENCE_SECONDS + 30)
    assert answer.status_code == 200
    return answer.json()


def count(gateway: LoneGateway, condition: str, of: str = "*") -> int:
    """How many events in the ledger meet a condition."""
    return gateway.number("ledger", f"select count({of}) from ledger where {condition}")  # noqa: S608


def test_a_killed_gateway_reminds_everybody_once(gateway: LoneGateway) -> None:
    """After the restart the rest is sent, nothing is left, and the next step comes in its turn."""
    move(gateway, seconds=8 * DAY)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not count(gateway, REMINDED):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(gateway.pid, signal.SIGKILL)
    gateway.role.stop()
    gateway.role.start()
    gateway.wait_until_ready()

    assert move(gateway, seconds=0, settle=True)["left"] == 0
    assert count(gateway, REMINDED) == CASES
    assert count(gateway, REMINDED, of="distinct trajectory_id") == CASES
    assert move(gateway, seconds=7 * DAY, settle=True)["left"] == 0
    assert count(gateway, "event_name = 'trajectory.task_raised'") == CASES
    metrics = httpx.get(f"{gateway.management}/metrics").text
    assert "schakel_timers_due 0.0" in metrics
    assert "schakel_timers_refused_total 0.0" in metrics
