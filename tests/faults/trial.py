"""One trial: a load, a fault at a random instant, and the judgement of the whole history."""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from consumers.database import Stores
from tests.e2e.running_hub import OCMW, ORGANISER
from tests.faults.checker import Violation, violations
from tests.faults.history import History
from tests.faults.load import Load, note_feed, note_rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.running_hub import RunningHub

SEED = "SCHAKEL_FAULTS_SEED"
STOPPED_SECONDS = 3.0


def _kafka_stands_still(hub: RunningHub) -> None:
    with hub.kafka_stopped():
        time.sleep(STOPPED_SECONDS)


def _kills(*names: str) -> Callable[[RunningHub], None]:
    def strike(hub: RunningHub) -> None:
        for one in names:
            hub.kill(one)

    return strike


FAULTS: dict[str, Callable[[RunningHub], None]] = {
    "gateway": _kills("gateway"),
    "relay": _kills("relay"),
    "route": _kills("route"),
    "workers": _kills("relay", "route"),
    "kafka": _kills("kafka"),
    "everything": _kills("gateway", "relay", "route", "kafka"),
    "kafka-stands-still": _kafka_stands_still,
}
"""What may happen, by name; each heals by itself. A kill is kill -9."""


@dataclass(frozen=True, slots=True)
class Trials:
    """Trials on one hub, which share its history: nothing else may publish there.

    Args:
        hub: as `schakel up` runs it.
        folder: takes history.jsonl, the calls of all trials.
    """

    hub: RunningHub
    folder: Path

    @property
    def calls(self) -> History:
        """Every call of every trial so far."""
        return History(self.folder / "history.jsonl")

    def run(self, fault: str, seed: int, events: int) -> list[Violation]:
        """What is wrong after one more trial; the judgement is about everything so far."""
        self.load(fault, seed, events, lambda: FAULTS[fault](self.hub))
        return self.judge(f"{fault}-{seed}")

    def load(
        self, name: str, seed: int, events: int, disturb: Callable[[], None] | None = None
    ) -> None:
        """Publish, with a disturbance at a random instant."""
        connect = partial(self.hub.client, OCMW)
        Load(self.calls, connect, seed, f"{name}-{seed}", events=events).run(disturb)

    def judge(self, name: str) -> list[Violation]:
        """Wait for what was acknowledged, and check everything so far."""
        calls = self.calls.read()
        acknowledged = {one.id for one in calls if one.outcome == "ok"}
        result = History(self.folder / f"{name}.jsonl")
        note_rows(result, Stores.sqlite(self.hub.data).ledger)
        with self.hub.client(ORGANISER) as client:
            note_feed(result, client, ORGANISER, acknowledged)
        return violations([*calls, *result.read()], [ORGANISER])


def seed_of() -> int:
    """The seed to begin with: the one in SCHAKEL_FAULTS_SEED, else a new one."""
    given = os.environ.get(SEED)
    return int(given) if given else random.SystemRandom().randrange(10**6)
