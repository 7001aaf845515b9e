"""How many hours a programme allows a person, over all that the hub knows of that person.

Reported hours are facts: what is too much is recorded, flagged and told to the case holder. What is
only planned is refused while it can be put right (`domain.md` §3.7, §3.8).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.exchange import breaches, rights
from gateway.exchange.business_days import last_day
from gateway.exchange.hours import HUNDREDTHS
from gateway.exchange.programme_periods import programme_in
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.exchange.draft import Draft, Move
    from gateway.exchange.subject_state import Work

KIND = "hours_cap"
WEEKS = 4
"""Weeks of the shortest month: hours a week that do not fit there fit in no month."""

REACH = {
    "insz": Message(
        nl="geteld over alle dossiers van deze persoon", en="counted over all cases of this person"
    ),
    "confirmed_link": Message(
        nl="geteld over de dossiers waarvan bevestigd is dat ze van deze persoon zijn",
        en="counted over the cases that were confirmed to be of this person",
    ),
    "single_trajectory_only": Message(
        nl="geteld in dit ene traject", en="counted in this one trajectory"
    ),
}
"""How far a rule over a person reached (`domain.md` §3.12)."""


def work_of(draft: Draft) -> Iterator[Work]:
    """Every placement of the person that the hub knows of."""
    yield from draft.person.work.values()
    for other in draft.context.linked:
        yield from other.work.values()


def reach(draft: Draft) -> str:
    """How far a rule over this person reaches."""
    return "confirmed_link" if draft.context.linked else draft.person.recognised_by


def check(draft: Draft, move: Move) -> None:
    """Flag a month or a year in which the person worked more than the programme allows.

    Called once the report is in the person's record.
    """
    if move.name != "placement.hours_reported":
        return
    placement, period = draft.case.placements[move.aggregate_id], move.data["period"]
    programme, year = programme_in(placement, period), period[:4]
    rules = draft.rules(programme, min(last_day(period), draft.today))
    _flag(
        draft,
        "hours_per_month_max",
        rights.month_cap(draft, rules, placement.start_date),
        _worked(draft, programme, lambda month: month == period),
        period,
    )
    if not rights.lifts_year_cap(draft, programme, placement.start_date):
        _flag(
            draft,
            "hours_per_year_max",
            rules.hours_per_year_max,
            _worked(draft, programme, lambda month: month.startswith(year))
            + _carried(draft, programme, year),
            year,
        )


def _carried(draft: Draft, programme: str, year: str) -> int:
    """What conversions in this year brought along, in hundredths of an hour."""
    return sum(
        one.carried
        for one in work_of(draft)
        if one.programme == programme and one.carried_in == year
    )


def check_planned(
    draft: Draft, programme: str, hours_per_week: int | None, cap: int | None
) -> None:
    """Refuse a rhythm that fits in no month of the programme.

    Raises:
        RuleBroken: `hours_per_week` or `hours_cap_month` is too high.
    """
    most = draft.rules(programme).hours_per_month_max
    if most is None:
        return
    if hours_per_week is not None and hours_per_week * WEEKS > most:
        breaches.intention(
            draft,
            "hours_per_week_too_high",
            Message(
                nl=f"{programme} laat {most} uur per maand toe; {hours_per_week} uur per week "
                f"past daar niet in. Verlaag hours_per_week tot {most // WEEKS}.",
                en=f"{programme} allows {most} hours a month; {hours_per_week} hours a week do "
                f"not fit. Lower hours_per_week to {most // WEEKS}.",
            ),
            "hours_per_week",
        )
    if cap is not None and cap > most:
        breaches.intention(
            draft,
            "hours_cap_too_high",
            Message(
                nl=f"{programme} laat {most} uur per maand toe. Verlaag hours_cap_month.",
                en=f"{programme} allows {most} hours a month. Lower hours_cap_month.",
            ),
            "hours_cap_month",
        )


def _worked(draft: Draft, programme: str, counts: Callable[[str], bool]) -> int:
    """Hundredths of an hour in the months that count, under one programme."""
    return sum(
        hours
        for one in work_of(draft)
        if one.programme == programme
        for month, hours in one.hours.items()
        if counts(month)
    )


def _flag(draft: Draft, code: str, most: int | None, worked: int, period: str) -> None:
    if most is None or worked <= most * HUNDREDTHS:
        return
    how = REACH[reach(draft)]
    breaches.fact(
        draft,
        code,
        Message(
            nl=f"In {period} is meer dan {most} uur gewerkt ({how.nl}). De uren zijn genoteerd; "
            "de dossierhouder weet het.",
            en=f"More than {most} hours were worked in {period} ({how.en}). They were recorded; "
            "the case holder is told.",
        ),
        KIND,
    )
