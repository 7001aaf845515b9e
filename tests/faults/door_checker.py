"""What the histories of three doors may not show, whatever was killed: pure, and tested by itself.

    D1 lost        an event that somebody is to get did not come, and nothing stopped it
    D2 duplicate   more came twice than one batch for each worker and kill
    D3 reordered   events of one trajectory first came in another order than the ledger's
    D4 phantom     what came is not in the ledger
    D5 foreign     what came is about somebody whom its reader has nothing to do with
    D6 late        rendered later than a right that ended allows
    D7 gap         something acknowledged is not in the ledger

Who is to get an event is what the load chose, never what the hub says it decided.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from tests.faults.checker import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

BATCH = 500
"""What a worker may send again when it was killed."""


@dataclass(frozen=True, slots=True)
class Doors:
    """What a run left behind.

    Attributes:
        rows: event id and trajectory of every row of the ledger, in its order.
        acknowledged: event ids of what the load sent for its readers.
        readers: who is to get what is about a trajectory.
        door: through which one each reader gets it.
        came: what each reader got, in the order in which it came.
        kills: for each door, how often one of the processes was killed that write to it.
        ended: when a reader's right ended, microseconds.
        rendered: reader, event id and when it was disclosed, microseconds.
        stopped: reader and event id of what its inbox says is stopped, or was not sent: after its
            right ended nothing more of it is.
        limit_us: how long after the end something may still be rendered.
    """

    rows: Sequence[tuple[str, str]]
    acknowledged: frozenset[str]
    readers: Mapping[str, frozenset[str]]
    door: Mapping[str, str]
    came: Mapping[str, Sequence[str]]
    kills: Mapping[str, int]
    ended: Mapping[str, int] = field(default_factory=dict)
    rendered: Sequence[tuple[str, str, int]] = ()
    stopped: frozenset[tuple[str, str]] = frozenset()
    limit_us: int = 2_000_000


def door_violations(seen: Doors) -> list[Violation]:
    """Everything that is wrong."""
    return [
        *_gap(seen),
        *_lost(seen),
        *_duplicate(seen),
        *_reordered(seen),
        *_unknown(seen),
        *_late(seen),
    ]


def _gap(seen: Doors) -> Iterator[Violation]:
    recorded = {event_id for event_id, _ in seen.rows}
    for event_id in sorted(seen.acknowledged - recorded):
        yield Violation("D7 gap", f"{event_id} was acknowledged and is not in the ledger")


def _lost(seen: Doors) -> Iterator[Violation]:
    came = {reader: frozenset(ids) for reader, ids in seen.came.items()}
    for event_id, trajectory in seen.rows:
        if event_id not in seen.acknowledged:
            continue
        for reader in sorted(seen.readers.get(trajectory, ())):
            is_excused = reader in seen.ended and (reader, event_id) in seen.stopped
            if event_id not in came.get(reader, frozenset()) and not is_excused:
                yield Violation("D1 lost", f"{event_id} did not reach {reader}")


def again(seen: Doors) -> dict[str, int]:
    """How many came once more, by door."""
    found = dict.fromkeys(seen.door.values(), 0)
    for reader, ids in seen.came.items():
        found[seen.door[reader]] += len(ids) - len(set(ids))
    return found


def _duplicate(seen: Doors) -> Iterator[Violation]:
    for door, times in again(seen).items():
        allowed = BATCH * seen.kills.get(door, 0)
        if times > allowed:
            yield Violation("D2 duplicate", f"{times} came again by {door}, of {allowed} allowed")


def _reordered(seen: Doors) -> Iterator[Violation]:
    place = {event_id: number for number, (event_id, _) in enumerate(seen.rows)}
    about = dict(seen.rows)
    for reader, ids in seen.came.items():
        by_trajectory: defaultdict[str, list[str]] = defaultdict(list)
        for one in dict.fromkeys(ids):
            if one in about:
                by_trajectory[about[one]].append(one)
        for trajectory, found in by_trajectory.items():
            for earlier, later in pairwise(found):
                if place[earlier] > place[later]:
                    what = f"{later} of {trajectory} came to {reader} after {earlier}"
                    yield Violation("D3 reordered", what)


def _unknown(seen: Doors) -> Iterator[Violation]:
    about = dict(seen.rows)
    for reader, ids in seen.came.items():
        for one in Counter(ids):
            if one not in about:
                yield Violation("D4 phantom", f"{one} came to {reader}")
            elif reader not in seen.readers.get(about[one], frozenset()):
                yield Violation("D5 foreign", f"{one} came to {reader}")


def _late(seen: Doors) -> Iterator[Violation]:
    for reader, event_id, at in seen.rendered:
        if reader in seen.ended and at > seen.ended[reader] + seen.limit_us:
            late = (at - seen.ended[reader]) / 1_000_000
            yield Violation("D6 late", f"{event_id} was rendered for {reader} {late:.1f} s after")
