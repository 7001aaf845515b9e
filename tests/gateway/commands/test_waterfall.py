"""Spans become bars: to scale, nested, and with long idle time cut short."""

from __future__ import annotations

from typing import Any

from gateway.commands.waterfall import bars
from tests.gateway.commands.hub_answers import JOURNEY


def _span(name: str, at_ms: int, duration_ms: int, parent: str | None = None) -> dict[str, Any]:
    return {
        "span_id": name,
        "parent_id": parent,
        "service": "gateway",
        "name": name,
        "started_at": f"2026-05-28T20:00:{at_ms // 1000:02d}.{at_ms % 1000:03d}000Z",
        "duration_us": duration_ms * 1000,
    }


def test_bars_are_to_scale_and_nested() -> None:
    """Half the time takes half the columns, below its parent."""
    outer, inner = bars([_span("outer", 0, 100), _span("inner", 50, 50, "outer")], 40)

    assert (outer.start, outer.length, outer.depth) == (0, 40, 0)
    assert (inner.start, inner.length, inner.depth) == (20, 20, 1)


def test_idle_time_is_cut_and_said() -> None:
    """An hour's wait does not squeeze the work to nothing; the cut is in its row."""
    first, second = bars([_span("a", 0, 10), _span("b", 50_000, 10)], 40)

    assert first.idle_us == 0
    assert first.length > 10
    assert second.start > first.length
    assert 49_900_000 < second.idle_us < 50_000_000


def test_every_bar_stays_within_the_columns() -> None:
    """Also a span without duration at the very end has a mark of its own."""
    found = bars([*JOURNEY["spans"], _span("tick", 0, 0)], 36)

    assert len(found) == 4
    assert all(bar.start >= 0 and bar.length >= 1 for bar in found)
    assert all(bar.start + bar.length <= 36 for bar in found)


def test_spans_that_name_each_other_as_parents_do_not_hang() -> None:
    """Broken telemetry is drawn, whatever it says."""
    found = bars([_span("a", 0, 1, "b"), _span("b", 0, 1, "a")], 10)

    assert len(found) == 2
    assert bars([], 10) == []
