"""All journeys, played once on one real hub; each test looks at what became of its own.

Everything is read as a participant reads it: its inbox, and the case as the hub shows it.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from connectors.credentials import load_credentials
from connectors.tokens import TokenSource
from connectors.world import world
from connectors.world.own_hub import own_hub
from connectors.world.performance import performance

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from connectors.credentials import Credentials
    from connectors.sdk import Event
    from connectors.world.own_hub import Installation
    from connectors.world.playing import Player

SEED, PEOPLE = 21, 12


@dataclass
class Stage:
    """What can be seen of the play."""

    where: Installation
    folder: Path
    player: Player
    events: int
    http: httpx.Client
    tokens: dict[str, TokenSource] = field(default_factory=dict)

    def credentials(self, who: str) -> Credentials:
        """Those of a participant of this world."""
        return load_credentials(self.folder / world.CLIENTS / f"{who}.json")

    def went_well(self, letter: str) -> None:
        """The hub did in this journey what the world says, refusals and sights included."""
        case = letter.lower()
        found = [one for one in self.player.played.surprises if one.case[0] == case]
        assert not found, found
        assert any(one.step.case == case for one in self.player.played.sent)

    def trajectory(self, case: str) -> str:
        """The hub's id of a case."""
        return self.player.played.cases[case.lower()]

    def inbox(self, who: str, case: str) -> list[Event]:
        """What somebody was given of a case, in order."""
        return self.player.inboxes.of(who, frozenset({self.trajectory(case)}))

    def names(self, who: str, case: str) -> list[str]:
        """The event names of it."""
        return [one.type for one in self.inbox(who, case)]

    def given(self, who: str, case: str, name: str) -> Event:
        """The last event of a name that somebody was given."""
        found = [one for one in self.inbox(who, case) if one.type == name]
        assert found, f"{who} got no {name}: {self.names(who, case)}"
        return found[-1]

    def refusals(self, case: str) -> list[tuple[str, str]]:
        """Event and code of what the hub refused in a case, by the field that was wrong."""
        return [
            (one.step.name, one.step.answer)
            for one in self.player.played.sent
            if one.step.case == case.lower() and not one.answer.is_recorded
        ]

    def case(self, who: str, case: str) -> dict[str, Any]:
        """The case as the hub shows it to somebody."""
        found: dict[str, Any] = self.get(who, f"/v1/trajectories/{self.trajectory(case)}")
        return found

    def states(self, who: str, case: str, kind: str) -> list[str]:
        """The states of everything of one kind in a case."""
        return [one["state"] for one in self.case(who, case)["aggregates"] if one["type"] == kind]

    def get(self, who: str, path: str) -> Any:
        """What somebody reads; it has to be there."""
        response = self.call(who, path)
        assert response.status_code == 200, response.text
        return response.json()

    def call(self, who: str, path: str) -> httpx.Response:
        """One GET as somebody, whatever the answer."""
        if who not in self.tokens:
            self.tokens[who] = TokenSource(self.http, self.credentials(who))
        bearer = {"authorization": f"Bearer {self.tokens[who].token()}"}
        return self.http.get(path, headers=bearer)


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """Start a hub, play every journey and a few others on it, and let it be looked at."""
    summary = world.generate(SEED, PEOPLE, folder)
    with ExitStack() as stack:
        where = stack.enter_context(own_hub())
        player = stack.enter_context(
            performance(
                where,
                lambda who: load_credentials(folder / world.CLIENTS / f"{who}.json"),
                world.read_registry(folder),
                language="nl",
                report=lambda _day, _sent: None,
                remembers=world.is_of_journey,
            )
        )
        player.play(world.read_steps(folder))
        http = stack.enter_context(httpx.Client(base_url=where.gateway, timeout=30.0))
        yield Stage(where, folder, player, summary["events"], http)
