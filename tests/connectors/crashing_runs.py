"""Runs a connector again and again in forked children, each killed at one point, until one ends.

    python crashing_runs.py ROOT HUB_URL

A process of its own, with one thread, because forking one that serves HTTP would not be sound.
The points: before the hub is asked, after the hub answered but before that is remembered, after it
is remembered; for every row, and again around the report. Prints how many children were killed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.checkpoint import Checkpoint
from connectors.client import HubClient
from connectors.identity import Identities, load_key
from connectors.runner import KEY_FILE
from tests.connectors.mortality import die, fork_until_one_ends
from tests.connectors.workshop import Bench, credentials

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connectors.answers import ItemAnswer, Page
    from connectors.checkpoint import Settlement

POINTS = ("asked", "answered", "remembered")


class MortalHub:
    """A hub client that dies around publishing."""

    def __init__(self, inner: HubClient, point: str) -> None:
        self._inner = inner
        self._point = point

    def publish_batch(self, events: Sequence[Mapping[str, Any]]) -> tuple[ItemAnswer, ...]:
        """Publish, dying before or after."""
        if self._point == "asked":
            die()
        answers = self._inner.publish_batch(events)
        if self._point == "answered":
            die()
        return answers

    def feed(self, after: str | None = None, *, limit: int = 100, wait_seconds: int = 0) -> Page:
        """The inbox, undisturbed."""
        return self._inner.feed(after, limit=limit, wait_seconds=wait_seconds)


class MortalState(Checkpoint):
    """A checkpoint that dies after it remembered; around a report also before."""

    def __init__(self, folder: Path, point: str) -> None:
        super().__init__(folder)
        self._point = point

    def settle(self, settlement: Settlement) -> None:
        """Remember, dying around it."""
        if settlement.finished_unit is not None and self._point == "answered":
            die()
        super().settle(settlement)
        if self._point == "remembered" and not settlement.origin.startswith("sink:"):
            die()


def child(bench: Bench, url: str, point: str) -> None:
    """One run that dies at its first `point`, or ends well."""
    folder = bench.root / "connector"
    state = MortalState(bench.data, point)
    ids = Identities(load_key(bench.data / KEY_FILE, may_create=state.is_empty), "test-ocmw")
    with state, HubClient(url, credentials()) as inner:
        bench.runner(folder, state, ids, MortalHub(inner, point), batch=1).once()


def main() -> None:
    """Fork until a child ends well."""
    bench, url = Bench(Path(sys.argv[1])), sys.argv[2]
    killed = fork_until_one_ends(POINTS, lambda point: child(bench, url, point))
    sys.stdout.write(f"{killed}\n")


if __name__ == "__main__":
    main()
