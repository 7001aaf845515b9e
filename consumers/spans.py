"""Spans: the detail of one event's way through the hub; batched, bounded, nothing personal.

Sampling is decided once, where an event enters (`Tracing.enter`), and travels in the flag byte
of `traceparent`; for an event without that flag no span library is touched (`hot-path.md` §7).
Spans go to a database of their own and, when configured, to an OTLP collector. Under pressure
they are dropped and counted: the journey never depends on them.
"""

import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from msgspec import Struct
from opentelemetry import trace as otel
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace.status import Status, StatusCode

from consumers.database import open_engine
from consumers.spanstore import Span, SqlSpanExporter, read_trace
from consumers.traceparent import (
    TraceContext,
    flags_sampled,
    is_chosen,
    new_traceparent,
    parse_traceparent,
)

__all__ = ["Entry", "Span", "Tracing", "flags_sampled", "new_traceparent", "read_trace"]

Value = str | int | float | bool

ALLOWED = frozenset(
    {
        "error.type",
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "messaging.batch.message_count",
        "messaging.destination.name",
        "messaging.destination.partition.id",
        "messaging.kafka.offset",
        "schakel.actor_role",
        "schakel.aggregate_type",
        "schakel.agreement_id",
        "schakel.bytes",
        "schakel.decision",
        "schakel.door",
        "schakel.event_id",
        "schakel.event_name",
        "schakel.recipients",
        "schakel.state",
    }
)
"""The only attributes a span may carry. None of them can hold a person or a free text."""

_SAFE = re.compile(r"[A-Za-z0-9._:/{} -]{0,120}")
_INSZ_SHAPE = re.compile(r"(?<![0-9a-f])\d{2}[. ]?\d{2}[. ]?\d{2}[- ]?\d{3}[. ]?\d{2}(?![0-9a-f])")
_MAX_LINKS = 512


class Entry(Struct, frozen=True, gc=False):
    """How an event enters the hub's traces.

    Attributes:
        traceparent: what the first span of ours takes; its flag says whether it is recorded.
        link: the context of a client that is not continued but pointed at, if it sent one.
        is_root: the trace begins here, so that the first span has no parent.
    """

    traceparent: str
    link: str | None = None
    is_root: bool = True


class Tracing:
    """One process's spans. Safe to use from every thread; never raises, never blocks.

    Args:
        service: `gateway`, `relay`, `route` or the name of a door; shown in the waterfall.
        spans_url: store of the spans, migrated; None keeps none.
        otlp_endpoint: URL of a collector's `/v1/traces`; None exports none.
        ratio: share of traces, 0 to 1, that is recorded; decided where an event enters.
        max_queued: spans that may wait for one exporter; more are dropped and counted.
        delay_seconds: how long a span waits for company before it is written.
    """

    def __init__(
        self,
        service: str,
        spans_url: str | None = None,
        otlp_endpoint: str | None = None,
        ratio: float = 1.0,
        *,
        max_queued: int = 2048,
        delay_seconds: float = 0.5,
    ) -> None:
        self._ratio = ratio
        self._resource = Resource({"service.name": f"schakel-{service}"})
        self._refused = 0
        exporters: list[SpanExporter] = []
        if spans_url is not None:
            exporters.append(SqlSpanExporter(open_engine(spans_url), service))
        if otlp_endpoint is not None:
            exporters.append(OTLPSpanExporter(endpoint=otlp_endpoint, timeout=5))
        self._queues = [_Queue(exporter, max_queued, delay_seconds) for exporter in exporters]

    @property
    def dropped(self) -> int:
        """Spans that were not kept because an exporter could not keep up or failed."""
        return sum(queue.dropped for queue in self._queues)

    @property
    def refused_attributes(self) -> int:
        """Attributes left out: not on the allow-list, or not shaped safely."""
        return self._refused

    def enter(self, header: str | None, *, trusted: bool, marked: bool = False) -> Entry:
        """Decide once about an arriving event: which trace it belongs to, whether it is kept.

        A trusted client's trace is continued; another's is linked from a new one. `marked`
        records whatever the ratio says.
        """
        theirs = parse_traceparent(header)
        if theirs is not None and trusted:
            sampled = marked or theirs.sampled or is_chosen(theirs.trace_id, self._ratio)
            context = TraceContext(theirs.trace_id, theirs.span_id, sampled)
            return Entry(context.header(), is_root=False)
        fresh = new_traceparent(sampled=True)
        if not (marked or is_chosen(fresh[3:35], self._ratio)):
            fresh = fresh[:-2] + "00"
        return Entry(fresh, link=theirs.header() if theirs else None)

    @contextmanager
    def span(
        self,
        name: str,
        traceparent: str | None,
        attributes: Mapping[str, Value] | None = None,
        *,
        kind: str = "internal",
        links: Sequence[str] = (),
        root: bool = False,
    ) -> Iterator[str | None]:
        """Time a block of work, when its `traceparent` asks for it.

        Yields the `traceparent` for the work inside: the new span's, or the given one when
        nothing is recorded. An exception that passes is noted by its type only.
        """
        if not flags_sampled(traceparent):
            yield traceparent
            return
        started = time.time_ns()
        own = new_traceparent(traceparent, sampled=True)
        error: str | None = None
        try:
            yield own
        except BaseException as failure:
            error = type(failure).__name__
            raise
        finally:
            self.record(
                name,
                traceparent,
                started,
                time.time_ns(),
                attributes,
                kind=kind,
                links=links,
                error=error,
                own=own,
                root=root,
            )

    def record(
        self,
        name: str,
        traceparent: str | None,
        started_ns: int,
        ended_ns: int,
        attributes: Mapping[str, Value] | None = None,
        *,
        kind: str = "internal",
        links: Sequence[str] = (),
        error: str | None = None,
        own: str | None = None,
        root: bool = False,
    ) -> None:
        """Record work that is over; nothing happens unless `traceparent` has the sampled flag.

        Args:
            name: what was done, from a closed set: `publish`, `commit`, `relay`, `route`, ...
            traceparent: the parent.
            started_ns: nanoseconds since the epoch, real time.
            ended_ns: likewise.
            attributes: only those on the allow-list are kept.
            kind: `server`, `producer`, `consumer`, `client` or `internal`.
            links: `traceparent`s of other traces this work was for; at most 512 are kept.
            error: the kind of failure, never its message.
            own: the `traceparent` already handed on for this span, when there is one.
            root: the first span of its trace; `traceparent` then only gives trace and flag.
        """
        parent = parse_traceparent(traceparent) if flags_sampled(traceparent) else None
        if parent is None or not self._queues:
            return
        context = parse_traceparent(own or new_traceparent(traceparent, sampled=True))
        if context is None:
            return
        status = Status(StatusCode.ERROR, error) if error else Status(StatusCode.OK)
        span = ReadableSpan(
            name=name,
            context=_context(context, remote=False),
            parent=None if root else _context(parent, remote=True),
            resource=self._resource,
            attributes=self._allowed(attributes or {}),
            links=_links(links),
            kind=otel.SpanKind[kind.upper()],
            status=status,
            start_time=started_ns,
            end_time=ended_ns,
        )
        for queue in self._queues:
            queue.offer(span)

    def flush(self) -> None:
        """Write what waits, now. Blocks until the exporters answered."""
        for queue in self._queues:
            queue.flush()

    def close(self) -> None:
        """Write what waits and stop the exporters' threads."""
        for queue in self._queues:
            queue.close()

    def _allowed(self, attributes: Mapping[str, Value]) -> dict[str, Value]:
        kept = {name: value for name, value in attributes.items() if _is_allowed(name, value)}
        self._refused += len(attributes) - len(kept)
        return kept


class _Queue:
    """A batch processor whose queue has an end: what does not fit is dropped and counted."""

    def __init__(self, exporter: SpanExporter, max_queued: int, delay_seconds: float) -> None:
        self._counting = _Counting(exporter)
        self._max_queued = max_queued
        self._offered = 0
        self._dropped = 0
        self._lock = threading.Lock()
        self._batches = BatchSpanProcessor(
            self._counting,
            max_queue_size=max_queued,
            schedule_delay_millis=delay_seconds * 1000,
            max_export_batch_size=min(512, max_queued),
        )

    @property
    def dropped(self) -> int:
        return self._dropped + self._counting.lost

    def offer(self, span: ReadableSpan) -> None:
        with self._lock:
            if self._offered - self._counting.taken >= self._max_queued:
                self._dropped += 1
                return
            self._offered += 1
        self._batches.on_end(span)

    def flush(self) -> None:
        self._batches.force_flush()

    def close(self) -> None:
        self._batches.shutdown()  # type: ignore[no-untyped-call]  # untyped in the SDK


class _Counting(SpanExporter):
    """Counts what the exporter behind it took and lost."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self.taken = 0
        self.lost = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.taken += len(spans)
        result = self._exporter.export(spans)
        if result is not SpanExportResult.SUCCESS:
            self.lost += len(spans)
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def _is_allowed(name: str, value: Value) -> bool:
    if name not in ALLOWED:
        return False
    if isinstance(value, str):
        return _SAFE.fullmatch(value) is not None and _INSZ_SHAPE.search(value) is None
    return isinstance(value, bool | int | float)


def _context(context: TraceContext, *, remote: bool) -> otel.SpanContext:
    return otel.SpanContext(
        int(context.trace_id, 16),
        int(context.span_id, 16),
        is_remote=remote,
        trace_flags=otel.TraceFlags(otel.TraceFlags.SAMPLED),
    )


def _links(headers: Sequence[str]) -> list[otel.Link]:
    contexts = (parse_traceparent(header) for header in headers[:_MAX_LINKS])
    return [otel.Link(_context(context, remote=True)) for context in contexts if context]
