"""What was acknowledged arrives exactly once and in order, whatever is killed meanwhile.

The small version of `make faults`; SCHAKEL_FAULTS_SEED repeats one trial.
"""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import pytest

from tests.faults.trial import SEED, Trials, seed_of

if TYPE_CHECKING:
    from pathlib import Path

EVENTS = 60
SOME = ("gateway", "workers", "kafka", "everything")


@pytest.mark.parametrize("fault", SOME)
def test_nothing_is_lost_repeated_or_reordered(trials: Trials, fault: str) -> None:
    """The fault strikes at a random instant under load; the history shows no violation."""
    seed = seed_of()

    assert trials.run(fault, seed, EVENTS) == [], f"{SEED}={seed}"


def test_publishing_goes_on_while_kafka_stands_still(trials: Trials) -> None:
    """Events are acknowledged at the first call all the same, and arrive when Kafka goes on."""
    unknown = trials.calls.count("info")
    with trials.hub.kafka_stopped():
        trials.load("still", seed_of(), EVENTS)

    assert trials.calls.count("info") == unknown
    assert trials.judge("still") == []


def test_publishing_goes_on_while_kafka_cannot_be_started(trials: Trials) -> None:
    """Another program has taken Kafka's port; the hub says so, and tries again until it is free."""
    unknown = trials.calls.count("info")
    port = int(str(trials.hub.where["kafka"]).rpartition(":")[2])
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        trials.hub.kill("kafka")
        _take(other, port)
        _wait_for(str(port), trials.folder / "hub.log")
        trials.load("taken", seed_of(), EVENTS)

    assert trials.calls.count("info") == unknown
    assert trials.judge("taken") == []


def _take(other: socket.socket, port: int) -> None:
    """Take a port as soon as the one who was killed has let go of it."""
    deadline = time.monotonic() + 20
    while True:
        try:
            other.bind(("127.0.0.1", port))
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        else:
            other.listen()
            return


def _wait_for(text: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while text not in log.read_text("utf-8"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
