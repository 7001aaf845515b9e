"""A thread beside a process's own loop, without which the process is not whole."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def start_companion(name: str, work: Callable[[], None], stop: threading.Event) -> threading.Thread:
    """Begin `work` in a thread; the thread, to be joined after `stop` is set.

    When it ends, however it does, `stop` is set: the process ends and is begun anew by whoever
    supervises it, rather than going on without that work in silence.
    """

    def last() -> None:
        try:
            work()
        finally:
            stop.set()

    thread = threading.Thread(target=last, name=name)
    thread.start()
    return thread
