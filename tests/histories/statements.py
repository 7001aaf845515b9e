"""What somebody may say in an event: the shipped examples, pointed at the case at hand.

Nothing here is careful to be allowed: dates lie before and after, mentors and insurance are
forgotten, holders offer the case to themselves. It only is valid data of its event.
"""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from consumers.clock import date_of
from tests.gateway.exchange import cast

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from gateway.exchange.state import Trajectory
    from tests.histories.book import Book

PROGRAMMES = (
    "wijk_werken",
    "wijk_werken",
    "wijk_werken",
    "samenlevingsjob",
    "gemeenschapsdienst",
    "art60_7",
    "stage",
)
EVERYBODY = (*cast.RELATED.values(), *cast.STRANGERS.values(), cast.OFFERED)
ORGANISERS = (cast.RELATED["W"], cast.STRANGERS["W"], cast.RELATED["O"], cast.RELATED["S"])
HOLDERS = (cast.RELATED["V"], cast.RELATED["O"], cast.OFFERED)


@cache
def _examples(name: str) -> list[dict[str, Any]]:
    folder = files("schemas").joinpath("examples", name)
    found = sorted(folder.iterdir(), key=lambda one: one.name)
    return [json.loads(one.read_text("utf-8")) for one in found]


def statement(
    name: str, aggregate_id: str | None, case: Trajectory | None, book: Book, chance: Random
) -> dict[str, Any]:
    """Data of one event about an aggregate of a case."""
    data = deepcopy(chance.choice(_examples(name)))
    for never in ("insz", "cleared"):
        data.pop(never, None)
    for key, make in _POINTED.items():
        is_said = key in data and not isinstance(data[key], dict)
        if is_said or key in _ALWAYS.get(name, ()):
            data[key] = make(aggregate_id, case, book, chance)
    if "assignment" in data:
        data["assignment"] = _assignment(aggregate_id, case, book, chance)
    for key in _OFTEN_LEFT_OUT.get(name, ()):
        if chance.random() < 0.6:
            data.pop(key, None)
    _point_parties(data, book, chance)
    _settle(data, book, chance)
    return data


def _point_parties(data: dict[str, Any], book: Book, chance: Random) -> None:
    """`from` and `to` are organisations in some events and days in others."""
    for key in ("from", "to"):
        if key in data:
            is_party = str(data[key]).startswith("urn:")
            urn = cast.urn_of(chance.choice(HOLDERS))
            data[key] = urn if is_party else _day(book, chance, 9, 9)


def _settle(data: dict[str, Any], book: Book, chance: Random) -> None:
    if "offer_id" in data and not book.offers:
        data.pop("offer_id")
    if "declaration" in data and chance.random() < 0.15:
        data["declaration"] = {**data["declaration"], "declared": False}
    _settle_dates(data)


def _day(book: Book, chance: Random, before: int, after: int) -> str:
    return (date_of(book.now) + timedelta(days=chance.randint(-before, after))).isoformat()


def _month(book: Book, chance: Random) -> str:
    return (date_of(book.now) - timedelta(days=chance.randint(-20, 70))).isoformat()[:7]


def _urn(*names: str) -> Callable[[str | None, Trajectory | None, Book, Random], str]:
    return lambda _one, _case, _book, chance: cast.urn_of(chance.choice(names))


def _assignments(
    _one: str | None, _case: Trajectory | None, book: Book, chance: Random
) -> list[dict[str, Any]]:
    return [_assignment(None, None, book, chance) for _ in range(chance.randint(1, 2))]


def _assignment(
    _one: str | None, _case: Trajectory | None, book: Book, chance: Random
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "assignment_id": book.fresh(),
        "activity_code": "green_maintenance",
        "from": _day(book, chance, 5, 5),
    }
    if chance.random() < 0.25:
        row["household"] = {"id": f"gezin-{chance.randint(1, 9)}"}
    else:
        row["host_org"] = cast.urn_of(chance.choice((cast.RELATED["H"], cast.STRANGERS["H"])))
        if chance.random() < 0.85:
            row["mentor"] = {"name": "Noor Proefman"}
    return row


def _known_assignment(one: str | None, case: Trajectory | None, book: Book, chance: Random) -> str:
    """An assignment of the placement, by what was said of it."""
    known = [
        row["assignment_id"]
        for event in book.history
        if event.aggregate_id == one
        for row in (*event.data.get("assignments", ()), *_single(event.data))
    ]
    return chance.choice(known) if known and case is not None else book.fresh()


def _single(data: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    row = data.get("assignment")
    return (row,) if isinstance(row, dict) else ()


def _correction_of(one: str | None, _case: Trajectory | None, book: Book, chance: Random) -> str:
    known = [
        event.event_id
        for event in book.history
        if event.aggregate_id == one and event.name == "placement.hours_reported"
    ]
    return chance.choice(known) if known else book.fresh()


def _part(kind: str) -> Callable[[str | None, Trajectory | None, Book, Random], str]:
    def choose(_one: str | None, case: Trajectory | None, book: Book, chance: Random) -> str:
        known = list(getattr(case, kind)) if case is not None else []
        return chance.choice(known) if known and chance.random() < 0.9 else book.fresh()

    return choose


def _offer(_one: str | None, _case: Trajectory | None, book: Book, chance: Random) -> str:
    return chance.choice(list(book.offers)) if book.offers else book.fresh()


def _into(_one: str | None, case: Trajectory | None, book: Book, chance: Random) -> str:
    others = [one for one in book.trajectories if case is None or one != case.id]
    return chance.choice(others) if others else book.fresh()


_POINTED: dict[str, Callable[[str | None, Trajectory | None, Book, Random], Any]] = {
    "programme": lambda _o, _c, _b, chance: chance.choice(PROGRAMMES),
    "programme_scope": lambda _o, _c, _b, chance: [chance.choice(PROGRAMMES)],
    "to_programme": lambda _o, _c, _b, chance: chance.choice(PROGRAMMES),
    "from_programme": lambda _o, _c, _b, chance: chance.choice(PROGRAMMES),
    "target_org": _urn(cast.RELATED["W"], cast.STRANGERS["W"], cast.RELATED["O"]),
    "new_target": _urn(cast.RELATED["W"], cast.STRANGERS["W"], cast.RELATED["V"]),
    "organiser_org": _urn(*ORGANISERS),
    "host_org": _urn(cast.RELATED["H"], cast.STRANGERS["H"]),
    "holder": _urn(*HOLDERS),
    "counsellor_org": _urn(*HOLDERS),
    "participant": lambda _o, _c, _b, chance: chance.choice(EVERYBODY),
    "assignments": _assignments,
    "assignment_id": _known_assignment,
    "correction_of": _correction_of,
    "referral_id": _part("referrals"),
    "predecessor_referral_id": _part("referrals"),
    "placement_id": _part("placements"),
    "task_id": _part("tasks"),
    "child_referral_id": lambda _o, _c, book, _r: book.fresh(),
    "into": _into,
    "insured": lambda _o, _c, _b, chance: chance.random() < 0.85,
    "hours": lambda _o, _c, _b, chance: f"{chance.randint(1, 7000) / 100:.2f}",
    "period": lambda _o, _c, book, chance: _month(book, chance),
    "start_date": lambda _o, _c, book, chance: _day(book, chance, 10, 20),
    "planned_end": lambda _o, _c, book, chance: _day(book, chance, -30, 190),
    "offer_id": _offer,
    "new_end": lambda _o, _c, book, chance: _day(book, chance, -60, 400),
    "end_date": lambda _o, _c, book, chance: _day(book, chance, 10, 3),
    "on": lambda _o, _c, book, chance: _day(book, chance, 10, 0),
    "nis": lambda _o, _c, _b, chance: chance.choice((cast.NIS, "24062")),
    "hours_per_week": lambda _o, _c, _b, chance: chance.randint(2, 16),
    "valid_to": lambda _o, _c, book, chance: _day(book, chance, 0, 200),
}
"""How a field is pointed at the case, when the example has it."""

_ALWAYS: dict[str, tuple[str, ...]] = {
    "placement.planned": ("referral_id",),
    "placement.started": ("assignments",),
    "outcome.recorded": ("placement_id",),
}
"""Fields that are said even when the smallest example leaves them out."""

_OFTEN_LEFT_OUT: dict[str, tuple[str, ...]] = {
    "referral.created": ("target_org", "predecessor_referral_id", "parent_referral_id", "offer_id"),
    "placement.hours_reported": ("correction_of",),
    "referral.accepted": ("offer_id",),
    "placement.planned": ("offer_id",),
    "offer.published": ("non_displacement",),
}


def _settle_dates(data: dict[str, Any]) -> None:
    """Keep the order that the schema itself demands, so that the decision is what is tested."""
    for later, earlier in (("valid_to", "valid_from"), ("planned_end", "start_date")):
        if later in data and earlier in data and data[later] < data[earlier]:
            data[later] = data[earlier]
