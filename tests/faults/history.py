"""What happened, as one JSON line an operation: written while it happens, read by the checker.

A history outlives the processes that are killed, and can be checked again later.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Kind = Literal["publish", "record", "deliver"]
Outcome = Literal["ok", "fail", "info"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Attributes:
        op: a call that published, a row of the ledger, or an event in a recipient's feed; rows
            and events stand in their own order.
        org: who published, or who was given it.
        key: what has an order of its own: the sender's name for a case.
        event_id: the sender's own id.
        id: the hub's id; of a call only when it was acknowledged.
        invoke: nanoseconds of a clock that never goes back.
        complete: likewise.
        outcome: acknowledged, refused, or unknown: it may have happened or may happen yet.
    """

    op: Kind
    org: str
    key: str = ""
    event_id: str = ""
    id: str = ""
    invoke: int = 0
    complete: int = 0
    outcome: Outcome = "ok"


class History:
    """A file of operations; safe from several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def note(self, operation: Operation) -> None:
        """Append one operation."""
        line = json.dumps(asdict(operation), separators=(",", ":"))
        with self._lock, self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def count(self, outcome: Outcome) -> int:
        """How many calls ended so."""
        return sum(one.op == "publish" and one.outcome == outcome for one in self.read())

    def read(self) -> list[Operation]:
        """Every operation, in the order they were noted."""
        if not self.path.exists():
            return []
        with self._lock, self.path.open(encoding="utf-8") as file:
            return [Operation(**json.loads(line)) for line in file]


@dataclass(slots=True)
class Call:
    """A call that is under way; unknown until it is said how it ended."""

    outcome: Outcome = "info"
    id: str = ""
    _invoke: int = field(default_factory=time.monotonic_ns)

    def ended(self, org: str, key: str, event_id: str) -> Operation:
        """The operation that it was."""
        now = time.monotonic_ns()
        return Operation("publish", org, key, event_id, self.id, self._invoke, now, self.outcome)


@contextmanager
def publishing(history: History, org: str, key: str, event_id: str) -> Iterator[Call]:
    """Note one call, however it ends."""
    call = Call()
    try:
        yield call
    finally:
        history.note(call.ended(org, key, event_id))
