"""The player sends what the world says, and notes whatever the hub does otherwise."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from connectors.client import HubClient
from connectors.credentials import Credentials
from connectors.sdk import Secret
from connectors.world import acts
from connectors.world.dice import Dice
from connectors.world.organisations import HAGELAND, OCMW_TIENEN, VDAB
from connectors.world.people import invent
from connectors.world.places import TIENEN, place
from connectors.world.playing import Played, Player
from connectors.world.script import Script, Step
from connectors.world.world import in_order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.connectors.stub_hub import StubHub

TYPE = "be.schakel.activation.v1."


class RecordingClock:
    """Notes where it was moved to."""

    def __init__(self) -> None:
        self.moves: list[datetime] = []

    def begin_at(self, when: datetime) -> None:
        """The first day."""
        self.moves.append(when)

    def move_to(self, when: datetime) -> None:
        """Every day on which something happens."""
        self.moves.append(when)


@pytest.fixture
def player(hub: StubHub) -> Iterator[Player]:
    """A player on a small hub that everybody reaches with one client."""
    with HubClient(hub.url, Credentials("client-1", secret=Secret("s"))) as client:
        yield Player(lambda _who: client, RecordingClock(), lambda _document: None, lambda _s: None)


def _script(key: str) -> Script:
    return Script(1, key, invent(Dice(1, key), 1, place(TIENEN)))


def _refer_and_accept(key: str, **changes: Any) -> list[Step]:
    script = _script(key)
    referral = acts.refer(script, OCMW_TIENEN, HAGELAND, **changes)
    script.wait(2)
    acts.accept(script, HAGELAND, referral)
    return script.steps


def _refuse_creations(event: dict[str, Any]) -> tuple[str, str] | None:
    if event["type"] == f"{TYPE}referral.created" and event["id"].startswith("w1-a"):
        return "no_agreement", "Geen overeenkomst."
    return None


def _play(player: Player, *cases: list[Step]) -> Played:
    return player.play(in_order(step for steps in cases for step in steps))


def test_what_the_hub_tells_is_filled_in(hub: StubHub, player: Player) -> None:
    """The case is named as the hub named it in its first answer."""
    played = _play(player, _refer_and_accept("a"))

    assert hub.names() == ["referral.created", "referral.accepted"]
    assert "trajectoryid" not in hub.events[0]
    assert hub.events[1]["trajectoryid"] == played.cases["a"]
    assert not played.surprises


def test_a_refusal_that_was_not_meant_is_reported(hub: StubHub, player: Player) -> None:
    """With what was wanted and what came; the rest of that case is left out, others go on."""
    hub.refuse = _refuse_creations
    played = _play(player, _refer_and_accept("a"), _refer_and_accept("b"))

    assert [(one.case, one.wanted, one.got) for one in played.surprises] == [
        ("a", "accepted", "rejected no_agreement")
    ]
    assert played.given_up == 1
    assert hub.names() == ["referral.created", "referral.accepted"]


def test_a_refusal_that_was_meant_is_none(hub: StubHub, player: Player) -> None:
    """A journey may be about a refusal."""
    hub.refuse = _refuse_creations
    script = _script("a")
    acts.refer(script, VDAB, HAGELAND, answer="no_agreement")

    assert not _play(player, script.steps).surprises


def test_an_acceptance_that_was_not_meant_is_reported(player: Player) -> None:
    """The hub took what the journey says it refuses."""
    script = _script("a")
    acts.refer(script, VDAB, HAGELAND, answer="no_agreement")
    played = _play(player, script.steps)

    assert [(one.wanted, one.got) for one in played.surprises] == [("no_agreement", "accepted")]


def test_playing_again_is_no_surprise(player: Player) -> None:
    """A second play of the same world finds its own events recorded already."""
    steps = _refer_and_accept("a")
    _play(player, steps)
    played = _play(player, steps)

    assert played.counts == {"accepted": 2, "duplicate": 2}
    assert not played.surprises


def test_what_must_never_come_is_looked_for(hub: StubHub, player: Player) -> None:
    """An event in the wrong inbox is a surprise, and its absence is none."""
    script = _script("a")
    acts.refer(script, OCMW_TIENEN, HAGELAND)
    script.wait(1)
    script.never(VDAB, "referral.created")
    assert not _play(player, script.steps).surprises

    trajectory = player.played.cases["a"]
    hub.inbox.append(
        {"id": "e-1", "type": f"{TYPE}referral.created", "trajectoryid": trajectory, "data": {}}
    )
    played = _play(player, script.steps[1:])
    assert [(one.who, one.wanted, one.got) for one in played.surprises] == [(VDAB, "never", "seen")]


def test_the_clock_goes_from_day_to_day(hub: StubHub) -> None:
    """Each day's events are sent on the evening of that day, in the hub's time."""
    clock = RecordingClock()
    with HubClient(hub.url, Credentials("client-1", secret=Secret("s"))) as client:
        player = Player(lambda _who: client, clock, lambda _document: None, lambda _s: None)
        _play(player, _refer_and_accept("a"))

    first, second = datetime(2026, 1, 5, 20, tzinfo=UTC), datetime(2026, 1, 7, 20, tzinfo=UTC)
    assert clock.moves == [first, first, second]
