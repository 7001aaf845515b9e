"""`make faults`: every fault again and again at random instants, under a larger load.

    python -m tests.faults --trials 21 --events 400 --seed 4711
    python -m tests.faults --trials 0 --door-events 20000 --door-kills 3

One line a trial. The last line of a run that failed says how to repeat it; its history stays.
Last come the three doors at once, on a hub of their own.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import tempfile
from pathlib import Path

from tests.e2e.running_hub import running_hub
from tests.faults.door_checker import again
from tests.faults.door_trial import DoorTrial
from tests.faults.door_world import door_hub
from tests.faults.trial import FAULTS, Trials, seed_of

TRIALS, EVENTS = 21, 400
DOOR_EVENTS, DOOR_KILLS = 20_000, 3
SHOWN = 20


def _say(sentence: str) -> None:
    sys.stdout.write(sentence + "\n")
    sys.stdout.flush()


def _run(trials: int, events: int, seed: int, folder: Path) -> int:
    """How many trials showed a violation; ends with the first, as later ones would show it too."""
    chance = random.Random(seed)  # noqa: S311 - to be repeated
    with running_hub(folder / "data") as hub:
        made = Trials(hub, folder)
        for number, fault in zip(range(trials), itertools.cycle(FAULTS), strict=False):
            found = made.run(fault, chance.randrange(10**6), events)
            calls = made.calls
            counts = ", ".join(f"{calls.count(one)} {one}" for one in ("ok", "fail", "info"))
            _say(f"{number + 1}/{trials} {fault}: {len(found)} violations; {counts}")
            for one in found:
                _say(f"  {one.invariant}: {one.what}")
            if found:
                return 1
    return 0


def _run_doors(events: int, kills: int, seed: int, folder: Path) -> int:
    """Whether three doors at once showed a violation."""
    with door_hub(folder) as world:
        trial = DoorTrial(world, seed, events, rounds=kills)
        found = trial.run()
    repeated = ", ".join(f"{door} {times}" for door, times in sorted(again(trial.seen).items()))
    killed = ", ".join(f"{name} {times}" for name, times in sorted(trial.killed.items()))
    _say(f"doors, {events} events to 3 of 20: {len(found)} violations")
    _say(f"  killed: {killed}; came again: {repeated}")
    for one in found[:SHOWN]:
        _say(f"  {one.invariant}: {one.what}")
    return int(bool(found))


def main() -> None:
    """Run the trials; exit code 1 when one showed a violation."""
    parser = argparse.ArgumentParser(prog="make faults")
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--door-events", type=int, default=DOOR_EVENTS)
    parser.add_argument("--door-kills", type=int, default=DOOR_KILLS, help="of each process")
    parser.add_argument("--seed", type=int, default=None)
    given = parser.parse_args()
    seed = seed_of() if given.seed is None else given.seed
    folder = Path(tempfile.mkdtemp(prefix="schakel-faults-"))
    _say(f"seed {seed}; history in {folder}")
    failed = _run(given.trials, given.events, seed, folder / "parts") if given.trials else 0
    if not failed and given.door_events:
        failed = _run_doors(given.door_events, given.door_kills, seed, folder / "doors")
    if failed:
        how = f"--trials {given.trials} --events {given.events}"
        how += f" --door-events {given.door_events} --door-kills {given.door_kills}"
        _say(f"repeat: python -m tests.faults {how} --seed {seed}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
