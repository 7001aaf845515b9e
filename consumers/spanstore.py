"""The database of spans: an exporter that fills and bounds it, and the reader of one trace.

Telemetry is short-lived: rows go after thirty days, and the oldest go first when there are too
many. A span that worked for several traces (the route, for a batch) is found from each of them
through its links. Times are microseconds since the epoch, UTC, of the machine's own clock.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from sqlalchemy.exc import SQLAlchemyError

from consumers import bulk

RETENTION_SECONDS = 30 * 24 * 3600
MAX_ROWS = 500_000
_PRUNE_EVERY = 200
_MAX_READ = 500

metadata = sa.MetaData()

spans = sa.Table(
    "spans",
    metadata,
    sa.Column("span_id", sa.String(16), primary_key=True),
    sa.Column("trace_id", sa.String(32), nullable=False),
    sa.Column("parent_id", sa.String(16)),
    sa.Column("service", sa.String(40), nullable=False),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("started_at", sa.BigInteger, nullable=False),
    sa.Column("ended_at", sa.BigInteger, nullable=False),
    sa.Column("status", sa.String(40), nullable=False),
    sa.Column("attributes", sa.Text, nullable=False),
    sa.Index("spans_by_trace", "trace_id", "started_at"),
    sa.Index("spans_by_time", "started_at"),
)

span_links = sa.Table(
    "span_links",
    metadata,
    sa.Column("linked_trace_id", sa.String(32), nullable=False),
    sa.Column("span_id", sa.String(16), nullable=False),
    sa.PrimaryKeyConstraint("linked_trace_id", "span_id"),
)


@dataclass(frozen=True, slots=True)
class Span:
    """One piece of work, as kept.

    Attributes:
        status: `ok`, or the kind of error that ended the work.
        linked: it belongs to another trace and points at the one that was asked for.
    """

    span_id: str
    trace_id: str
    parent_id: str | None
    service: str
    name: str
    kind: str
    started_at: int
    ended_at: int
    status: str
    attributes: dict[str, Any] = field(default_factory=dict)
    linked: bool = False


class SqlSpanExporter(SpanExporter):
    """Writes batches of spans; a database that does not answer costs spans, never an event."""

    def __init__(self, engine: sa.Engine, service: str, *, max_rows: int = MAX_ROWS) -> None:
        self._engine = engine
        self._service = service
        self._max_rows = max_rows
        self._exports = 0

    def export(self, batch: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write one batch in one transaction; FAILURE when the database refuses."""
        self._exports += 1
        try:
            with self._engine.begin() as connection:
                rows = [self._row(span) for span in batch]
                bulk.insert(connection, spans, rows, skip_present=True)
                bulk.insert(connection, span_links, _links(batch), skip_present=True)
                if self._exports % _PRUNE_EVERY == 1:
                    prune(connection, self._max_rows)
        except SQLAlchemyError:
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def _row(self, span: ReadableSpan) -> tuple[object, ...]:
        started, ended = span.start_time or 0, span.end_time or 0
        return (
            _span_id(span),
            f"{span.context.trace_id:032x}",
            f"{span.parent.span_id:016x}" if span.parent else None,
            self._service,
            span.name,
            span.kind.name.lower(),
            started // 1000,
            ended // 1000,
            (span.status.description or "error") if not span.status.is_ok else "ok",
            json.dumps(dict(span.attributes or {}), sort_keys=True),
        )


def _span_id(span: ReadableSpan) -> str:
    return f"{span.context.span_id:016x}"


def _links(batch: Sequence[ReadableSpan]) -> list[tuple[str, str]]:
    pairs = {
        (f"{link.context.trace_id:032x}", _span_id(span)) for span in batch for link in span.links
    }
    return sorted(pairs)


def prune(connection: sa.Connection, max_rows: int = MAX_ROWS) -> None:
    """Delete what is older than the retention, then the oldest above `max_rows`."""
    cut = int((time.time() - RETENTION_SECONDS) * 1_000_000)
    eldest_kept = (
        sa.select(spans.c.started_at).order_by(spans.c.started_at.desc()).offset(max_rows).limit(1)
    )
    over = connection.execute(eldest_kept).scalar()
    cut = max(cut, over if over is not None else cut)
    doomed = sa.select(spans.c.span_id).where(spans.c.started_at <= cut)
    connection.execute(sa.delete(span_links).where(span_links.c.span_id.in_(doomed)))
    connection.execute(sa.delete(spans).where(spans.c.started_at <= cut))


def read_trace(engine: sa.Engine, trace_id: str, *, limit: int = _MAX_READ) -> list[Span]:
    """The spans of one trace and those linked to it, by start; at most `limit`."""
    linked = sa.select(span_links.c.span_id).where(span_links.c.linked_trace_id == trace_id)
    query = (
        sa.select(spans)
        .where(sa.or_(spans.c.trace_id == trace_id, spans.c.span_id.in_(linked)))
        .order_by(spans.c.started_at, spans.c.ended_at.desc())
        .limit(limit)
    )
    with engine.connect() as connection:
        rows = connection.execute(query).mappings().all()
    return [_span(row, trace_id) for row in rows]


def _span(row: sa.RowMapping, asked: str) -> Span:
    values: dict[str, Any] = {column.name: row[column] for column in spans.columns}
    values["attributes"] = json.loads(values["attributes"])
    return Span(**values, linked=values["trace_id"] != asked)
