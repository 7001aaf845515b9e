"""Spans as rows of bars for a terminal: a pure function of the journey document's spans.

Hours may lie between two spans (an inbox is fetched when its owner likes). Such idle time is cut
short, so that the work stays visible; the row after a cut says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

IDLE_SHARE = 0.15
"""A gap is drawn no longer than this share of all the work."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One span's row.

    Attributes:
        start: first column, from 0.
        length: columns, at least 1.
        depth: how deep it lies below the first span of its branch.
        idle_us: idle time before it that is not drawn to scale; 0 when none was cut.
    """

    span: dict[str, Any]
    start: int
    length: int
    depth: int
    idle_us: int


def bars(spans: Sequence[dict[str, Any]], columns: int) -> list[Bar]:
    """One bar a span, ordered by start; empty without spans."""
    timed = sorted(((_start_us(span), span) for span in spans), key=lambda pair: pair[0])
    if not timed:
        return []
    depths = _depths([span for _, span in timed])
    busy = sum(int(span["duration_us"]) for _, span in timed)
    allowed = max(1.0, busy * IDLE_SHARE)
    cut, end = 0.0, timed[0][0]
    placed: list[tuple[float, int, dict[str, Any]]] = []
    for start, span in timed:
        idle = start - end
        skipped = idle - allowed if idle > allowed else 0.0
        cut += skipped
        placed.append((start - cut, int(skipped), span))
        end = max(end, start + int(span["duration_us"]))
    origin = placed[0][0]
    total = max(1.0, max(at + int(span["duration_us"]) for at, _, span in placed) - origin)
    return [
        _bar(span, (at - origin) / total, columns, total, depths[span["span_id"]], idle)
        for at, idle, span in placed
    ]


def _bar(  # noqa: PLR0917 - one row's numbers
    span: dict[str, Any], share: float, columns: int, total: float, depth: int, idle_us: int
) -> Bar:
    start = min(columns - 1, int(share * columns))
    length = max(1, round(int(span["duration_us"]) / total * columns))
    return Bar(span, start, min(length, columns - start), depth, idle_us)


def _depths(spans: Sequence[dict[str, Any]]) -> dict[str, int]:
    """How many ancestors of each span are known; a parent elsewhere counts as none."""
    parents = {span["span_id"]: span.get("parent_id") for span in spans}
    depths: dict[str, int] = {}
    for span_id, parent in parents.items():
        depth, above = 0, parent
        while above in parents and depth < len(parents):
            depth, above = depth + 1, parents[above]
        depths[span_id] = depth
    return depths


def _start_us(span: dict[str, Any]) -> int:
    moment = datetime.fromisoformat(str(span["started_at"]))
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond
