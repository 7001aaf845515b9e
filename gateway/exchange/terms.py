"""How long a placement may last, and how often it may be extended (R7; `domain.md` §3.7).

A length is an intention until it has passed: too long is refused at planning, starting and
extending, and only flagged when the placement has already lasted that long.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from gateway.exchange import breaches, caps, rights
from gateway.exchange.business_days import months_after
from gateway.exchange.decision import Warning as Notice
from gateway.exchange.draft import broken
from gateway.exchange.programme_periods import counted_from, extensions
from schemas.errors import Message

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft, Move
    from gateway.exchange.state import Placement
    from schemas.rule_set import RuleSet


BEGINNING = frozenset({"placement.planned", "placement.started"})


def term_fits(draft: Draft, move: Move) -> None:
    """Start, end and rhythm of what is planned, started, moved or corrected fit the programme."""
    known = draft.case.placements.get(move.aggregate_id)
    data = move.data
    programme = data.get("programme") or (known.programme if known else "")
    cleared = data.get("cleared", ())
    start = data.get("start_date") or (known.start_date if known else None)
    end = data.get("planned_end") or (known.planned_end if known else None)
    end = None if "planned_end" in cleared else end
    caps.check_planned(draft, programme, data.get("hours_per_week"), data.get("hours_cap_month"))
    if known is not None and known.extensions:
        return  # an extension has been decided on; its own rules held then
    if move.name in BEGINNING or "planned_end" in (*data, *cleared):
        _check_end(draft, programme, start, end)


def _check_end(draft: Draft, programme: str, start: str | None, end: str | None) -> None:
    rules = draft.rules(programme)
    if rights.is_unlimited(draft, programme, start):
        return
    if end is None:
        if not rules.is_until_full_benefit_rights:
            raise broken(
                "planned_end_missing",
                "Een plaatsing zonder einddatum kan enkel met een geverifieerd onbeperkt recht. "
                "Vul planned_end in.",
                "A placement without an end date needs a verified unlimited right. "
                "Fill in planned_end.",
                "planned_end",
            )
        return
    if start is not None:
        _check_length(draft, rules, date.fromisoformat(start), date.fromisoformat(end))


def _check_length(draft: Draft, rules: RuleSet, start: date, end: date) -> None:
    longest = rules.duration_months or rules.max_duration_months
    if longest is not None and end > months_after(start, longest):
        latest = months_after(start, longest).isoformat()
        breaches.intention(
            draft,
            "too_long",
            Message(
                nl=f"{rules.programme} duurt eerst hoogstens {longest} maanden. Zet planned_end "
                f"op {latest} of vroeger, en verleng later.",
                en=f"{rules.programme} lasts at most {longest} months at first. Set planned_end "
                f"to {latest} or earlier, and extend later.",
            ),
            "planned_end",
        )
    shortest = rules.min_duration_months
    if shortest is not None and end < months_after(start, shortest):
        draft.warnings.append(
            Notice(
                "shorter_than_usual",
                Message(
                    nl=f"{rules.programme} duurt meestal minstens {shortest} maanden. "
                    "Bespreek waarom het korter is.",
                    en=f"{rules.programme} usually lasts at least {shortest} months. "
                    "Discuss why it is shorter.",
                ),
                ("min_duration_months",),
            )
        )


def extension_fits(draft: Draft, move: Move) -> None:
    """An extension goes further, follows the one before, and stays within what is allowed."""
    placement = draft.case.placements[move.aggregate_id]
    end, number = move.data["new_end"], move.data["extension_no"]
    if placement.planned_end is not None and end <= placement.planned_end:
        raise broken(
            "end_not_later",
            f"new_end moet na {placement.planned_end} liggen.",
            f"new_end has to be after {placement.planned_end}.",
            "new_end",
        )
    if number != placement.extensions + 1:
        wanted = placement.extensions + 1
        raise broken(
            "extension_out_of_order",
            f"Dit is verlenging {wanted}: zet extension_no op {wanted}.",
            f"This is extension {wanted}: set extension_no to {wanted}.",
            "extension_no",
        )
    if not rights.is_unlimited(draft, placement.programme, placement.start_date):
        _check_extension(draft, placement, date.fromisoformat(end))


def _check_extension(draft: Draft, placement: Placement, end: date) -> None:
    rules = draft.rules(placement.programme)
    most = rules.extensions_max
    if most is not None and extensions(placement) >= most:
        breaches.intention(
            draft,
            "extended_too_often",
            Message(
                nl=f"{rules.programme} kan {most} keer worden verlengd. Zoek een volgende stap.",
                en=f"{rules.programme} can be extended {most} times. Look for a next step.",
            ),
            "extension_no",
        )
    latest = _latest(rules, placement)
    if latest is not None and end > latest:
        breaches.intention(
            draft,
            "extended_too_far",
            Message(
                nl=f"Deze verlenging kan tot {latest.isoformat()}. Zet new_end vroeger.",
                en=f"This extension can go to {latest.isoformat()}. Set new_end earlier.",
            ),
            "new_end",
        )


def _latest(rules: RuleSet, placement: Placement) -> date | None:
    """The earlier of what one extension and the whole may last."""
    limits = (
        (placement.planned_end, rules.extension_months),
        (counted_from(placement), rules.max_duration_months),
    )
    return min(
        (
            months_after(date.fromisoformat(since), months)
            for since, months in limits
            if since is not None and months is not None
        ),
        default=None,
    )


def check_lasted(draft: Draft, placement: Placement) -> None:
    """Flag a placement that ended after all it might have lasted."""
    counted = counted_from(placement)
    if counted is None or placement.ended_on is None:
        return
    rules = draft.rules(placement.programme, date.fromisoformat(placement.ended_on))
    most = rules.max_duration_months
    if most is None:
        return
    if rights.is_unlimited(draft, placement.programme, placement.start_date):
        return
    if date.fromisoformat(placement.ended_on) > months_after(date.fromisoformat(counted), most):
        breaches.fact(
            draft,
            "max_duration_months",
            Message(
                nl=f"Deze plaatsing duurde langer dan {most} maanden. Het einde is genoteerd.",
                en=f"This placement lasted longer than {most} months. Its end was recorded.",
            ),
        )
