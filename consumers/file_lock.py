"""A lock on a file, which ends with the process that holds it: one worker beside SQLite."""

from __future__ import annotations

import fcntl
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class FileLock:
    """Held by one process of an installation at a time. Not safe from several threads.

    Args:
        path: the file, made when it is not there; its folder has to be.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: IO[bytes] | None = None

    def take(self) -> bool:
        """Have it, or still have it; false when another process does. Never blocks."""
        if self._held is None:
            file = self._path.open("ab")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.close()
                return False
            self._held = file
        return True

    def leave(self) -> None:
        """Give it up; never raises. A later `take` begins again."""
        if self._held is not None:
            self._held.close()
            self._held = None
