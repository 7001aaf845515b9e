"""Many dead letters redriven or discarded by one call: oldest first, in short transactions.

A call does ten thousand at most and says where it stopped, so that the next goes on there. What a
redrive sends may be given up on again at once; it stands before that place, and is not chosen anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel

from consumers import dead_letters
from consumers.dead_letters import MOST_AT_ONCE, SLICE, Choice
from consumers.scope import Scope
from gateway.api import parameters, subscription_documents
from gateway.api.subscription_documents import instant
from gateway.exchange import audit

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa

    from consumers.dead_letters import DeadLetter, Place
    from consumers.subscriptions import Subscription
    from gateway.api.subscription_desk import Desk
    from gateway.api.subscription_documents import Choosing

    Act = Callable[[sa.Connection, list[DeadLetter]], "Part"]

SAMPLE: Final = 5


class Acted(BaseModel):
    """What a call did, or would do.

    Attributes:
        count: how many were discarded or are sent again; in a dry run all that would be, however
            many calls it takes.
        sample: the oldest of them.
        more: whether there are more than one call does; repeat it with `after`.
        no_longer_kept: chosen ones that cannot be sent again, because the inbox forgot the event;
            of a discard always 0.
    """

    dry_run: bool
    count: int
    sample: list[dict[str, Any]]
    more: bool = False
    after: str | None = None
    no_longer_kept: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """What one transaction did, and how many it could not for want of the event."""

    done: list[DeadLetter]
    lost: int = 0


@dataclass(slots=True)
class _Tally:
    """What was done so far."""

    count: int = 0
    lost: int = 0
    sample: list[DeadLetter] = field(default_factory=list)

    def add(self, part: Part) -> None:
        self.count += len(part.done)
        self.lost += part.lost
        self.sample += part.done[: SAMPLE - len(self.sample)]


def chosen(wanted: Choosing) -> Choice:
    """The choice that a call makes. A reason is checked first, unless nothing is to be done.

    Raises:
        InvalidParameter: the reason cannot be kept, or a bound is no time.
    """
    if not wanted.dry_run:
        audit.checked_reason(wanted.reason)
    return Choice(
        ids=None if wanted.ids is None else tuple(wanted.ids),
        code=wanted.code,
        event_name=wanted.event_type,
        trajectory_id=wanted.trajectory_id,
        since=instant(wanted.since, "since"),
        until=instant(wanted.until, "until"),
    )


def act_on(desk: Desk, found: Subscription, choice: Choice, after: Place | None, act: Act) -> Acted:
    """Do something to the oldest that are chosen, and wake the deliverer between transactions."""
    tally, place = _Tally(), after
    for _ in range(MOST_AT_ONCE // SLICE):
        with desk.writing.begin() as connection:
            page = _oldest(connection, found, choice, place)
            tally.add(act(connection, page))
        if len(page) < SLICE:
            return _acted(tally, None)
        desk.wake()
        place = dead_letters.place_of(page[-1])
    with desk.reading.connect() as connection:
        rest = _oldest(connection, found, choice, place)
    return _acted(tally, place if rest else None)


def redrive_tried(desk: Desk, found: Subscription, choice: Choice) -> Acted:
    """How many a redrive of all that are chosen would send, and some of the oldest."""
    with desk.reading.connect() as connection:
        counted = dead_letters.counted(connection, Scope(found.participant), found.id, choice)
        kept = dead_letters.kept(connection, _oldest(connection, found, choice))
        some = dead_letters.failed(connection, kept)
    return Acted(
        dry_run=True,
        count=counted.failed,
        sample=_sample(some[:SAMPLE]),
        no_longer_kept=counted.chosen - counted.kept,
    )


def discard_tried(desk: Desk, found: Subscription, choice: Choice) -> Acted:
    """How many are chosen, and the oldest of them."""
    with desk.reading.connect() as connection:
        counted = dead_letters.counted(connection, Scope(found.participant), found.id, choice)
        some = _oldest(connection, found, choice)
    return Acted(dry_run=True, count=counted.chosen, sample=_sample(some[:SAMPLE]))


def _oldest(
    connection: sa.Connection, found: Subscription, choice: Choice, after: Place | None = None
) -> list[DeadLetter]:
    scope = Scope(found.participant)
    return dead_letters.oldest(connection, scope, found.id, choice, after=after, limit=SLICE)


def placed(text: str | None) -> Place | None:
    """The place that an earlier answer gave as `after`.

    Raises:
        InvalidParameter: it was not given out here.
    """
    if text is None:
        return None
    number, _, letter = text.partition(":")
    if not (number.isascii() and number.isdigit()) or int(number) >= 2**63:
        raise parameters.invalid(
            "after", "cursor_invalid",
            "Gebruik after van een vorig antwoord, ongewijzigd.",
            "Use after of an earlier answer, unchanged.",
        )  # fmt: skip
    return int(number), letter


def _acted(tally: _Tally, place: Place | None) -> Acted:
    return Acted(
        dry_run=False,
        count=tally.count,
        sample=_sample(tally.sample),
        more=place is not None,
        after=None if place is None else f"{place[0]}:{place[1]}",
        no_longer_kept=tally.lost,
    )


def _sample(letters: list[DeadLetter]) -> list[dict[str, Any]]:
    return [subscription_documents.dead_letter(one) for one in letters]
