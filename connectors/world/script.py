"""A journey as data: who sends what when, and what others then have to see.

A script knows no hub. What only the hub can tell is written as a reference that the player fills
in from what the sender itself was given:

    @case                       the trajectory of this case
    @case:KEY                   the trajectory of another case of the same journey
    @given:EVENT:FIELD          a field of the last such event of this case in the sender's inbox
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from connectors.world.dice import identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.world.people import Person

BEGINS = date(2026, 1, 5)
"""The first day of every world, a Monday."""
OPENS = time(8, 0, tzinfo=UTC)
BETWEEN_STEPS = timedelta(minutes=5)
TYPE_PREFIX = "be.schakel.activation.v1."
ACCEPTED, DUPLICATE = "accepted", "duplicate"
CROWD = "x"
"""How the cases of everybody begin who is no journey; no journey has this letter."""
REFERENCE = "@"
CASE, GIVEN = "@case", "@given"


@dataclass(frozen=True, slots=True)
class Sending:
    """One event that a participant sends.

    Attributes:
        case: the case it belongs to; other steps of that case wait for it.
        event: the CloudEvent, with references in it.
        answer: accepted, duplicate, or the code of the refusal that the journey is about.
    """

    at: datetime
    who: str
    case: str
    event: Mapping[str, Any]
    answer: str = ACCEPTED

    @property
    def name(self) -> str:
        """The event's name, as `referral.created`."""
        return str(self.event["type"]).removeprefix(TYPE_PREFIX)


@dataclass(frozen=True, slots=True)
class Sight:
    """What a participant has to see of a case by now, or must never have seen.

    Attributes:
        shows: field paths of the data and what they hold.
        withheld: field paths that its agreement keeps from it.
        backfill: whether it came as history; None when that does not matter.
        never: it must not be there.
        subject: the aggregate that it is about, where that matters.
    """

    at: datetime
    who: str
    case: str
    name: str
    shows: Mapping[str, Any] = field(default_factory=dict)
    withheld: tuple[str, ...] = ()
    backfill: bool | None = None
    never: bool = False
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the registry on a day: an agreement that ends, say.

    Attributes:
        document: a registry file's content.
    """

    at: datetime
    case: str
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Order:
    """An order of a participant to erase its organisation's data about the person of a case.

    Attributes:
        answer: accepted, or the code of the refusal that the journey is about.
    """

    at: datetime
    who: str
    case: str
    ground: str
    answer: str = ACCEPTED

    @property
    def name(self) -> str:
        """As a story tells it."""
        return "erasure"


Step = Sending | Sight | Change | Order


class Script:
    """One case in the making: it has a day, a person, and steps that follow one another.

    Args:
        seed: of the world.
        key: names the case in the world.
        person: whom it is about.
        begins: days after the world begins.
    """

    def __init__(self, seed: int, key: str, person: Person, begins: int = 0) -> None:
        self.seed = seed
        self.key = key
        self.person = person
        self.steps: list[Step] = []
        self._now = datetime.combine(BEGINS, OPENS) + timedelta(days=begins)

    @property
    def today(self) -> date:
        """The day on which the next step happens."""
        return self._now.date()

    @property
    def last_id(self) -> str:
        """The id of the event that was sent last, under which it can be sent again."""
        return next(
            str(one.event["id"]) for one in reversed(self.steps) if isinstance(one, Sending)
        )

    def day(self, days: int = 0) -> str:
        """A date so many days from today."""
        return (self.today + timedelta(days=days)).isoformat()

    def wait(self, days: int) -> None:
        """Let days pass; the next step is the first of its day, or with 0 the next of today."""
        if days:
            self._now = datetime.combine(self.today + timedelta(days=days), OPENS)

    def until(self, on: date) -> None:
        """Let time pass until a day."""
        self.wait((on - self.today).days)

    def id(self, *path: str | int) -> str:
        """The UUID of something in this case, the same in every play of this world."""
        return identifier(self.seed, self.key, *path)

    def aside(self, key: str, person: Person | None = None) -> Script:
        """Another case of the same journey, of this person or another; it begins today.

        Its steps and this case's wait for one another.
        """
        return self._another(f"{self.key}-{key}", person)

    def beside(self, key: str, person: Person | None = None) -> Script:
        """As `aside`, of somebody whose steps do not wait for this case's, nor these for them."""
        return self._another(f"{self.key}{key}", person)

    def _another(self, key: str, person: Person | None) -> Script:
        other = Script(self.seed, key, person or self.person)
        other._now = self._now
        other.steps = self.steps
        return other

    def send(
        self,
        who: str,
        name: str,
        data: Mapping[str, Any],
        *,
        subject: str | None = None,
        answer: str = ACCEPTED,
        event_id: str | None = None,
        **attributes: Any,
    ) -> str:
        """One event; its sender's id. An `event_id` that was sent before sends it once more.

        Every event but the first referral names its case; `trajectoryid=None` leaves that out.
        """
        at = self._next_moment()
        event_id = event_id or f"w{self.seed}-{self.key}-{len(self.steps):03d}".lower()
        event: dict[str, Any] = {
            "specversion": "1.0",
            "id": event_id,
            "source": f"urn:schakel:participant:{who}",
            "type": TYPE_PREFIX + name,
            "time": moment(at),
            "subject": subject,
            "trajectoryid": CASE,
            **attributes,
            "data": {key: value for key, value in data.items() if value is not None},
        }
        kept = {key: value for key, value in event.items() if value is not None}
        self.steps.append(Sending(at, who, self.key, kept, answer))
        return event_id

    def sees(
        self,
        who: str,
        name: str,
        shows: Mapping[str, Any] | None = None,
        *,
        withheld: tuple[str, ...] = (),
        backfill: bool | None = None,
        subject: str | None = None,
    ) -> None:
        """Somebody must have got this by now."""
        sight = Sight(self._now, who, self.key, name, shows or {}, withheld, backfill)
        self.steps.append(replace(sight, subject=subject))

    def never(self, who: str, name: str, *, subject: str | None = None) -> None:
        """Somebody must not have got this."""
        sight = Sight(self._now, who, self.key, name, never=True, subject=subject)
        self.steps.append(sight)

    def erase(self, who: str, *, ground: str = "gdpr_17_1_a", answer: str = ACCEPTED) -> None:
        """An organisation orders the erasure of its data about the person of this case."""
        self.steps.append(Order(self._next_moment(), who, self.key, ground, answer))

    def change(self, document: Mapping[str, Any]) -> None:
        """The registry is changed."""
        self.steps.append(Change(self._next_moment(), self.key, document))

    def _next_moment(self) -> datetime:
        at = self._now
        self._now += BETWEEN_STEPS
        return at


def moment(at: datetime) -> str:
    """A moment as CloudEvents write it."""
    return at.isoformat().replace("+00:00", "Z")
