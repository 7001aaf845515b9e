"""A journey as each participant saw it: what it sent, what it got, and what it did not get to see.

Everything received is that participant's own copy, as the hub rendered it under its agreement.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from connectors.world.organisations import BY_ID
from schemas.roles import LETTER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from connectors.sdk import Event
    from connectors.world.journey import Journey
    from connectors.world.playing import Player, Sent

PARTICIPANT = "urn:schakel:participant:"
MASKED = "urn:schakel:masked"
HUB = "hub"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of somebody's story.

    Attributes:
        at: when it was sent or recorded, in the hub's time.
        sent: by this participant; else it was received.
        other: whom it came from: a participant id, `hub`, or `masked`; None for what was sent.
        refused: why the hub did not take it, in its own sentence.
        withheld: field paths that the agreement keeps from this participant.
        backfill: it had happened before, and came now because this participant joined.
    """

    at: datetime
    event: str
    sent: bool
    data: Mapping[str, Any]
    other: str | None = None
    refused: str | None = None
    withheld: tuple[str, ...] = ()
    backfill: bool = False


@dataclass(frozen=True, slots=True)
class Chapter:
    """What one participant sent and got, in time order."""

    participant: str
    entries: tuple[Entry, ...]

    @property
    def name(self) -> str:
        """What people call it."""
        return BY_ID[self.participant].name

    @property
    def role(self) -> str:
        """Its role letter."""
        return LETTER[BY_ID[self.participant].role]


@dataclass(frozen=True, slots=True)
class Story:
    """A journey as it was played."""

    journey: Journey
    chapters: tuple[Chapter, ...]


def told(journey: Journey, player: Player) -> Story:
    """The story of what was played; reads the inbox of everybody who took part."""
    sent = player.played.sent
    trajectories = frozenset(player.played.cases.values())
    subjects = frozenset(str(one.event.get("subject")) for one in sent)
    cast = dict.fromkeys(one.step.who for one in sent)
    cast |= dict.fromkeys(one for one in BY_ID if one not in cast)
    chapters = []
    for participant in cast:
        inbox = player.inboxes.of(participant, trajectories, subjects)
        entries = list(_of_sender(one for one in sent if one.step.who == participant))
        entries += [_received(one) for one in inbox]
        if entries:
            ordered = sorted(entries, key=lambda one: one.at)
            chapters.append(Chapter(participant, tuple(ordered)))
    return Story(journey, tuple(chapters))


def _of_sender(sent: Iterable[Sent]) -> Iterator[Entry]:
    """What one participant sent; what was refused has no time of the hub's, so its own or later."""
    last: datetime | None = None
    for one in sent:
        answer, data = one.answer, one.event["data"]
        refused = None if answer.is_recorded else answer.detail or answer.code
        recorded = None if answer.receipt is None else answer.receipt.body.get("recorded_at")
        now = one.step.at if recorded is None else _moment(str(recorded))
        last = now if last is None else max(last, now)
        yield Entry(last, one.step.name, sent=True, data=data, refused=refused)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _received(event: Event) -> Entry:
    attributes = event.attributes
    moment = str(attributes.get("recordedtime") or attributes["time"])
    withheld = str(attributes.get("withheld") or "")
    return Entry(
        _moment(moment),
        event.type,
        sent=False,
        data=event.data,
        other=_origin(str(attributes.get("source", ""))),
        withheld=tuple(filter(None, withheld.split(","))),
        backfill=bool(attributes.get("backfill")),
    )


def _origin(source: str) -> str:
    if source == MASKED:
        return "masked"
    participant = source.removeprefix(PARTICIPANT)
    return participant if participant in BY_ID else HUB


def as_json(story: Story, language: str) -> dict[str, Any]:
    """The story for a program."""
    journey = story.journey
    return {
        "journey": journey.letter,
        "title": journey.title.text(language),
        "story": journey.story.text(language),
        "participants": [
            {
                "id": one.participant,
                "name": one.name,
                "role": one.role,
                "entries": list(_as_rows(one.entries)),
            }
            for one in story.chapters
        ],
    }


def _as_rows(entries: Iterable[Entry]) -> Iterator[dict[str, Any]]:
    for one in entries:
        row = {
            "at": one.at.isoformat(),
            "event": one.event,
            "sent": one.sent,
            "from": one.other,
            "refused": one.refused,
            "withheld": list(one.withheld),
            "backfill": one.backfill,
            "data": dict(one.data),
        }
        kept = {name: value for name, value in row.items() if value not in (None, [], False)}
        yield {**kept, "sent": one.sent}
