"""Forked children that are killed at one point after another, until one ends well."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def die() -> None:
    """End at once, with nothing flushed or closed."""
    os.kill(os.getpid(), signal.SIGKILL)


def fork_until_one_ends(points: Sequence[str], child: Callable[[str], None]) -> int:
    """How many children were killed before one ended well. Call in a process of one thread.

    Raises:
        SystemExit: a child failed rather than was killed.
    """
    killed = 0
    while True:
        number = os.fork()
        if number == 0:
            child(points[killed % len(points)])
            os._exit(0)
        _, status = os.waitpid(number, 0)
        if os.WIFEXITED(status):
            if status:
                sys.exit(f"child failed with {status}")
            return killed
        killed += 1
