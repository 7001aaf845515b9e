"""What else must hold for a change of mandate, and for what a former organiser still reports (R11).

Pure checks on the draft, by the names that the tables use; see `guards.py`.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from gateway.errors import OutsideTerritory
from gateway.exchange.business_days import months_after
from gateway.exchange.clock import UNDETERMINED
from gateway.exchange.draft import broken
from gateway.exchange.mandate_effects import mandate_of, organiser
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.exchange.draft import Draft, Move


def mover_serves(draft: Draft, move: Move) -> None:
    """VDAB and a municipality move mandates where they are competent."""
    for nis in move.data["nis"]:
        if not draft.sender.serves(nis, draft.occurred_on):
            raise OutsideTerritory(
                Message(
                    nl=f"Gemeente {nis} ligt buiten het werkingsgebied van {draft.sender.id}.",
                    en=f"Municipality {nis} lies outside the territory of {draft.sender.id}.",
                ),
                leg="territory",
            )


def organisers_differ(draft: Draft, move: Move) -> None:
    """One organiser gives what it has to another, from today at the earliest."""
    data = move.data
    giver = organiser(draft, data["from_org"], "from_org")
    if giver == organiser(draft, data["to_org"], "to_org"):
        raise broken(
            "same_organiser",
            "from_org en to_org zijn dezelfde organisator. Geef in to_org de nieuwe op.",
            "from_org and to_org are the same organiser. Name the new one in to_org.",
            "to_org",
        )
    if data["effective"] < draft.today.isoformat():
        raise broken(
            "effective_in_past",
            "effective ligt in het verleden. Kies vandaag of een latere dag.",
            "effective lies in the past. Choose today or a later day.",
            "effective",
        )
    _must_serve(draft, giver, data["nis"], data["effective"], "nis")


def still_served(draft: Draft, move: Move) -> None:
    """What is accepted is what was proposed, and still there to be given."""
    mandate = mandate_of(draft)
    if move.data.get("effective", mandate.effective) != mandate.effective:
        raise broken(
            "effective_differs",
            f"Voorgesteld is {mandate.effective}. Laat effective weg, of weiger en vraag een "
            "nieuw voorstel.",
            f"{mandate.effective} was proposed. Leave effective out, or refuse and ask for a "
            "new proposal.",
            "effective",
        )
    _must_serve(draft, mandate.giver, mandate.nis, mandate.effective, None)


def _must_serve(
    draft: Draft, giver: str, places: Iterable[str], effective: str, field: str | None
) -> None:
    found = draft.context.registry.participant(giver)
    on = max(date.fromisoformat(effective), draft.today)
    for nis in places:
        if found is None or not found.serves(nis, on):
            raise broken(
                "not_the_organiser",
                f"{giver} is op {on.isoformat()} geen organisator in gemeente {nis}. "
                "Kijk de gemeenten en de datum na.",
                f"{giver} is no organiser in municipality {nis} on {on.isoformat()}. "
                "Check the municipalities and the date.",
                field,
            )


def own_period(draft: Draft, move: Move) -> None:
    """A former organiser reports what was worked under it, as long as the rules let it (R11)."""
    placement = draft.case.placements[move.aggregate_id]
    if placement.organiser == move.actor.id:
        return
    until = max(one.until for one in placement.former if one.participant == move.actor.id)
    last = date.fromisoformat(until) - timedelta(days=1)
    if move.data["period"] > last.isoformat()[:7]:
        raise broken(
            "after_the_mandate",
            f"Sinds {until} is een andere organisator bevoegd; die meldt de uren van deze maand.",
            f"Another organiser is competent since {until}; it reports the hours of this month.",
            "period",
        )
    months = draft.rules(UNDETERMINED).mandate_late_hours_months
    if months is not None and draft.today >= months_after(date.fromisoformat(until), months):
        raise broken(
            "late_hours_over",
            f"Late uren konden tot {months} maanden na {until}. Bezorg ze aan de nieuwe "
            "organisator.",
            f"Late hours were possible until {months} months after {until}. Give them to the "
            "new organiser.",
        )
