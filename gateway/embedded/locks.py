"""Holding a folder against another process, by a lock that ends with its holders."""

import fcntl
import os
import time
from pathlib import Path

_PAUSE_SECONDS = 0.05


def hold(path: Path, patience_seconds: float = 0.0) -> int | None:
    """Return a descriptor that holds the lock file, made when missing; None when another does.

    A child that is handed the descriptor holds the lock too. Blocks for the patience at most.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(handle)
                return None
            time.sleep(_PAUSE_SECONDS)
        else:
            return handle


def is_locked(path: Path) -> bool:
    """Whether somebody holds the lock file now; never blocks."""
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
