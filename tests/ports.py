"""Ports for what a test starts: free now, and given to nobody else before it listens."""

from __future__ import annotations

import fcntl
import os
import secrets
import tempfile
from collections import deque
from pathlib import Path
from typing import Final

from gateway.embedded.ports import is_free

FIRST, PLACES, APART = 20_000, 1_200, 10
"""Below the ports that the system gives to connections: one of those may be gone a second later."""

CLAIMS: Final = 50
_claims: Final[deque[int]] = deque()
"""Open files of this process's places, the newest: what began at the others listens or ended."""


def distant_ports(count: int) -> tuple[int, ...]:
    """The first ports of a place that nobody uses and no other test has been given lately.

    A hub takes those that follow, and binds the last of them seconds later.
    Not drawn from the tests' own seed, which other processes have too.
    """
    while True:
        place = FIRST + APART * secrets.randbelow(PLACES)
        claim = _claimed(place)
        if claim is None:
            continue
        if all(is_free(port) for port in range(place, place + APART)):
            _claims.append(claim)
            if len(_claims) > CLAIMS:
                os.close(_claims.popleft())
            return tuple(range(place, place + count))
        os.close(claim)


def _claimed(place: int) -> int | None:
    """A file that is locked while this process has it open; None when another has."""
    folder = Path(tempfile.gettempdir()) / f"schakel-places-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    file = os.open(folder / str(place), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    return file
