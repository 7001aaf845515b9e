"""What the processes beside the gateway have in common: it goes first, and they end when asked."""

from __future__ import annotations

import os
import signal
import threading

BEHIND = 10
"""Niceness of all but the gateway: on a full machine callers are answered first."""


def step_back() -> threading.Event:
    """Let the gateway go first; the event that SIGTERM and SIGINT set.

    Called on the main thread, once.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    os.nice(BEHIND)
    return stop
