"""Rounds: something that the hub does on many cases, too many for one transaction (R10, R11).

A round reads cases a page at a time and leaves an errand for each that it concerns; where it has
got to is written in the same transaction as those errands.
So a crash at any point repeats nothing and leaves nothing out. Pure; `round_store.py` reads.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from gateway.exchange.business_days import start_of
from gateway.exchange.conversions import converted
from gateway.exchange.decision import Errand
from gateway.exchange.hours import by_month
from gateway.exchange.offer_state import Offer
from gateway.exchange.succession import concerns
from schemas.lifecycle import lifecycles

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gateway.exchange.mandate import Mandate
    from gateway.exchange.registry import Registry
    from gateway.exchange.state import Trajectory
    from schemas.conversion import Conversion

FILES, OFFERS, CONVERSION = "files", "offers", "conversion"
ORGANISER_CHANGED = "trajectory.organiser_changed"
LAPSED = "offer.lapsed"
CONVERTED = "transition.placement_converted"
DAY_US = 86_400_000_000


class Round(Struct, frozen=True, gc=False):
    """One round and where it has got to. Kept in the open: ids, codes and dates only.

    Attributes:
        kind: what is done on each.
        nis: municipalities to look in; everywhere when empty.
        acts_for: participant under whose grants each event is disclosed; "" for whoever organises.
        data: what its errands need.
        after: id of the last case that was read.
        again: how many more times it goes round, a day later, for what came in between.
    """

    id: str
    due_at: int
    kind: Literal["files", "offers", "conversion"]
    data: dict[str, str]
    nis: tuple[str, ...] = ()
    acts_for: str = ""
    after: str = ""
    again: int = 0

    @property
    def table(self) -> Literal["trajectories", "offers"]:
        """Where its cases are."""
        return "offers" if self.kind == OFFERS else "trajectories"

    @property
    def states(self) -> tuple[str, ...]:
        """In which states it concerns them: those in which something is still to happen."""
        table = lifecycles()["offer" if self.kind == OFFERS else "trajectory"]
        return tuple(sorted(one for one in table.states if table.is_active(one)))


def of_mandate(mandate: Mandate, now: int, urns: tuple[str, str]) -> Iterator[Round]:
    """The files that go over, and the offers that end, on the first day of a mandate.

    Args:
        mandate: as it was accepted.
        now: business time; a first day that has begun is due at once.
        urns: of the organisations that give and receive it.
    """
    due_at = max(now, start_of_day(mandate.effective))
    data = {"giver": mandate.giver, "receiver": mandate.receiver, "effective": mandate.effective}
    data |= {"from": urns[0], "to": urns[1]}
    common: dict[str, Any] = {"due_at": due_at, "data": data, "nis": mandate.nis, "again": 1}
    yield Round(f"{mandate.id}:{FILES}", kind="files", acts_for=mandate.receiver, **common)
    yield Round(f"{mandate.id}:{OFFERS}", kind="offers", acts_for=mandate.giver, **common)


def of_conversion(conversion: Conversion) -> Round:
    """The placements that a published conversion moves, on its first day."""
    names = ("from_programme", "to_programme")
    data = {name: str(getattr(conversion, name)) for name in names}
    data["effective"] = conversion.effective.isoformat()
    key = ":".join((CONVERSION, *data.values()))
    return Round(key, start_of(conversion.effective), "conversion", data)


def start_of_day(day: str) -> int:
    """The first instant of a day (YYYY-MM-DD) in Brussels."""
    return start_of(date.fromisoformat(day))


def errands(
    round_: Round, states: Iterable[Trajectory | Offer], registry: Registry, now: int
) -> list[Errand]:
    """An errand for everything on this page that the round concerns."""
    found: list[Errand] = []
    for one in states:
        if isinstance(one, Offer):
            found += _of_offer(round_, one, now)
        elif round_.kind == FILES:
            found += _of_file(round_, one, now)
        else:
            found += _of_case(round_, one, registry, now)
    return found


def _of_file(round_: Round, case: Trajectory, now: int) -> Iterator[Errand]:
    if concerns(case, round_.data["giver"]):
        data = {name: round_.data[name] for name in ("from", "to", "effective")}
        yield Errand(
            id=f"{round_.id}:{round_.again}:{case.id}",
            due_at=now,
            name=ORGANISER_CHANGED,
            target_id=case.id,
            aggregate_id=None,
            acts_for=round_.acts_for,
            data=data,
        )


def _of_offer(round_: Round, offer: Offer, now: int) -> Iterator[Errand]:
    if offer.owner == round_.data["giver"]:
        yield Errand(
            id=f"{round_.id}:{round_.again}:{offer.id}",
            due_at=now,
            name=LAPSED,
            target_id=offer.id,
            aggregate_id=None,
            acts_for=round_.acts_for,
            data={},
        )


def _of_case(round_: Round, case: Trajectory, registry: Registry, now: int) -> Iterator[Errand]:
    conversions = [
        one for one in registry.rules.conversions() if of_conversion(one).id == round_.id
    ]
    for placement in case.placements.values():
        found = converted(placement, conversions, by_month(placement))
        if found is not None:
            yield Errand(
                id=f"{round_.id}:{round_.again}:{placement.id}",
                due_at=now,
                name=CONVERTED,
                target_id=case.id,
                aggregate_id=placement.id,
                acts_for=placement.organiser,
                data=found.data,
            )
