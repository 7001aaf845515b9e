"""What a history may not show, whatever was killed meanwhile: pure, and tested by itself.

    I1 lost        an acknowledged event is not in the ledger, or not in an entitled inbox
    I2 duplicate   an event has two rows in the ledger, two receipts, or comes twice in an inbox
    I3 reordered   events of one key stand in another order than they were sent in
    I5 phantom     a refused event, or one that nobody sent, is in the ledger or in an inbox
    I9 unaccounted a receipt names another row than the ledger has, or nobody asked for a row

Occurrences are counted, never collected in sets. A call without an answer says nothing: its event
may be there or not.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.faults.history import Operation

HUB = "hub"


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that must not happen."""

    invariant: str
    what: str


@dataclass(frozen=True, slots=True)
class _Seen:
    """A history, sorted out."""

    calls: dict[str, list[Operation]]
    rows: list[Operation]
    delivered: dict[str, list[str]]

    @classmethod
    def of(cls, operations: Iterable[Operation]) -> _Seen:
        calls: defaultdict[str, list[Operation]] = defaultdict(list)
        rows: list[Operation] = []
        delivered: defaultdict[str, list[str]] = defaultdict(list)
        for one in operations:
            if one.op == "publish":
                calls[one.event_id].append(one)
            elif one.op == "record":
                rows.append(one)
            else:
                delivered[one.org].append(one.id)
        return cls(dict(calls), rows, dict(delivered))

    def acknowledged(self) -> Iterator[tuple[str, set[str]]]:
        """The events that got a 2xx, each with the hub's ids that its receipts named."""
        for event_id, calls in self.calls.items():
            ids = {one.id for one in calls if one.outcome == "ok"}
            if ids:
                yield event_id, ids


def violations(operations: Iterable[Operation], entitled: Sequence[str]) -> list[Violation]:
    """Everything that is wrong with a history; `entitled` are those who get every event."""
    seen = _Seen.of(operations)
    return [
        *_lost(seen, entitled),
        *_duplicate(seen),
        *_reordered(seen),
        *_phantom(seen),
        *_unaccounted(seen),
    ]


def _lost(seen: _Seen, entitled: Sequence[str]) -> Iterator[Violation]:
    recorded = Counter(one.event_id for one in seen.rows)
    arrived = {org: Counter(seen.delivered.get(org, ())) for org in entitled}
    for event_id, ids in seen.acknowledged():
        if not recorded[event_id]:
            yield Violation("I1 lost", f"{event_id} was acknowledged and is not in the ledger")
        for org, counted in arrived.items():
            if not any(counted[one] for one in ids):
                yield Violation("I1 lost", f"{event_id} did not reach {org}")


def _duplicate(seen: _Seen) -> Iterator[Violation]:
    for event_id, times in Counter(one.event_id for one in seen.rows).items():
        if times > 1:
            yield Violation("I2 duplicate", f"{event_id} has {times} rows in the ledger")
    for event_id, ids in seen.acknowledged():
        if len(ids) > 1:
            yield Violation("I2 duplicate", f"{event_id} has {len(ids)} receipts")
    for org, arrived in seen.delivered.items():
        for one, times in Counter(arrived).items():
            if times > 1:
                yield Violation("I2 duplicate", f"{one} came to {org} {times} times")


def _reordered(seen: _Seen) -> Iterator[Violation]:
    sent = {
        event_id: (calls[0].org, calls[0].key, min(one.invoke for one in calls))
        for event_id, calls in seen.calls.items()
        if any(one.outcome == "ok" for one in calls)
    }
    own = {one.id: one.event_id for one in seen.rows}
    places = {"the ledger": [one.event_id for one in seen.rows]}
    places |= {org: [own.get(one, "") for one in ids] for org, ids in seen.delivered.items()}
    for place, event_ids in places.items():
        by_key: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for one in dict.fromkeys(event_ids):
            if one in sent:
                by_key[sent[one][:2]].append(one)
        for (_, key), found in by_key.items():
            for earlier, later in pairwise(found):
                if sent[earlier][2] > sent[later][2]:
                    what = f"{later} was sent before {earlier} of {key} and stands after it"
                    yield Violation("I3 reordered", f"{what} in {place}")


def _phantom(seen: _Seen) -> Iterator[Violation]:
    known = {one.id for one in seen.rows}
    for row in seen.rows:
        calls = seen.calls.get(row.event_id, [])
        if any(one.outcome == "fail" for one in calls):
            yield Violation("I5 phantom", f"{row.event_id} was refused and is in the ledger")
        if not calls and row.org != HUB:
            yield Violation("I5 phantom", f"{row.event_id} is in the ledger and nobody sent it")
    for org, ids in seen.delivered.items():
        for one in ids:
            if one not in known:
                yield Violation("I5 phantom", f"{one} came to {org} and is not in the ledger")


def _unaccounted(seen: _Seen) -> Iterator[Violation]:
    rows = {one.event_id: one.id for one in seen.rows}
    for event_id, ids in seen.acknowledged():
        if event_id in rows and rows[event_id] not in ids:
            yield Violation("I9 unaccounted", f"the receipt of {event_id} names another row")


def unanswered(operations: Iterable[Operation]) -> list[str]:
    """Own ids of events that are in the ledger although no call for them was acknowledged."""
    seen = _Seen.of(operations)
    answered = dict(seen.acknowledged())
    return [row.event_id for row in seen.rows if row.org != HUB and row.event_id not in answered]
