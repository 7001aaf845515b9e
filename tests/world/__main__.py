"""`make world`, second part: 5,000 people through a real hub, and the log read again.

    python -m tests.world --people 5000 --seed 4711

Fails when the hub refuses or tells anything otherwise than the world says, when what it keeps of
the log differs from what comes of the whole log in an empty store, or when anybody's number or
address stands in the clear in any file of its folder.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.credentials import load_credentials
from connectors.world import world
from connectors.world.own_hub import own_hub
from connectors.world.performance import performance
from tests.world.clear_text import people_in
from tests.world.replay import replayed, settled

if TYPE_CHECKING:
    from connectors.world.own_hub import Installation
    from connectors.world.playing import Played

PEOPLE, SEED = 5000, 1
REPORT_SECONDS = 15.0


def main() -> int:
    """Run; the exit code is 1 when anything was otherwise."""
    parser = argparse.ArgumentParser(prog="python -m tests.world", description=__doc__)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--seed", type=int, default=SEED)
    chosen = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="schakel-world-")))
        summary = world.generate(chosen.seed, chosen.people, folder)
        _say(f"{summary['events']} events of {summary['cases']} cases, seed {chosen.seed}")
        where = stack.enter_context(own_hub())
        played = _play(where, folder)
        return _judged(where, folder, played)


def _play(where: Installation, folder: Path) -> Played:
    began = time.monotonic()
    report = Report(began)
    with performance(
        where,
        lambda who: load_credentials(folder / world.CLIENTS / f"{who}.json"),
        world.read_registry(folder),
        language="en",
        report=report.day,
        remembers=world.is_of_journey,
    ) as player:
        played = player.play(world.read_steps(folder))
    seconds = time.monotonic() - began
    answers = ", ".join(f"{count} {name}" for name, count in sorted(played.counts.items()))
    _say(f"{answers}; {played.sights} checks; {seconds:.0f} s")
    return played


def _judged(where: Installation, folder: Path, played: Played) -> int:
    for one in played.surprises:
        _say(f"  {one}")
    if where.data is None:
        return 1
    again = replayed(where.data, folder)
    first = settled(where.data, again)
    _say(f"inboxes  {first.inboxes}  {first.inbox_rows} rows")
    _say(f"replayed {again.inboxes}  {again.inbox_rows} rows")
    _say(f"facts    {first.facts}  {first.fact_rows} rows")
    _say(f"replayed {again.facts}  {again.fact_rows} rows")
    told = people_in(where.data, folder)
    _say(f"in the clear in the hub's folder: {', '.join(told) or 'nobody'}")
    is_same = first == again
    _say("the same" if is_same else "NOT the same")
    return 0 if is_same and not told and not played.surprises else 1


class Report:
    """Says now and then which day is played."""

    def __init__(self, began: float) -> None:
        self._began = self._said_at = began

    def day(self, day: str, sent: int) -> None:
        """The day that begins, and what was sent before it."""
        now = time.monotonic()
        if now - self._said_at >= REPORT_SECONDS:
            self._said_at = now
            sys.stderr.write(f"{day}: {sent} events, {now - self._began:.0f} s\n")


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
