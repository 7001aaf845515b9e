"""What goes through although a person objects or a participant has left: duties, as data.

`schemas/duties.yaml` names for each duty the events, the fields, who has the duty and its ground
(`domain.md` §4), so that what an objection does not stop can be read in one place.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final

from schemas import strict_yaml
from schemas.errors import Message

EVERYBODY: Final = "all"
_CACHED_ANSWERS: Final = 8192


@dataclass(frozen=True, slots=True)
class Duty:
    """One ground on which some fields of some events are handed over all the same.

    Attributes:
        source: the article or decree that it follows.
        to: relations that bring the duty; None for every recipient.
        lifts: the legs of a hand-over that it sets aside.
        fieldsets: the sets that go along; None for all that the agreement gives.
        events: by event name the top-level fields that go along; None for every field.
    """

    code: str
    label: Message
    source: str
    to: frozenset[str] | None
    lifts: frozenset[str]
    fieldsets: frozenset[str] | None
    events: dict[str, frozenset[str] | None]

    def binds(self, leg: str, event: str, relations: frozenset[str]) -> bool:
        """Tell whether it sets a leg aside for one event and a recipient in these relations."""
        if leg not in self.lifts or event not in self.events:
            return False
        return self.to is None or not self.to.isdisjoint(relations)


@cache
def duties() -> dict[str, Duty]:
    """Return every duty by its code, in the order of the file."""
    text = (files("schemas") / "duties.yaml").read_text(encoding="utf-8")
    return {code: _duty(code, entry) for code, entry in strict_yaml.read(text).items()}


@lru_cache(maxsize=_CACHED_ANSWERS)
def duty_of(leg: str, event: str, relations: frozenset[str]) -> Duty | None:
    """Return the first duty that sets a leg aside, None when nothing does."""
    return next((one for one in duties().values() if one.binds(leg, event, relations)), None)


def _duty(code: str, entry: dict[str, Any]) -> Duty:
    fieldsets = entry.get("fieldsets")
    return Duty(
        code=code,
        label=Message(nl=entry["nl"], en=entry["en"]),
        source=entry["source"],
        to=_some(entry["to"]),
        lifts=frozenset(entry["lifts"]),
        fieldsets=None if fieldsets is None else frozenset(fieldsets),
        events={name: _some(fields) for name, fields in entry["events"].items()},
    )


def _some(written: str | list[str]) -> frozenset[str] | None:
    """A list as it stands; the word `all` is no limit."""
    return None if written == EVERYBODY else frozenset(written)
