"""`schakel trace` finds an event or a trajectory and draws who got it, who did not, and why."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console, RenderableType
from typer.testing import CliRunner

from gateway.commands import trace
from gateway.commands.journey_drawing import STATES, WORDS, draw_event, draw_trajectory
from gateway.commands.trace import look_up
from gateway.errors import CredentialsMissing, NothingFound
from gateway.exchange.legs import LEGS, WAITS
from tests.gateway.commands.hub_answers import EVENT, JOURNEY, TRAJECTORY, Hub

if TYPE_CHECKING:
    from pathlib import Path

CASE = {"trajectory_id": TRAJECTORY, "state": "held", "timeline": [{"event_id": EVENT}]}


def _text(drawing: RenderableType, width: int = 120) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width, color_system=None).print(drawing)
    return stream.getvalue()


def test_an_event_is_found_by_its_id() -> None:
    """The hub's own id leads straight to the event."""
    hub = Hub({f"/v1/events/{EVENT}": JOURNEY})
    with hub.session() as session:
        assert look_up(session, EVENT)["type"] == "referral.created"

    assert hub.asked == [f"/v1/events/{EVENT}"]


def test_a_trajectory_is_found_by_its_id() -> None:
    """An id that is no event's may be a trajectory's; its events are told in order."""
    hub = Hub({f"/v1/trajectories/{TRAJECTORY}": CASE, f"/v1/events/{EVENT}": JOURNEY})
    with hub.session() as session:
        found = look_up(session, TRAJECTORY)

    assert [one["event_id"] for one in found["events"]] == [EVENT]


def test_an_own_number_is_asked_as_a_query() -> None:
    """A case number leads to the trajectory and never stands in a path."""
    listed = {"trajectories": [{"trajectory_id": TRAJECTORY}]}
    hub = Hub(
        {
            "/v1/trajectories?sourcerecordid=DOSSIER-7": listed,
            f"/v1/trajectories/{TRAJECTORY}": CASE,
            f"/v1/events/{EVENT}": JOURNEY,
        }
    )
    with hub.session() as session:
        assert look_up(session, "DOSSIER-7")["trajectory_id"] == TRAJECTORY

    assert not any("DOSSIER-7" in path.partition("?")[0] for path in hub.asked)


def test_an_own_event_id_is_found_last() -> None:
    """The sender's own id for an event works as well."""
    hub = Hub(
        {
            "/v1/trajectories?sourcerecordid=REF-1": {"trajectories": []},
            "/v1/events/REF-1": JOURNEY,
        }
    )
    with hub.session() as session:
        assert look_up(session, "REF-1")["event_id"] == EVENT


@pytest.mark.parametrize("wanted", [EVENT, "DOSSIER-8"])
def test_nothing_found_is_said(wanted: str) -> None:
    """What the hub does not know for this client is one sentence, without what was asked for."""
    hub = Hub({"/v1/trajectories?sourcerecordid=DOSSIER-8": {"trajectories": []}})
    with hub.session() as session, pytest.raises(NothingFound) as refused:
        look_up(session, wanted)
    assert wanted not in str(refused.value)


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("nl", ["afgehaald", "niet gekregen", "geen actieve afspraak", "Niet meegegeven", "rust"]),
        ("en", ["handed over", "not given", "no active agreement", "Withheld", "idle"]),
    ],
)
def test_a_drawing_says_everything_in_words(language: str, expected: list[str]) -> None:
    """Without colour: who got it through which door, who did not and why, and the time spent."""
    drawn = _text(draw_event(JOURNEY, language), width=200)

    for word in [*expected, "Wijk-werk Hageland", "VDAB", "insz, income_status", "feed", "commit"]:
        assert word in drawn
    assert "✗ Overloaded" in drawn
    assert "22:26:40.250" in drawn  # Belgian time


def test_a_drawing_of_what_the_hub_tells_a_recipient() -> None:
    """Without names, spans or the sender a smaller document is drawn all the same."""
    small: dict[str, Any] = {
        name: JOURNEY[name]
        for name in ("event_id", "type", "occurred_at", "recorded_at", "published")
    }
    own = {"participant": "vdab", "role": "V", "state": "waiting", "reason": "not_routed"}
    drawn = _text(draw_event({**small, "own": False, "recipients": [own]}, "nl"))

    assert "een lokale partner" in drawn
    assert "alleen uw eigen regel" in drawn
    assert "onderweg" in drawn
    assert "not_routed" not in drawn


def test_a_trajectory_is_drawn_with_each_events_recipients() -> None:
    """Every event has its recipients beside it, those that were left out included."""
    drawn = _text(draw_trajectory(TRAJECTORY, [JOURNEY, JOURNEY], "nl"))

    assert TRAJECTORY in drawn
    assert drawn.count("referral.created") == 2
    assert drawn.count("✗ VDAB niet gekregen") == 2


def test_markup_in_names_is_not_obeyed() -> None:
    """A name with brackets is text."""
    document = {**JOURNEY, "from": {"name": "[red]OCMW[/red]"}, "recipients": []}

    assert "[red]OCMW[/red]" in _text(draw_event(document, "nl"))


def test_every_word_is_there_in_both_languages() -> None:
    """No sentence is missing in Dutch or English."""
    states = [message for _, _, message in STATES.values()]
    messages = [*WORDS.values(), *LEGS.values(), *WAITS.values(), *states]

    assert all(one.nl and one.en and one.nl != one.en for one in messages)


def test_options_may_stand_after_the_id(tmp_path: Path) -> None:
    """`schakel trace ID --json` is understood; without credentials it is refused in a sentence."""
    result = CliRunner().invoke(trace.app, [EVENT, "--data", str(tmp_path), "--json"])

    assert isinstance(result.exception, CredentialsMissing)


def test_webhooks_are_told_of() -> None:
    """Delivered at which attempt; pending until when; failed after how many."""
    shown = {}
    for state, extra in (
        ("delivered", {"at": "2026-05-28T20:31:00Z", "attempts": 3}),
        ("pending", {"next_attempt_at": "2026-05-28T20:32:00Z", "attempts": 2}),
        ("failed", {"attempts": 9}),
    ):
        given = {
            **JOURNEY["recipients"][0],
            "state": state,
            "reason": None if state == "delivered" else "http_503",
            "doors": [{"door": "webhook", "at": "2026-05-28T20:30:00Z"}],
            "deliveries": [{"door": "webhook", "state": state, **extra}],
        }
        shown[state] = _text(draw_event({**JOURNEY, "recipients": [given]}, "en"), 200)

    assert "22:31:00.000 webhook (attempt 3)" in shown["delivered"]
    assert "The receiver answered 503, 2 attempt(s), next 2026-05-28 22:32" in shown["pending"]
    assert "answered 503, 9 attempt(s)" in shown["failed"]


def test_what_a_webhook_did_not_take_is_told_by_its_reason() -> None:
    """That it was disclosed for an attempt says nothing of where it is now."""
    recipient = {
        **JOURNEY["recipients"][0],
        "state": "ready",
        "reason": "not_fetched",
        "doors": [{"door": "webhook", "at": "2026-05-28T20:30:00Z"}],
        "deliveries": [{"door": "webhook", "state": "stopped", "attempts": 1}],
    }
    shown = _text(draw_event({**JOURNEY, "recipients": [recipient]}, "en"), 200)

    assert "not fetched yet" in shown
    assert "22:30:00.000 webhook" not in shown
