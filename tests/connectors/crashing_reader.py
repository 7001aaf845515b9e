"""Reads a feed in forked children, each killed at one point, until one ends.

    python -m tests.connectors.crashing_reader HUB_URL FOLDER

A process of its own, with one thread, because forking one that serves HTTP would not be sound.
The points: while an event is in hand, before its cursor is kept, after it. Prints how many children
were killed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from connectors.client import FileCursor, HubClient, Position
from tests.connectors.mortality import die, fork_until_one_ends
from tests.connectors.workshop import credentials

POINTS = ("in hand", "unkept", "kept")


class MortalCursor(FileCursor):
    """A cursor file whose process dies around keeping it."""

    def __init__(self, path: Path, point: str) -> None:
        super().__init__(path)
        self._point = point

    def save(self, position: Position) -> None:
        """Keep it, dying before or after."""
        if self._point == "unkept":
            die()
        super().save(position)
        if self._point == "kept":
            die()


def child(url: str, folder: Path, point: str) -> None:
    """One run that dies at its first `point`, or ends well."""
    with (
        HubClient(url, credentials()) as hub,
        MortalCursor(folder / "feed.cursor", point) as cursor,
        (folder / "seen").open("a") as seen,
    ):
        for number, event in enumerate(hub.catch_up(cursor, limit=4)):
            seen.write(f"{event.id}\n")
            seen.flush()
            if point == "in hand" and number == 1:
                die()


def main() -> None:
    """Fork until a child ends well."""
    url, folder = sys.argv[1], Path(sys.argv[2])
    killed = fork_until_one_ends(POINTS, lambda point: child(url, folder, point))
    sys.stdout.write(f"{killed}\n")


if __name__ == "__main__":
    main()
