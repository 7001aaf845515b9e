"""What the participants of a world were given, read from their own inboxes."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from connectors.client import HubClient
    from connectors.sdk import Event
    from connectors.world.script import Sight

PAGE = 500
WAIT_SECONDS = 2
OFFERS = "offer."


class Inboxes:
    """Reads each inbox once, as far as it goes, whenever somebody looks.

    Args:
        client: the client of a participant.
        is_wanted: whether events of a trajectory are kept; offers always are.
        patience_seconds: how long something that has to come may take.
    """

    def __init__(
        self,
        client: Callable[[str], HubClient],
        is_wanted: Callable[[str], bool],
        *,
        patience_seconds: float = 30.0,
    ) -> None:
        self._client = client
        self._is_wanted = is_wanted
        self._patience_seconds = patience_seconds
        self._cursors: dict[str, str] = {}
        self._events: dict[str, list[Event]] = defaultdict(list)

    def of(
        self, who: str, trajectories: frozenset[str], subjects: frozenset[str] = frozenset()
    ) -> list[Event]:
        """What somebody has by now of some trajectories and offers, in the order of the inbox."""
        self._read(who, wait_seconds=0)
        return [
            one
            for one in self._events[who]
            if one.attributes.get("trajectoryid") in trajectories
            or one.attributes.get("subject") in subjects
        ]

    def has(self, sight: Sight, trajectory: str | None) -> bool:
        """Whether it is there; waits for what has to come, and not for what must not."""
        deadline = time.monotonic() + self._patience_seconds
        while True:
            self._read(sight.who, wait_seconds=0)
            if any(shown(one, sight, trajectory) for one in self._events[sight.who]):
                return True
            if sight.never or time.monotonic() > deadline:
                return False
            self._read(sight.who, wait_seconds=WAIT_SECONDS)

    def last(self, who: str, trajectory: str | None, name: str) -> Event | None:
        """The last event of a name in a case; waits for it as long as patience lasts."""
        deadline = time.monotonic() + self._patience_seconds
        while True:
            self._read(who, wait_seconds=0)
            found = [
                one
                for one in self._events[who]
                if one.type == name and one.attributes.get("trajectoryid") == trajectory
            ]
            if found or time.monotonic() > deadline:
                return found[-1] if found else None
            self._read(who, wait_seconds=WAIT_SECONDS)

    def _read(self, who: str, *, wait_seconds: int) -> None:
        """Take everything after the cursor; waits for a first event when asked to."""
        while True:
            after = self._cursors.get(who)
            page = self._client(who).feed(after, limit=PAGE, wait_seconds=wait_seconds)
            self._events[who] += [one for one in page.events if self._keeps(one)]
            if page.next is not None:
                self._cursors[who] = page.next
            if not page.events:
                return
            wait_seconds = 0

    def _keeps(self, event: Event) -> bool:
        trajectory = event.attributes.get("trajectoryid")
        if trajectory is None:
            return event.type.startswith(OFFERS)
        return self._is_wanted(str(trajectory))


def shown(event: Event, sight: Sight, trajectory: str | None) -> bool:
    """Whether a delivered event is the one that has to be seen."""
    if event.type != sight.name:
        return False
    if sight.subject is not None:
        if event.attributes.get("subject") != sight.subject:
            return False
    elif event.attributes.get("trajectoryid") != trajectory:
        return False
    if sight.backfill is not None and bool(event.attributes.get("backfill")) != sight.backfill:
        return False
    withheld = str(event.attributes.get("withheld", "")).split(",")
    return set(sight.withheld) <= set(withheld) and all(
        at(event, path) == value for path, value in sight.shows.items()
    )


def at(event: Event, path: str) -> object:
    """The value of a field of an event's data; None when it is not there."""
    found: object = event.data
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found
