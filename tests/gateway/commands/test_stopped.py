"""`schakel events stopped` lists every page, as a table in two languages or as JSON."""

from __future__ import annotations

from io import StringIO
from typing import Any

from rich.console import Console

from gateway.commands.stopped import _pages, drawn
from tests.gateway.commands.hub_answers import Hub

OWN: dict[str, Any] = {
    "event_id": "01a20b43-1827-76ac-9261-688a9606844f",
    "trajectory_id": "01a20b43-1826-7e2d-b345-6afdde7a5ffb",
    "leg": "objection",
    "why": {"nl": "De persoon maakt bezwaar.", "en": "The person objects."},
    "routed_at": "2026-05-28T20:26:41Z",
}
WHOLE = {**OWN, "participant": "wijkwerk-hageland", "type": "referral.created"}


def text_of(found: list[dict[str, Any]], spoken: str) -> str:
    """What a terminal shows."""
    console = Console(width=200, record=True, file=StringIO())
    console.print(drawn(found, spoken))
    return console.export_text()


def test_every_page_is_read() -> None:
    """Until the hub says that there is no next one; the questions go along."""
    hub = Hub(
        {
            "/v1/stopped?limit=500&leg=objection": {"stopped": [WHOLE], "next": "w:7"},
            "/v1/stopped?limit=500&leg=objection&after=w%3A7": {"stopped": [OWN], "next": None},
        }
    )
    with hub.session() as session:
        found = list(_pages(session, {"leg": "objection"}))

    assert found == [WHOLE, OWN]


def test_the_table_speaks_two_languages() -> None:
    """Headings and reasons."""
    dutch, english = text_of([WHOLE], "nl"), text_of([WHOLE], "en")

    assert "deelnemer" in dutch
    assert "De persoon maakt bezwaar." in dutch
    assert "wijkwerk-hageland" in english
    assert "The person objects." in english


def test_a_participant_sees_no_columns_that_it_has_nothing_of() -> None:
    """Its own list names neither participant nor kind."""
    text = text_of([OWN], "en")

    assert "participant" not in text
    assert OWN["event_id"] in text
