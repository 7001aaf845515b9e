"""The checker of the doors: each violation planted in a good history is found, and no other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.faults.door_checker import BATCH, Doors, again, door_violations

if TYPE_CHECKING:
    from collections.abc import Callable

FEED, HOOK, TOPIC = "feed-1", "hook-1", "topic-1"
OTHER = "hook-2"
ENDED = 5_000_000


def good() -> Doors:
    """Two trajectories of three events; the second has a reader whose right ended on the way."""
    rows = [(f"e{number}{case}", f"t{case}") for number in range(3) for case in range(2)]
    first = ["e00", "e10", "e20"]
    every = [one for one, _ in rows]
    return Doors(
        rows=[("h0", "t0"), *rows, ("x0", "of nobody here")],
        acknowledged=frozenset(every),
        readers={"t0": frozenset({FEED, HOOK, TOPIC}), "t1": frozenset({FEED, OTHER, TOPIC})},
        door={FEED: "feed", HOOK: "webhook", OTHER: "webhook", TOPIC: "kafka"},
        came={
            FEED: ["h0", *every],
            HOOK: first,
            OTHER: ["e01", "e01", "e11"],
            TOPIC: ["e00", "e01", "e00", "e01", "e10", "e11", "e20", "e21"],
        },
        kills={"webhook": 1, "kafka": 1},
        ended={OTHER: ENDED},
        rendered=[(OTHER, "e11", ENDED + 1_900_000), (FEED, "e21", 10 * ENDED)],
        stopped=frozenset({(OTHER, "e21")}),
    )


def came(reader: str, *ids: str) -> Callable[[Doors], Doors]:
    """Let this be what a reader got."""
    return lambda seen: replace(seen, came={**seen.came, reader: list(ids)})


PLANTED: dict[str, tuple[Callable[[Doors], Doors], str]] = {
    "lost": (came(HOOK, "e00", "e20"), "D1 lost"),
    "lost by everybody": (
        lambda seen: replace(seen, came={**seen.came, HOOK: []}),
        "D1 lost",
    ),
    "not delivered and not stopped": (
        lambda seen: replace(seen, stopped=frozenset()),
        "D1 lost",
    ),
    "stopped for one whose right goes on": (
        lambda seen: replace(
            came(HOOK, "e00", "e10")(seen), stopped=seen.stopped | {(HOOK, "e20")}
        ),
        "D1 lost",
    ),
    "twice where nothing was killed": (
        came(FEED, "h0", "e00", "e00", "e01", "e10", "e11", "e20", "e21"),
        "D2 duplicate",
    ),
    "more than a batch again": (
        lambda seen: came(HOOK, *seen.came[HOOK], *["e20"] * BATCH)(seen),
        "D2 duplicate",
    ),
    "out of order within a trajectory": (came(HOOK, "e00", "e20", "e10"), "D3 reordered"),
    "out of order, hidden by a repetition": (
        came(HOOK, "e10", "e00", "e10", "e20"),
        "D3 reordered",
    ),
    "from nowhere": (came(HOOK, "e00", "e10", "e20", "e99"), "D4 phantom"),
    "another's": (came(HOOK, "e00", "e10", "e20", "e01"), "D5 foreign"),
    "about nobody of theirs": (came(HOOK, "e00", "e10", "e20", "x0"), "D5 foreign"),
    "after the right ended": (
        lambda seen: replace(seen, rendered=[*seen.rendered, (OTHER, "e21", ENDED + 2_000_001)]),
        "D6 late",
    ),
    "acknowledged and forgotten": (
        lambda seen: replace(seen, acknowledged=seen.acknowledged | {"e77"}),
        "D7 gap",
    ),
}


def test_a_good_history_has_none() -> None:
    """What came again after a kill, what was stopped and events between trajectories are fine."""
    assert door_violations(good()) == []
    assert again(good()) == {"feed": 0, "webhook": 1, "kafka": 2}


@pytest.mark.parametrize("planted", PLANTED)
def test_each_planted_violation_is_found(planted: str) -> None:
    """What was planted is named, and nothing else is."""
    change, expected = PLANTED[planted]

    assert {one.invariant for one in door_violations(change(good()))} == {expected}


def test_a_batch_again_for_each_kill_is_allowed() -> None:
    """Two kills, two batches; one more is too many."""
    seen = replace(good(), kills={"webhook": 2, "kafka": 1})
    seen = came(HOOK, *seen.came[HOOK], *["e20"] * (2 * BATCH - 1))(seen)
    worse = came(HOOK, *seen.came[HOOK], "e20")(seen)

    assert door_violations(seen) == []
    assert [one.invariant for one in door_violations(worse)] == ["D2 duplicate"]
