"""A load generator that costs little: prebuilt requests over raw sockets, in a process of its own.

It shares no interpreter with what it measures, builds nothing while the clock runs, and counts
what was recorded rather than what was answered.
"""

from __future__ import annotations

import multiprocessing
import re
import selectors
import socket
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

RECORDED = b'"status":"accepted"'
EVENT_ID = re.compile(rb'"event_id":"([^"]+)","trajectory_id"')
"""Of a receipt; what followed from it has no trajectory beside its id."""
_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send: each connection sends its next request as soon as it has its answer.

    Attributes:
        requests: whole HTTP requests; sent once each, or over and over when `repeat`.
        seconds: how long to go on; it ends earlier when the requests are used up.
        per_request: events in one request; more than one means that the answer lists items.
    """

    port: int
    requests: Sequence[bytes]
    connections: int
    seconds: float
    per_request: int = 1
    repeat: bool = False


@dataclass(slots=True)
class Result:
    """What came of it: events recorded, requests refused, and how long each answer took."""

    seconds: float
    answered: int = 0
    recorded: int = 0
    refused: int = 0
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Events recorded in a second."""
        return self.recorded / self.seconds


@dataclass(slots=True)
class _Line:
    """One keep-alive connection and the answer that is coming in on it."""

    socket: socket.socket
    sent_at: float = 0.0
    received: bytearray = field(default_factory=bytearray)
    wanted: int = 0

    def take(self, data: bytes) -> bytes | None:
        """Add what arrived; the whole answer once it is there."""
        self.received += data
        if not self.wanted:
            end = self.received.find(b"\r\n\r\n")
            if end < 0:
                return None
            self.wanted = end + 4 + _length(bytes(self.received[:end]))
        if len(self.received) < self.wanted:
            return None
        answer = bytes(self.received)
        self.received.clear()
        self.wanted = 0
        return answer


def run(plan: Plan) -> Result:
    """Send the plan from a fresh process and wait for its result."""
    result: Result = elsewhere(_drive, plan)
    return result


def steadily(plan: Plan, rate: float) -> dict[str, float]:
    """Send so many requests a second, late or not; when each recorded event was due, by its id.

    Times are `time.perf_counter`'s, which on Linux all processes share.
    """
    sent: dict[str, float] = elsewhere(_drive_steadily, plan, rate)
    return sent


def elsewhere(drive: Callable[..., Any], *given: Any) -> Any:
    """What `drive` returns, in a process that does nothing else."""
    context = multiprocessing.get_context("fork")
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=lambda: theirs.send(drive(*given)))
    process.start()
    theirs.close()  # so that a process that ends without a word is noticed
    try:
        return mine.recv()
    finally:
        process.join()


def _drive(plan: Plan) -> Result:
    left = iter(plan.requests) if not plan.repeat else _endless(plan.requests)
    lines = _opened(plan)
    found = Result(0.0)
    started = time.perf_counter()
    until = started + plan.seconds
    # The first on each whatever the time, so that there is always something to judge.
    busy = sum(_next(key.data, left, float("inf")) for key in list(lines.get_map().values()))
    while busy:
        for key, _ in lines.select():
            line: _Line = key.data
            answer = line.take(line.socket.recv(_READ_BYTES))
            if answer is not None:
                found.latencies.append(time.perf_counter() - line.sent_at)
                _count(found, answer, plan.per_request)
                busy -= not _next(line, left, until)
    found.seconds = time.perf_counter() - started
    for key in list(lines.get_map().values()):
        key.data.socket.close()
    return found


def _drive_steadily(plan: Plan, rate: float) -> dict[str, float]:
    lines = _opened(plan)
    # In turns: the hub hangs up on a connection that asks nothing for ten seconds.
    idle: deque[_Line] = deque(key.data for key in lines.get_map().values())
    sent: dict[str, float] = {}
    due = time.perf_counter()
    left = deque(plan.requests)
    while left or len(idle) < plan.connections:
        while left and idle and time.perf_counter() >= due:
            line = idle.popleft()
            line.sent_at = due
            line.socket.sendall(left.popleft())
            due += 1 / rate
        pause = max(0.0, due - time.perf_counter()) if left and idle else 1.0
        for key, _ in lines.select(pause):
            line = key.data
            answer = line.take(line.socket.recv(_READ_BYTES))
            if answer is not None:
                idle.append(line)
                sent |= dict.fromkeys(_event_ids(answer), line.sent_at)
    return sent


def _opened(plan: Plan) -> selectors.DefaultSelector:
    lines = selectors.DefaultSelector()
    for _ in range(plan.connections):
        opened = socket.create_connection(("127.0.0.1", plan.port))
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lines.register(opened, selectors.EVENT_READ, _Line(opened))
    return lines


def _event_ids(answer: bytes) -> list[str]:
    """The events that one answer says are recorded."""
    found = [one.decode() for one in EVENT_ID.findall(answer)]
    assert found, answer[:500]
    return found


def _next(line: _Line, left: Iterator[bytes], until: float) -> bool:
    """Send the next request; whether there was time and one to send."""
    now = time.perf_counter()
    request = next(left, None) if now < until else None
    if request is None:
        return False
    line.sent_at = now
    line.socket.sendall(request)
    return True


def _endless(requests: Sequence[bytes]) -> Iterator[bytes]:
    while True:
        yield from requests


def _count(found: Result, answer: bytes, per_request: int) -> None:
    found.answered += 1
    has_failed = answer[9:12] not in (b"200", b"201", b"207")
    found.refused += has_failed
    if per_request > 1:
        found.recorded += answer.count(RECORDED)
    elif not has_failed:
        found.recorded += 1


def _length(head: bytes) -> int:
    return int(head.lower().rpartition(b"content-length:")[2].partition(b"\r\n")[0])
