"""Spans are kept when asked for, carry nothing personal, and never stand in the way."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from consumers.spans import Tracing, flags_sampled, new_traceparent, read_trace
from consumers.spanstore import prune
from tests.store_fixtures import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy.engine import Engine

    from consumers.database import Stores


@pytest.fixture
def tracing(stores: Stores) -> Iterator[Tracing]:
    """A process's spans, kept in the store."""
    made = Tracing("gateway", stores.spans)
    yield made
    made.close()


def _trace_id(traceparent: str) -> str:
    return traceparent[3:35]


def test_nested_work_becomes_a_tree(tracing: Tracing, engine_of: Callable[..., Engine]) -> None:
    """A span within a span names it as its parent; the first has none."""
    entry = tracing.enter(None, trusted=False)
    with (
        tracing.span("publish", entry.traceparent, kind="server", root=entry.is_root) as outer,
        tracing.span("commit", outer) as inner,
    ):
        assert inner != outer
    tracing.flush()

    publish, commit = read_trace(engine_of("spans"), _trace_id(entry.traceparent))

    assert (publish.name, publish.parent_id, publish.kind) == ("publish", None, "server")
    assert (commit.name, commit.parent_id) == ("commit", publish.span_id)
    assert publish.started_at <= commit.started_at <= commit.ended_at <= publish.ended_at
    assert publish.service == "gateway"


def test_nothing_is_recorded_without_the_flag(
    tracing: Tracing, engine_of: Callable[..., Engine]
) -> None:
    """An unsampled header passes through unchanged and leaves no span."""
    header = new_traceparent(sampled=False)
    with tracing.span("publish", header) as inside:
        assert inside == header
    tracing.flush()

    assert read_trace(engine_of("spans"), _trace_id(header)) == []


def test_an_error_is_noted_by_its_kind_only(
    tracing: Tracing, engine_of: Callable[..., Engine]
) -> None:
    """The message of an exception could hold anything, so only its type is kept."""
    header = new_traceparent(sampled=True)
    secret = "Amina Testers"
    with pytest.raises(ValueError, match=secret), tracing.span("publish", header):
        raise ValueError(secret)
    tracing.flush()

    (span,) = read_trace(engine_of("spans"), _trace_id(header))

    assert span.status == "ValueError"
    assert secret not in repr(span)


def test_only_listed_attributes_with_plain_values_are_kept(
    tracing: Tracing, engine_of: Callable[..., Engine]
) -> None:
    """Unknown names, free text and anything shaped like a national number are left out."""
    header = new_traceparent(sampled=True)
    attributes: dict[str, str | int] = {
        "schakel.event_name": "referral.created",
        "schakel.event_id": "01951234-5678-7123-8123-123456789012",
        "schakel.bytes": 600,
        "person.name": "Amina",
        "schakel.state": "71641212301",
        "schakel.decision": "niet zo'n goed idee!",
    }
    with tracing.span("publish", header, attributes):
        pass
    tracing.flush()

    (span,) = read_trace(engine_of("spans"), _trace_id(header))

    assert span.attributes == {
        "schakel.event_name": "referral.created",
        "schakel.event_id": "01951234-5678-7123-8123-123456789012",
        "schakel.bytes": 600,
    }
    assert tracing.refused_attributes == 3


def test_a_batch_is_found_from_each_of_its_traces(
    tracing: Tracing, engine_of: Callable[..., Engine]
) -> None:
    """A span that worked for several events is linked to each of them."""
    first, second = new_traceparent(sampled=True), new_traceparent(sampled=True)
    batch = new_traceparent(sampled=True)
    now = time.time_ns()
    tracing.record("route", batch, now, now + 5000, links=[first, second], root=True)
    tracing.flush()

    for header in (first, second):
        (span,) = read_trace(engine_of("spans"), _trace_id(header))
        assert (span.name, span.linked, span.trace_id) == ("route", True, _trace_id(batch))


def test_a_trusted_trace_is_continued_and_another_linked() -> None:
    """Only a trusted client may put its event into its own trace."""
    tracing = Tracing("gateway", ratio=1.0)
    theirs = new_traceparent(sampled=False)

    trusted = tracing.enter(theirs, trusted=True)
    other = tracing.enter(theirs, trusted=False)
    none = tracing.enter("rubbish", trusted=True)

    assert _trace_id(trusted.traceparent) == _trace_id(theirs)
    assert (trusted.link, trusted.is_root) == (None, False)
    assert _trace_id(other.traceparent) != _trace_id(theirs)
    assert (other.link, other.is_root) == (theirs, True)
    assert (none.link, none.is_root) == (None, True)
    assert all(flags_sampled(one.traceparent) for one in (trusted, other, none))


def test_sampling_is_decided_once_at_the_entry() -> None:
    """A ratio of nothing records only what a trusted client or a mark asks for."""
    tracing = Tracing("gateway", ratio=0.0)

    assert not flags_sampled(tracing.enter(None, trusted=False).traceparent)
    assert flags_sampled(tracing.enter(None, trusted=False, marked=True).traceparent)
    assert flags_sampled(tracing.enter(new_traceparent(sampled=True), trusted=True).traceparent)
    assert not flags_sampled(
        tracing.enter(new_traceparent(sampled=True), trusted=False).traceparent
    )


def test_a_full_queue_drops_and_counts(stores: Stores, engine_of: Callable[..., Engine]) -> None:
    """More spans than fit are dropped, and every one is either kept or counted."""
    tracing = Tracing("gateway", stores.spans, max_queued=50, delay_seconds=30)
    header = new_traceparent(sampled=True)
    with engine_of("spans").begin() as blocker:
        blocker.exec_driver_sql("delete from span_links")  # on SQLite: holds the write lock
        for _ in range(400):
            tracing.record("publish", header, time.time_ns(), time.time_ns())
    tracing.close()

    kept = read_trace(engine_of("spans"), _trace_id(header), limit=1000)

    assert tracing.dropped > 0
    assert len(kept) + tracing.dropped == 400


def test_a_missing_database_costs_spans_only(tmp_path: Path) -> None:
    """Without its tables the exporter counts what it lost; the work itself goes on."""
    tracing = Tracing("gateway", f"sqlite:///{tmp_path / 'empty.db'}")
    with tracing.span("publish", new_traceparent(sampled=True)):
        pass
    tracing.close()

    assert tracing.dropped == 1


def test_spans_of_several_threads_are_all_kept(
    tracing: Tracing, engine_of: Callable[..., Engine]
) -> None:
    """Threads may record at once."""
    header = new_traceparent(sampled=True)

    def record() -> None:
        for _ in range(50):
            tracing.record("publish", header, time.time_ns(), time.time_ns())

    threads = [threading.Thread(target=record) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tracing.flush()

    assert len(read_trace(engine_of("spans"), _trace_id(header))) == 200
    assert tracing.dropped == 0


def test_old_and_surplus_spans_are_pruned(stores: Stores) -> None:
    """What is past its retention goes, then the oldest above the bound."""
    tracing = Tracing("gateway", stores.spans)
    header = new_traceparent(sampled=True)
    now = time.time_ns()
    for number in range(5):
        tracing.record(f"step-{number}", header, now + number * 1_000_000, now + 9_000_000)
    tracing.record("ancient", header, 1_000, 2_000)
    tracing.close()

    with opened(stores.spans) as engine:
        with engine.begin() as connection:
            prune(connection, max_rows=3)
        names = [span.name for span in read_trace(engine, _trace_id(header))]

    assert names == ["step-2", "step-3", "step-4"]
