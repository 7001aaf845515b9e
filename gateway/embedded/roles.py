"""The hub's own processes as children of `schakel up`: started, watched, restarted, stopped.

A role that ends by itself is started again after a pause that doubles up to half a minute.
What it had accepted is in the ledger, so a restart loses nothing.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.embedded.child import Child
from schemas.cli import say

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0


@dataclass(slots=True)
class Role:
    """One role's process.

    Args:
        name: gateway, relay, route or deliver: what `schakel run` takes.
        data: the hub's data folder; the role logs to DATA/logs/NAME.log.
        lock: the open lock file that says this data folder is in use.
        report: takes one sentence about a restart.
    """

    name: str
    data: Path
    lock: int
    report: Callable[[str], None]
    pause_seconds: float = FIRST_PAUSE_SECONDS
    started_at: float = 0.0
    due_at: float | None = None
    child: Child | None = field(default=None)

    @property
    def log(self) -> Path:
        """The role's log file."""
        return self.data / "logs" / f"{self.name}.log"

    def start(self) -> None:
        """Start the process; does not wait until it is ready."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        run = self.data / "run"
        run.mkdir(parents=True, exist_ok=True)
        start = "from schemas.cli import main; main()"
        command = [sys.executable, "-c", start, "run", self.name, "--data", str(self.data)]
        self.child = Child(
            command, pid_file=run / f"{self.name}.pid", output=self.log, lock=self.lock
        )
        self.started_at, self.due_at = time.monotonic(), None

    def has_ended(self) -> bool:
        """Whether the process has ended, by itself or because it was killed."""
        return self.child is None or self.child.has_ended()

    def watch(self) -> None:
        """Start the process again when it ended and its pause is over; never blocks for long."""
        if not self.has_ended():
            return
        now = time.monotonic()
        if self.due_at is None:
            if now - self.started_at > STEADY_SECONDS:
                self.pause_seconds = FIRST_PAUSE_SECONDS
            self.due_at = now + self.pause_seconds
            pause = f"{self.pause_seconds:g} s"
            self.report(
                say(
                    f"{self.name} viel uit; herstart over {pause}",
                    f"{self.name} ended; it starts again in {pause}",
                )
            )
            self.pause_seconds = min(self.pause_seconds * 2, LONGEST_PAUSE_SECONDS)
        elif now >= self.due_at:
            self.start()

    def stop(self) -> None:
        """Let the process finish what it has and wait for it."""
        if self.child is not None:
            self.child.stop()
            self.child = None
