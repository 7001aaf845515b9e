"""A story as text for a terminal: a title, what happens, then a chapter for each participant."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from connectors.world import wording
from connectors.world.organisations import BY_ID
from connectors.world.world import INVENTED
from schemas.errors import Message
from schemas.roles import LABEL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.world.telling import Chapter, Entry, Story

WIDTH = 96
INDENT = " " * 6
SENT = Message(nl="stuurt", en="sends")
GOT = Message(nl="krijgt", en="gets")
OF = Message(nl="van", en="from")
REFUSED = Message(nl="geweigerd:", en="refused:")
WITHHELD = Message(nl="niet getoond:", en="not shown:")
EARLIER = Message(nl="eerder gebeurd, nu pas te zien", en="happened before, shown only now")
ONLOOKERS = Message(
    nl="Van de persoon hoorden niets, en zagen enkel het aanbod van plaatsen:",
    en="Heard nothing of the person, and saw the offers of places only:",
)
ORIGINS = {
    "hub": Message(nl="de hub", en="the hub"),
    "masked": Message(nl="een lokale partner", en="a local partner"),
}


def text(story: Story, language: str) -> str:
    """The whole story, ready to print."""
    journey = story.journey
    title = f"{journey.letter}. {journey.title.text(language)}"
    parts = [
        f"{title}\n{'=' * len(title)}",
        textwrap.fill(journey.story.text(language), WIDTH),
        INVENTED[language],
    ]
    onlookers = [one for one in story.chapters if _looks_on(one)]
    told = (one for one in story.chapters if one not in onlookers)
    parts += ["\n".join(_chapter(one, language)) for one in told]
    if onlookers:
        names = ", ".join(one.name for one in onlookers)
        parts.append(textwrap.fill(f"{ONLOOKERS.text(language)} {names}.", WIDTH))
    return "\n\n".join(parts) + "\n"


def _looks_on(chapter: Chapter) -> bool:
    """Whether somebody got nothing but offers, which everybody around gets alike."""
    return all(not one.sent and one.event.startswith("offer.") for one in chapter.entries)


def _chapter(chapter: Chapter, language: str) -> Iterator[str]:
    heading = f"{chapter.name} ({LABEL[chapter.role].text(language)})"
    yield heading
    yield "-" * len(heading)
    last = ""
    for one in chapter.entries:
        on = wording.day(one.at.date(), language)
        if on != last:
            yield on
            last = on
        yield from _entry(one, language)


def _entry(entry: Entry, language: str) -> Iterator[str]:
    verb = (SENT if entry.sent else GOT).text(language)
    line = f"  {'→' if entry.sent else '←'} {verb} {wording.event_label(entry.event, language)}"
    if entry.other is not None:
        known = ORIGINS.get(entry.other)
        other = BY_ID[entry.other].name if known is None else known.text(language)
        line += f" {OF.text(language)} {other}"
    if entry.backfill:
        line += f" ({EARLIER.text(language)})"
    yield line
    shown = "; ".join(
        f"{name}: {value}" for name, value in wording.fields(entry.event, entry.data, language)
    )
    if shown:
        yield _wrapped(shown)
    hidden = wording.withheld(entry.withheld, language)
    if hidden:
        yield _wrapped(f"{WITHHELD.text(language)} {hidden}")
    if entry.refused is not None:
        yield _wrapped(f"{REFUSED.text(language)} {entry.refused}")


def _wrapped(sentence: str) -> str:
    return textwrap.fill(sentence, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT)
