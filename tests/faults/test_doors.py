"""Three doors at once while the broker, the gateway and both writers are killed.

The small version of `make faults`; SCHAKEL_FAULTS_SEED repeats one trial.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults.door_trial import DoorTrial
from tests.faults.door_world import door_hub
from tests.faults.trial import SEED, seed_of

if TYPE_CHECKING:
    from pathlib import Path

EVENTS = 200


def test_each_reader_gets_exactly_its_events(tmp_path: Path) -> None:
    """Nothing is lost, foreign, out of order, or rendered after a right ended; little comes twice.

    A loaded machine may be late with its polls, so the two seconds are judged on the hub's clock
    in tests/gateway/exchange, and here with room.
    """
    seed = seed_of()
    with door_hub(tmp_path) as world:
        trial = DoorTrial(world, seed, EVENTS, limit_us=10_000_000)
        found = trial.run()
        said = world.said()

    assert found == [], f"{SEED}={seed}\n{said}"
