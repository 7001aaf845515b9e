"""What the hub does now and then by the clock, beside its events: rotation, erasure, retention.

A chore looks by itself whether it is due, and does nothing when it is not or when another gateway
did it. One that fails does not keep the others from their turn.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from consumers.clock import Clock

    Chore = Callable[[int], bool]

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 1.0


class Chores:
    """Runs beside the ledger of one gateway.

    Args:
        chores: by name; each is given business time and says whether it did something.
        clock: business time.
    """

    def __init__(
        self, chores: Mapping[str, Chore], clock: Clock, pause_seconds: float = PAUSE_SECONDS
    ) -> None:
        self._chores = chores
        self._clock = clock
        self._pause_seconds = pause_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="chores", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the chore under way. Idempotent."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def step(self) -> int:
        """Let every chore have its turn; how many did something."""
        return sum(self._turn(name, chore) for name, chore in self._chores.items())

    def _turn(self, name: str, chore: Chore) -> bool:
        try:
            return not self._stopped.is_set() and chore(self._clock.now_us())
        except Exception as error:  # noqa: BLE001 - the edge of the worker: it has to survive
            # No traceback: a driver's message may hold values.
            log.error("chore_failed", chore=name, error=type(error).__name__)  # noqa: TRY400
            return False

    def _run(self) -> None:
        while not self._stopped.is_set():
            if not self.step():
                self._stopped.wait(self._pause_seconds)
