"""The doors webhook and event stream under load, and how soon a new subscription has something.

Latency runs from when a call was due until the event is at its receiver.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway import settings
from tests.bench import feeds, floors, load
from tests.bench.bare_way import Way, bare_way
from tests.bench.cases import BATCH, RECIPIENTS
from tests.bench.measures import BATCH_CONNECTIONS, PATIENCE_SECONDS, quantile
from tests.bench.streams import streaming
from tests.bench.webhooks import CONNECTIONS, FASTEST, certificates, moment
from tests.e2e.running_hub import OCMW, ORGANISER, VDAB

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.bench.cases import Bench
    from tests.bench.sink import Sink
    from tests.bench.webhooks import Webhooks

Figures = dict[str, float]

SHARED: Final = 4
"""Subscriptions that share the bare client's connections in one of the figures."""


@dataclass(frozen=True, slots=True)
class Steady:
    """A steady load: events a second, so many of them in each call."""

    rate: int
    per_call: int = 1

    @property
    def name(self) -> str:
        """As the report calls it."""
        return f"{self.rate}/s"


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured.

    Attributes:
        seconds: for a rate.
        stock: events in each inbox, to be read and delivered.
        loads: under which latency is taken.
        load_seconds: for how long each.
        newcomers: subscriptions whose first event is waited for.
    """

    seconds: float
    stock: int
    loads: tuple[Steady, ...]
    load_seconds: float
    newcomers: int


FULL: Final = Extent(5.0, 10_000, (Steady(100), Steady(1_000, 10)), 15.0, 10)
QUICK: Final = Extent(1.0, 2_000, (Steady(50), Steady(500, 10)), 4.0, 3)


@dataclass(frozen=True, slots=True)
class Doors:
    """A hub with receivers."""

    bench: Bench
    webhooks: Webhooks
    sink: Sink

    def figures(self, extent: Extent, tell: Callable[[str], None]) -> Figures:
        """All figures, in the order they are told."""
        tell("filling inboxes")
        since = moment()
        self.fill(extent.stock)
        tell("feed")
        found = feeds.figures(self.bench, extent.seconds)
        tell("webhook deliveries")
        found |= self._delivered("webhook", [VDAB], extent.stock, since)
        found |= self._delivered(f"webhook x{SHARED}", [OCMW] * SHARED, extent.stock, since)
        found |= self._bare(extent.seconds)
        for steady in extent.loads:
            tell(f"accept to webhook and to event stream at {steady.name}")
            found |= self._to_webhook(steady, extent.load_seconds)
            found |= self._to_stream(steady, extent.load_seconds)
            found |= self._barely(steady, extent.load_seconds)
        tell("first event of a new subscription")
        return found | self._first(extent.newcomers)

    def fill(self, number: int) -> None:
        """Send so many ordinary events, and wait until they are in all inboxes."""
        rows = self.bench.inbox_rows()
        events = [self.bench.ordinary() for _ in range(number)]
        requests = self.bench.requests(events, ORGANISER, BATCH)
        plan = load.Plan(self.bench.port, requests, BATCH_CONNECTIONS, PATIENCE_SECONDS, BATCH)
        result = load.run(plan)
        assert result.recorded == number, f"{result.recorded} of {number} were recorded"
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.bench.inbox_rows() < rows + number * len(RECIPIENTS):
            assert time.monotonic() < deadline, "the inboxes never filled"
            time.sleep(0.02)

    def steadily(self, steady: Steady, seconds: float, port: int | None = None) -> dict[str, float]:
        """Send ordinary events at a steady rate; when each was due, by its id.

        They go to the hub, or to who listens at `port` instead.
        """
        events = [self.bench.ordinary() for _ in range(int(steady.rate * seconds))]
        requests = self.bench.requests(events, ORGANISER, steady.per_call)
        to = self.bench.port if port is None else port
        plan = load.Plan(to, requests, BATCH_CONNECTIONS, 0, steady.per_call)
        return load.steadily(plan, steady.rate / steady.per_call)

    def to_webhook(self, name: str, steady: Steady, seconds: float) -> list[float]:
        """How many milliseconds each event of a steady load took to one receiver."""
        sent = self.steadily(steady, seconds)
        return _milliseconds(sent, lambda: self.sink.came(name))

    def _delivered(self, name: str, to: Sequence[str], number: int, since: str) -> Figures:
        """So many deliveries out of a full inbox, one subscription each for `to`."""
        receivers = [f"{name.replace(' ', '-')}-{place}" for place in range(len(to))]
        before = self.bench.cpu_seconds()["deliver"]
        wanted = {**FASTEST, "concurrency": CONNECTIONS // len(to), "since": since}
        with ExitStack() as stack:
            for participant, receiver in zip(to, receivers, strict=True):
                url = self.sink.url(receiver)
                stack.enter_context(self.webhooks.subscribed(participant, url, **wanted))
            self._wait_for_deliveries(receivers, number)
            used = self.bench.cpu_seconds()["deliver"] - before
            times = sorted(at for one in receivers for _, at in self.sink.came(one))
        return {
            f"{name}, deliveries/s": (number - 1) / (times[number - 1] - times[0]),
            f"{name}, CPU ms/1000 deliver": used * 1e6 / len(times),
        }

    def _wait_for_deliveries(self, receivers: Sequence[str], number: int) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while sum(self.sink.count(one) for one in receivers) < number:
            assert time.monotonic() < deadline, "the receivers never had it all"
            time.sleep(0.02)

    def _bare(self, seconds: float) -> Figures:
        """A client that posts one delivery's bytes over and over, and does nothing else."""
        head, body = self.sink.last("webhook-0")
        lines = [one.partition(b":") for one in head.split(b"\r\n")[1:]]
        made_anew = {b"host", b"content-length"}
        posting = floors.Posting(
            self.sink.url("bare"),
            [(name, said.strip()) for name, _, said in lines if name.lower() not in made_anew],
            body,
            CONNECTIONS,
            certificates(self.bench.hub.data.parent).authority,
        )
        rate, used = floors.post_rate(posting, seconds)
        return {"webhook bare, deliveries/s": rate, "webhook bare, CPU ms/1000": used * 1e6}

    def _to_webhook(self, steady: Steady, seconds: float) -> Figures:
        receiver = f"steady-{steady.rate}"
        name = f"accept to webhook at {steady.name}"
        with self.webhooks.subscribed(VDAB, self.sink.url(receiver), **FASTEST):
            before = self.bench.cpu_seconds()["deliver"]
            taken = self.to_webhook(receiver, steady, seconds)
            used = self.bench.cpu_seconds()["deliver"] - before
        cost = {f"{name}, CPU ms/1000 deliver": used * 1e6 / len(taken)}
        return _spread(name, taken) | cost

    def _to_stream(self, steady: Steady, seconds: float) -> Figures:
        after = feeds.last_cursor(self.bench, VDAB)
        with streaming(self.bench.port, self.bench.token(VDAB), after) as stream:
            sent = self.steadily(steady, seconds)
            taken = _milliseconds(sent, lambda: list(stream.arrived().items()))
        return _spread(f"accept to event stream at {steady.name}", taken)

    def _barely(self, steady: Steady, seconds: float) -> Figures:
        """The same load on the same hops, with nothing done at them."""
        receiver = f"bare-{steady.rate}"
        way = Way(
            settings.load(self.bench.hub.data).log_settings(floors.ADMINISTRATOR),
            self.sink.url(receiver),
            certificates(self.bench.hub.data.parent).authority,
            steady.per_call,
        )
        with bare_way(way) as port:
            self.steadily(steady, 1.0, port)  # connections are opened with the first of them
            sent = self.steadily(steady, seconds, port)
            taken = _milliseconds(sent, lambda: self.sink.came(receiver))
        return _spread(f"bare way at {steady.name}", taken)

    def _first(self, number: int) -> Figures:
        """From the answer that a subscription is there to its first event, published then."""
        taken = []
        for place in range(number):
            receiver = f"new-{place}"
            with self.webhooks.subscribed(VDAB, self.sink.url(receiver)):
                made = time.perf_counter()
                self.steadily(Steady(1), 1)
                self.sink.wait_for(receiver, 1, PATIENCE_SECONDS)
                taken.append(self.sink.came(receiver)[0][1] - made)
        return {"first event of a new subscription, longest, s": max(taken)}


def _milliseconds(
    sent: Mapping[str, float], came: Callable[[], Sequence[tuple[str, float]]]
) -> list[float]:
    """How long each took from when it was due to when it came first, once all have come."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        arrived = dict(reversed(came()))
        if sent.keys() <= arrived.keys():
            return [(arrived[one] - due) * 1_000 for one, due in sent.items()]
        assert time.monotonic() < deadline, f"{len(sent.keys() - arrived.keys())} never came"
        time.sleep(0.1)


def _spread(name: str, taken: list[float]) -> Figures:
    return {f"{name}, p50 ms": quantile(taken, 0.5), f"{name}, p99 ms": quantile(taken, 0.99)}
