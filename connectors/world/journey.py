"""A journey of `domain.md` §6: a title, a paragraph of what happens, and the script of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from connectors.world.script import Script
    from schemas.errors import Message


@dataclass(frozen=True, slots=True)
class Journey:
    """One journey.

    Attributes:
        letter: A to U.
        story: what happens, for somebody who works at an OCMW.
        home: NIS code of where the person lives.
        play: writes the steps.
        born: when the person was born, where that matters.
    """

    letter: str
    title: Message
    story: Message
    home: str
    play: Callable[[Script], None]
    born: date | None = None
