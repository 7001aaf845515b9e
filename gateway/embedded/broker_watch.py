"""Starting Kafka again when it ended, without waiting for it: all else goes on meanwhile."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gateway.errors import EmbeddedError
from schemas.cli import language, say

if TYPE_CHECKING:
    from collections.abc import Callable

PAUSE_SECONDS = 5.0
STARTING_SECONDS = 120.0
"""Far longer than a start after a crash takes on a loaded machine."""


class Restarted(Protocol):
    """The part of `gateway.embedded.broker.Broker` that is needed here."""

    def has_ended(self) -> bool:
        """Whether no broker runs; never blocks."""
        ...

    def has_answered(self) -> bool:
        """Whether it has accepted since it was last launched."""
        ...

    def launch(self) -> None:
        """Start it without waiting for it; raises EmbeddedError."""
        ...

    def kill(self) -> None:
        """End it at once; idempotent."""
        ...

    def why_ended(self) -> EmbeddedError:
        """What its last words amount to."""
        ...


@dataclass(slots=True)
class BrokerWatch:
    """Watches a broker that has been started. One thread uses it.

    Kafka reads the issuer's keys when it starts and gives up when they do not answer, so it waits
    for a gateway that ended too. Launches are five seconds apart at least, and a broker that does
    not answer within two minutes of its launch is ended.

    Args:
        broker: what is watched.
        keys_answer: whether the issuer's key set answers now.
        report: takes one sentence about a restart.
        passed: seconds on a clock that never goes back.
    """

    broker: Restarted
    keys_answer: Callable[[], bool]
    report: Callable[[str], None]
    passed: Callable[[], float] = time.monotonic
    _due_at: float = float("-inf")
    _patient_until: float = float("inf")
    _is_missed: bool = False

    def tick(self) -> None:
        """Launch the broker when it ended and may be started; does not wait until it answers."""
        if not self.broker.has_ended():
            self._is_missed = False
            # It is asked while the broker runs: afterwards nobody could tell.
            if self.broker.has_answered() or self.passed() < self._patient_until:
                return
            self.broker.kill()
        if not self._is_missed:
            self._is_missed = True
            self._tell_end()
        if self.passed() >= self._due_at and self.keys_answer():
            self._launch()

    def _tell_end(self) -> None:
        if self.broker.has_answered():
            self.report(say("Kafka viel uit; herstart", "Kafka ended; it starts again"))
        else:
            self._tell_failure(self.broker.why_ended())

    def _launch(self) -> None:
        self._due_at = self.passed() + PAUSE_SECONDS
        self._patient_until = self.passed() + STARTING_SECONDS
        try:
            self.broker.launch()
        except EmbeddedError as error:
            self._tell_failure(error)

    def _tell_failure(self, error: EmbeddedError) -> None:
        pause = f"{PAUSE_SECONDS:g} s"
        again = say(f"Nieuwe poging over {pause}", f"It is tried again in {pause}")
        self.report(f"{error.detail.text(language())} {again}")
