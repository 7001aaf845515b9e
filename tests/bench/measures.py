"""What is measured, each as figures by name; everything of one run beside its floors."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway import settings
from tests.bench import floors, load
from tests.bench.cases import BATCH, RECIPIENTS, Bench
from tests.e2e.running_hub import OCMW, ORGANISER, VDAB

if TYPE_CHECKING:
    from collections.abc import Callable

Figures = dict[str, float]

CONNECTIONS = (1, 16, 64)
BATCH_CONNECTIONS = 8
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything: seconds a figure, cases to work on, events a second by hand."""

    seconds: float
    cases: int
    rate: int = 100

    @property
    def events(self) -> int:
        """More events than any machine here takes in one figure's time."""
        return int(self.seconds * 4_000)


FULL = Size(seconds=5.0, cases=1_000)
QUICK = Size(seconds=1.0, cases=100, rate=50)


def measure(bench: Bench, size: Size, tell: Callable[[str], None]) -> Figures:
    """All figures, in the order they are told."""
    figures: Figures = {}
    tell("opening cases")
    bench.open_cases(size.cases)
    settle(bench)
    for part in (_floors, _single, _batches, _latency, _sustained, _log_floor):
        tell(part.__name__.strip("_").replace("_", " "))
        figures |= part(bench, size)
        settle(bench)
    figures |= {f"RSS {name}, MiB": value for name, value in bench.resident_mib().items()}
    return figures


def settle(bench: Bench) -> float:
    """Wait until nothing more arrives in any inbox; when the last of it had come."""
    rows, since = bench.inbox_rows(), time.perf_counter()
    while time.perf_counter() - since < 1.0:
        time.sleep(0.05)
        now = bench.inbox_rows()
        if now != rows:
            rows, since = now, time.perf_counter()
    return since


def _floors(bench: Bench, size: Size) -> Figures:
    """The same requests on endpoints that only read them."""
    figures: Figures = {}
    requests = bench.requests([bench.ordinary() for _ in range(1_000)], ORGANISER)
    for kind in floors.KINDS:
        with floors.endpoint(kind) as port:
            for connections in CONNECTIONS:
                plan = load.Plan(port, requests, connections, size.seconds, repeat=True)
                figures[f"{kind} x{connections}, requests/s"] = load.run(plan).rate
    return figures


def _single(bench: Bench, size: Size) -> Figures:
    """One event a call, on known cases, with everything on."""
    figures: Figures = {}
    for connections in CONNECTIONS:
        events = [bench.ordinary() for _ in range(size.events)]
        plan = load.Plan(bench.port, bench.requests(events, ORGANISER), connections, size.seconds)
        figures |= _published(bench, f"publish x{connections}", plan)
    newcomers = [bench.newcomer() for _ in range(size.events // 2)]
    plan = load.Plan(bench.port, bench.requests(newcomers, OCMW), CONNECTIONS[-1], size.seconds)
    return figures | _published(bench, f"new cases x{CONNECTIONS[-1]}", plan)


def _batches(bench: Bench, size: Size) -> Figures:
    """A hundred events a call, from eight connections."""
    events = [bench.ordinary() for _ in range(size.events * 2)]
    requests = bench.requests(events, ORGANISER, BATCH)
    plan = load.Plan(bench.port, requests, BATCH_CONNECTIONS, size.seconds, per_request=BATCH)
    return _published(bench, f"publish {BATCH_CONNECTIONS} x {BATCH}", plan)


def _published(bench: Bench, name: str, plan: load.Plan) -> Figures:
    """Rate, latency and the processor time of every process, drained."""
    before = bench.cpu_seconds()
    result = load.run(plan)
    assert result.recorded, f"{name}: nothing was recorded"
    assert not result.refused, f"{name}: {result.refused} refused"
    settle(bench)
    used = {role: after - before[role] for role, after in bench.cpu_seconds().items()}
    thousands = result.recorded / 1_000
    return {
        f"{name}, events/s": result.rate,
        f"{name}, p50 ms": quantile(result.latencies, 0.5) * 1_000,
        f"{name}, p99 ms": quantile(result.latencies, 0.99) * 1_000,
        **{f"{name}, CPU ms/1000 {role}": 1_000 * s / thousands for role, s in used.items()},
    }


def _latency(bench: Bench, size: Size) -> Figures:
    """From when a call was due to the event in a recipient's inbox, at a steady rate."""
    number = int(size.rate * size.seconds * 2)
    requests = bench.requests([bench.ordinary() for _ in range(number)], ORGANISER)
    watcher = _Watcher(bench)
    sent = load.steadily(load.Plan(bench.port, requests, BATCH_CONNECTIONS, 0), size.rate)
    arrived = watcher.until(set(sent))
    taken = [arrived[one] - due for one, due in sent.items()]
    name = f"accept to inbox at {size.rate}/s"
    return {
        f"{name}, p50 ms": quantile(taken, 0.5) * 1_000,
        f"{name}, p99 ms": quantile(taken, 0.99) * 1_000,
    }


def _sustained(bench: Bench, size: Size) -> Figures:
    """Events a second from the first call until the last of them is in three inboxes."""
    events = [bench.ordinary() for _ in range(int(size.seconds * 1_500) // BATCH * BATCH)]
    requests = bench.requests(events, ORGANISER, BATCH)
    rows, started = bench.inbox_rows(), time.perf_counter()
    plan = load.Plan(bench.port, requests, BATCH_CONNECTIONS, PATIENCE_SECONDS, per_request=BATCH)
    result = load.run(plan)
    wanted = rows + result.recorded * len(RECIPIENTS)
    while bench.inbox_rows() < wanted:
        assert time.perf_counter() - started < PATIENCE_SECONDS, "the inboxes never filled"
        time.sleep(0.02)
    rate = result.recorded / (time.perf_counter() - started)
    return {"sustained accept to three inboxes, events/s": rate}


def _log_floor(bench: Bench, size: Size) -> Figures:
    """The same bytes through kafka-python alone, acknowledged by all."""
    found = settings.load(bench.hub.data)
    records = bench.sealed_records(500)
    return {"kafka-python, records/s": floors.kafka_rate(found, records, size.seconds)}


class _Watcher:
    """Looks into VDAB's inbox every two milliseconds; notes when each event was there."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._arrived: dict[str, float] = {}
        self._changed = threading.Condition()
        self._is_done = False
        self._seen = bench.last_in_inbox(VDAB)
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def until(self, wanted: set[str]) -> dict[str, float]:
        """When each of these came, once all have."""
        with self._changed:
            whole = self._changed.wait_for(lambda: wanted <= set(self._arrived), PATIENCE_SECONDS)
            self._is_done = True
        self._thread.join(PATIENCE_SECONDS)
        assert whole, "not every event arrived"
        return self._arrived

    def _watch(self) -> None:
        with self._bench.reading("consumers") as connection:
            while not self._is_done:
                rows = connection.execute(
                    "select seq, event_id from inbox where participant = ? and seq > ?",
                    (VDAB, self._seen),
                ).fetchall()
                now = time.perf_counter()
                if rows:
                    self._seen = max(seq for seq, _ in rows)
                    with self._changed:
                        self._arrived.update((event_id, now) for _, event_id in rows)
                        self._changed.notify_all()
                time.sleep(0.002)


def quantile(values: list[float], part: float) -> float:
    """The value below which this part of them lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]
