"""What evidence has counted of one case or offer, so that it can be taken back exactly.

Kept in the state's own row: months, codes, days and levels, never who the person is.
"""

from __future__ import annotations

from msgspec import Struct, field

from schemas.facts import Fact  # noqa: TC001 - msgspec reads the annotation


class Course(Struct, frozen=True, gc=False, array_like=True):
    """How one started placement is guided.

    Attributes:
        start: its first day.
        contacts: numbers of the periods of the contact rhythm that had a contact.
        contact_periods: how many of those periods are over and counted.
        evaluations: likewise, for the periods between evaluations.
        minutes: of guidance, in all.
    """

    start: str
    contacts: tuple[int, ...] = ()
    contact_periods: int = 0
    evaluations: tuple[int, ...] = ()
    evaluation_periods: int = 0
    minutes: int = 0


class Tally(Struct, frozen=True, gc=False, omit_defaults=True):
    """What stands in the evidence because of this case or offer.

    Attributes:
        counted: facts by what they count: an aggregate's id, a slash and a name.
        courses: by placement.
        dates: days that a duration is counted from, by the same names.
        levels: first level of each generic competence.
        rhythm: the first work rhythm that was evaluated.
    """

    counted: dict[str, Fact] = field(default_factory=dict)
    courses: dict[str, Course] = field(default_factory=dict)
    dates: dict[str, str] = field(default_factory=dict)
    levels: dict[str, int] = field(default_factory=dict)
    rhythm: str | None = None
