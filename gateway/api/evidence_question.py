"""What a caller asks of the evidence, and whether it may: parameters, roles, territory, places.

Municipalities, VDAB, OCMWs, organisers and the administrator read figures of their territory, in
which no cell is small. OCMWs and organisers read their own cases as they are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from consumers import rollup
from consumers.figures import PARTICIPANT, REASON, SERIES, Question
from gateway import errors
from gateway.api.parameters import invalid
from schemas import regions, territory
from schemas.errors import Message
from schemas.indicators import indicator as find_indicator

if TYPE_CHECKING:
    from datetime import date

    from gateway.exchange.registry import Participant, Registry
    from schemas.indicators import Indicator

READERS: Final = frozenset({"V", "O", "W", "G", "A"})
OWN_READERS: Final = frozenset({"O", "W"})
OVERSEERS: Final = frozenset({"V", "G", "A"})
"""Roles that may tell partners apart."""
YEARS: Final = 10
_MONTH: Final = re.compile(r"20\d{2}-(0[1-9]|1[0-2])")


class Asked(NamedTuple):
    """The parameters as they came; None is absent."""

    indicator: str
    first: str | None
    last: str | None
    by: str | None
    nis: str | None
    programme: str | None
    own: bool | None


def question(asked: Asked, caller: Participant, registry: Registry, today: date) -> Question:
    """What is asked, by somebody who may ask it.

    Raises:
        UnknownIndicator, InvalidParameter: a parameter names nothing there is.
        FiguresRefused: the caller's role or territory is not for it.
    """
    if caller.role not in READERS:
        raise _refused(
            "Deze cijfers zijn voor gemeenten, VDAB, OCMW's en organisatoren.",
            "These figures are for municipalities, VDAB, OCMWs and organisers.",
        )
    found = find_indicator(asked.indicator)
    own = caller.role in OWN_READERS if asked.own is None else asked.own
    if own and caller.role not in OWN_READERS:
        raise _refused(
            "Eigen dossiers tellen kan alleen een OCMW of organisator. Laat own weg.",
            "Counting one's own cases is for an OCMW or organiser. Leave own out.",
        )
    series, place, time = _by(asked.by, found, caller)
    now = today.isoformat()[:7]
    first, last = _span(asked, found, now)
    return Question(
        indicator=found,
        first=first,
        last=last,
        until=max(last, now) if found.looks_ahead else now,
        series=series,
        place=place,
        time=time,
        nis=_territory(asked.nis, caller, today),
        programme=_programme(asked.programme, registry),
        owner=caller.id if own else None,
    )


def _by(
    given: str | None, found: Indicator, caller: Participant
) -> tuple[frozenset[str], str, str]:
    """Series, lowest level of places, lowest level of periods."""
    wanted = [one.strip() for one in (given or "month,municipality").split(",") if one.strip()]
    known = {*SERIES, *rollup.PLACES, *rollup.TIMES}
    if len(set(wanted)) != len(wanted) or not known.issuperset(wanted):
        names = ", ".join(sorted(known))
        raise invalid("by", "unknown_value", f"Kies uit: {names}.", f"Choose from: {names}.")
    places = [one for one in wanted if one in rollup.PLACES]
    times = [one for one in wanted if one in rollup.TIMES]
    if len(places) > 1 or len(times) > 1:
        raise invalid("by", "several_levels", "Kies één niveau.", "Choose one level.")
    series = frozenset(wanted) & frozenset(SERIES)
    if REASON in series and found.reason is None:
        raise invalid("by", "no_reasons", "Hierbij is er geen reden.", "There are no reasons here.")
    if PARTICIPANT in series and not found.by_participant:
        raise invalid("by", "not_by_participant", "Niet per partner.", "Not by partner.")
    if PARTICIPANT in series and caller.role not in OVERSEERS:
        raise _refused("Alleen uw eigen cijfers zijn voor u.", "Only your own figures are for you.")
    return series, next(iter(places), rollup.FLANDERS), next(iter(times), rollup.YEAR)


def _span(asked: Asked, found: Indicator, now: str) -> tuple[str, str]:
    """Both months; twelve of them when not said, ahead where the indicator looks ahead."""
    first, last = _month(asked.first, "from"), _month(asked.last, "to")
    if found.looks_ahead:
        first = first or (min(now, last) if last else now)
        last = last or _moved(first, 11)
    else:
        last = last or max(now, first or now)
        first = first or _moved(last, -11)
    if first > last or int(last[:4]) - int(first[:4]) > YEARS:
        raise invalid(
            "from",
            "out_of_range",
            f"from ligt na to, of meer dan {YEARS} jaar ervoor.",
            f"from lies after to, or more than {YEARS} years before it.",
        )
    return first, last


def _month(given: str | None, name: str) -> str | None:
    if given is None or _MONTH.fullmatch(given):
        return given
    raise invalid(name, "not_a_month", "Geef een maand als 2026-03.", "Give a month like 2026-03.")


def _moved(month: str, months: int) -> str:
    year, number = divmod(int(month[:4]) * 12 + int(month[5:]) - 1 + months, 12)
    return f"{year:04d}-{number + 1:02d}"


def _territory(nis: str | None, caller: Participant, today: date) -> frozenset[str] | None:
    """The municipalities that cells have to touch, as they are today."""
    if nis is not None:
        if nis not in territory.known_codes():
            raise invalid("nis", "unknown_value", "Onbekende NIS-code.", "Unknown NIS code.")
        if not caller.serves(nis, today):
            raise _refused(
                "Deze gemeente ligt buiten uw werkingsgebied.",
                "This municipality lies outside your territory.",
            )
        return frozenset({territory.current(nis)})
    if caller.territory is None:
        return None
    return frozenset(
        territory.current(one) for one in caller.territory if one in territory.known_codes()
    )


def _programme(given: str | None, registry: Registry) -> str | None:
    if given is not None and given not in registry.rules.own:
        raise invalid("programme", "unknown_value", "Onbekend programma.", "Unknown programme.")
    return given


def places(registry: Registry, finest: str, today: date) -> rollup.Place:
    """Flanders, its reference regions, the areas that are served together, and municipalities."""
    towns = {one.nis: one.name for one in territory.municipalities() if one.is_valid_on(today)}
    in_region = {
        nis: (found.code, found.name)
        for nis in towns
        if (found := regions.region_of(nis)) is not None
    }
    areas = {
        nis: (serving.id, serving.name)
        for nis in towns
        if (serving := _serving(registry, nis, today)) is not None
    }
    return rollup.place_tree(towns, in_region, areas, finest)


def _serving(registry: Registry, nis: str, today: date) -> Participant | None:
    """Whose territory a municipality counts with: the organiser's, else an OCMW association's."""
    organiser = registry.competent("W", nis, today)
    if organiser is not None:
        return organiser
    centre = registry.competent("O", nis, today)
    alone = centre is None or centre.territory is None or len(centre.territory) == 1
    return None if alone else centre


def _refused(nl: str, en: str) -> errors.FiguresRefused:
    return errors.FiguresRefused(Message(nl=nl, en=en))
