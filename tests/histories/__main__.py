"""`make world`, first part: 2,000 random histories, and not one that breaks an invariant."""

from __future__ import annotations

import argparse
import sys
import time

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.histories.machine import Exchange

STEPS = 50


def main() -> int:
    """Run; the exit code is 1 when a history broke something, and the shortest one is printed."""
    parser = argparse.ArgumentParser(prog="python -m tests.histories", description=__doc__)
    parser.add_argument("--histories", type=int, default=2000)
    chosen = parser.parse_args()
    run = settings(
        max_examples=chosen.histories,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    began = time.monotonic()
    sys.stderr.write(f"{chosen.histories} histories of {STEPS} steps ...\n")
    try:
        run_state_machine_as_test(Exchange, settings=run)
    except AssertionError as broken:
        sys.stdout.write(f"An invariant broke: {broken}\n")
        sys.stdout.write("".join(f"{note}\n" for note in getattr(broken, "__notes__", ())))
        return 1
    sys.stdout.write(
        f"{chosen.histories} histories, no invariant broken, {time.monotonic() - began:.0f} s\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
