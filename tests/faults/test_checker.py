"""The checker itself: each violation planted in a good history is found, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.faults.checker import unanswered, violations
from tests.faults.history import History, Operation, publishing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OCMW, ORGANISER = "ocmw-tienen", "wijkwerk-hageland"


def good() -> list[Operation]:
    """Two cases of three events, a refused one, one sent three times, one without an answer."""
    calls = [
        Operation("publish", OCMW, f"case-{case}", f"e{case}{n}", f"h{case}{n}", 10 * n + case, 0)
        for n in range(3)
        for case in range(2)
    ]
    rows = [Operation("record", OCMW, event_id=one.event_id, id=one.id) for one in calls]
    arrived = [Operation("deliver", ORGANISER, id=one.id) for one in calls]
    hub = Operation("record", "hub", event_id="h-own", id="h-own")
    return [
        Operation("publish", OCMW, "case-0", "e00", "", 0, 1, "info"),
        *calls,
        replace(calls[0], invoke=500),
        Operation("publish", OCMW, "case-0", "refused", "", 60, 61, "fail"),
        Operation("publish", OCMW, "case-1", "unknown", "", 70, 71, "info"),
        hub,
        *rows,
        Operation("deliver", ORGANISER, id="h-own"),
        *arrived,
    ]


def without(op: str, name: str) -> Callable[[list[Operation]], list[Operation]]:
    """Take one row or one arrival away."""
    return lambda found: [one for one in found if one.op != op or one.id != name]


def plus(*more: Operation) -> Callable[[list[Operation]], list[Operation]]:
    """Add operations at the end."""
    return lambda found: [*found, *more]


def swapped(op: str, first: str, second: str) -> Callable[[list[Operation]], list[Operation]]:
    """Let two rows, or two arrivals, change places."""

    def change(found: list[Operation]) -> list[Operation]:
        at = {one.id: place for place, one in enumerate(found) if one.op == op}
        left, right = at[first], at[second]
        found[left], found[right] = found[right], found[left]
        return found

    return change


PLANTED = {
    "lost from the ledger": (without("record", "h02"), {"I1 lost", "I5 phantom"}),
    "lost on the way": (without("deliver", "h02"), {"I1 lost"}),
    "twice in the ledger": (
        plus(Operation("record", OCMW, event_id="e01", id="h01")),
        {"I2 duplicate"},
    ),
    "twice in an inbox": (plus(Operation("deliver", ORGANISER, id="h01")), {"I2 duplicate"}),
    "two receipts": (
        plus(Operation("publish", OCMW, "case-0", "e01", "other", 90, 91)),
        {"I2 duplicate"},
    ),
    "another order in the ledger": (swapped("record", "h01", "h02"), {"I3 reordered"}),
    "another order in an inbox": (swapped("deliver", "h11", "h12"), {"I3 reordered"}),
    "a refused one in the ledger": (
        plus(Operation("record", OCMW, event_id="refused", id="h-r")),
        {"I5 phantom"},
    ),
    "one that nobody sent": (
        plus(Operation("record", OCMW, event_id="invented", id="h-i")),
        {"I5 phantom"},
    ),
    "one from nowhere in an inbox": (
        plus(Operation("deliver", ORGANISER, id="h-n")),
        {"I5 phantom"},
    ),
    "a receipt for another row": (
        lambda found: [
            replace(one, id="h-x") if one.op == "record" and one.id == "h12" else one
            for one in found
        ],
        {"I9 unaccounted", "I5 phantom"},
    ),
}


def test_a_good_history_has_none() -> None:
    """Sending again, a refusal and a call without an answer are no violations."""
    assert violations(good(), [ORGANISER]) == []


def test_what_was_unknown_may_have_happened() -> None:
    """An event whose call had no answer may be in the ledger and arrive."""
    late = [
        Operation("record", OCMW, event_id="unknown", id="h-u"),
        Operation("deliver", ORGANISER, id="h-u"),
    ]

    assert violations([*good(), *late], [ORGANISER]) == []
    assert unanswered([*good(), *late]) == ["unknown"]


@pytest.mark.parametrize("planted", PLANTED)
def test_each_planted_violation_is_found(planted: str) -> None:
    """What was planted is named, by its invariant, and nothing else is."""
    change, expected = PLANTED[planted]

    assert {one.invariant for one in violations(change(good()), [ORGANISER])} == expected


def test_a_history_is_read_as_it_was_written(tmp_path: Path) -> None:
    """A call is noted however it ends; one that fails in between stays unknown."""
    history = History(tmp_path / "history.jsonl")
    with publishing(history, OCMW, "case-0", "e1") as call:
        call.outcome, call.id = "ok", "h1"
    with pytest.raises(ConnectionError), publishing(history, OCMW, "case-0", "e2"):
        raise ConnectionError

    first, second = history.read()
    assert (first.event_id, first.id, first.outcome) == ("e1", "h1", "ok")
    assert (second.event_id, second.id, second.outcome) == ("e2", "", "info")
    assert first.invoke <= first.complete <= second.complete
    assert (history.count("ok"), history.count("info")) == (1, 1)
