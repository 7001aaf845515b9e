"""Every journey that a world plays once, by its letter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.errors import UnknownJourney
from connectors.world import (
    journeys_change,
    journeys_entry,
    journeys_organisations,
    journeys_people,
    journeys_places,
    journeys_privacy,
    journeys_rights,
    journeys_work,
)
from connectors.world.dice import Dice
from connectors.world.people import invent
from connectors.world.places import place
from connectors.world.script import Script
from schemas.errors import Message

if TYPE_CHECKING:
    from connectors.world.journey import Journey


def _letter(one: Journey) -> str:
    return one.letter


_MODULES = (
    journeys_change,
    journeys_entry,
    journeys_organisations,
    journeys_people,
    journeys_places,
    journeys_privacy,
    journeys_rights,
    journeys_work,
)
JOURNEYS: dict[str, Journey] = {
    one.letter: one
    for one in sorted((one for module in _MODULES for one in module.JOURNEYS), key=_letter)
}
FIRST_PERSON = 900_000
"""Numbers of the people of journeys, apart from those of everybody else."""


def journey(letter: str) -> Journey:
    """A journey by its letter, in either case.

    Raises:
        UnknownJourney: there is none.
    """
    found = JOURNEYS.get(letter.upper())
    if found is None:
        known = " ".join(JOURNEYS)
        raise UnknownJourney(
            Message(
                nl=f"Er is geen verhaal met die letter. Kies uit: {known}.",
                en=f"There is no journey of that letter. Choose from: {known}.",
            )
        )
    return found


def scripted(seed: int, one: Journey) -> Script:
    """The steps of a journey in the world of this seed."""
    number = FIRST_PERSON + 10 * ord(one.letter)
    person = invent(Dice(seed, "journey", one.letter), number, place(one.home), one.born)
    script = Script(seed, one.letter.lower(), person)
    one.play(script)
    return script
