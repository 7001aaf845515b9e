"""What else must hold for a conversion that somebody sends (R10, R11).

Pure checks on the draft, by the names that the tables use; see `guards.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.exchange.conversions import converted as conversion_of
from gateway.exchange.draft import broken
from gateway.exchange.entry_guards import must_be_open
from gateway.exchange.hours import by_month

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft, Move

PUBLISHED = "rule_set"


def converts_this(draft: Draft, move: Move) -> None:
    """From the programme it runs under to another that takes people in, today at the latest."""
    placement, data = draft.case.placements[move.aggregate_id], move.data
    if data["from_programme"] != placement.programme:
        raise broken(
            "other_programme",
            f"Deze plaatsing loopt onder {placement.programme}. Zet from_programme daarop.",
            f"This placement runs under {placement.programme}. Set from_programme to that.",
            "from_programme",
        )
    if data["to_programme"] == placement.programme:
        raise broken(
            "same_programme",
            "to_programme is het programma van nu. Geef een ander op.",
            "to_programme is the programme of today. Name another.",
            "to_programme",
        )
    if data["effective"] > draft.today.isoformat():
        raise broken(
            "conversion_in_future",
            "effective ligt in de toekomst. Stuur de omzetting op haar eerste dag of later.",
            "effective lies in the future. Send the conversion on its first day or later.",
            "effective",
        )
    if placement.conversions and data["effective"] < placement.conversions[-1].effective:
        raise broken(
            "conversion_out_of_order",
            f"De vorige omzetting geldt sinds {placement.conversions[-1].effective}. "
            "Kies in effective een latere dag.",
            f"The conversion before holds since {placement.conversions[-1].effective}. "
            "Choose a later day in effective.",
            "effective",
        )
    if move.actor.role != "HUB":
        must_be_open(draft, data["to_programme"], "to_programme")


def as_published(draft: Draft, move: Move) -> None:
    """Whoever converts by published rules carries over what they say, and nothing else."""
    data = move.data
    if move.actor.role == "HUB" or data.get("basis") != PUBLISHED:
        return
    placement = draft.case.placements[move.aggregate_id]
    published = [
        one
        for one in draft.context.registry.rules.conversions()
        if one.to_programme == data["to_programme"]
        and one.effective.isoformat() == data["effective"]
    ]
    found = conversion_of(placement, published, by_month(placement))
    if found is None:
        raise broken(
            "no_such_conversion",
            "Geen bekendgemaakte regels zetten deze plaatsing zo om. Kijk programma en effective "
            "na, of geef een andere grond in basis.",
            "No published rules convert this placement like this. Check programme and effective, "
            "or state another basis.",
            "basis",
        )
    for name in ("hours_carried", "months_carried"):
        if str(data[name]) != str(found.data[name]):
            raise broken(
                "carried_differs",
                f"Volgens de bekendgemaakte regels is {name} {found.data[name]}.",
                f"By the published rules {name} is {found.data[name]}.",
                name,
            )
