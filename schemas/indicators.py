"""What evidence counts, as data: each indicator's words, its facts and how they add up.

`schemas/evidence/indicators.yaml` is what the interface, the command and the reference in
`deploy/evidence.md` all say, so code and text cannot differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

from schemas.codelists import code_list
from schemas.errors import Message, UnknownIndicator

MEASURES: Final = frozenset({"count", "sum", "mean", "median", "share", "stock"})
UNITS: Final[dict[str, Message]] = {
    "number": Message(nl="aantal", en="number"),
    "days": Message(nl="dagen", en="days"),
    "percent": Message(nl="procent", en="percent"),
    "places": Message(nl="plaatsen", en="places"),
    "minutes": Message(nl="minuten", en="minutes"),
    "levels": Message(nl="niveaus", en="levels"),
}
_BY_MEASURE: Final = {"median": "days", "share": "percent"}

Filter = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator.

    Attributes:
        fact: the `indicator` of the facts that it is counted from.
        where: what is counted; of a share, the numerator.
        of: what a share is a part of.
        column: `days` or `value`, for everything but a count and a share.
        reason: the column that `by=reason` tells apart: `code` or `detail`.
        reasons: what each code of that column means.
        about_persons: whether small cells have to be rolled up.
        by_participant: whether it may be told apart by who registered.
        looks_ahead: whether its months may lie in the future.
        events: event types that its facts come from.
    """

    code: str
    title: Message
    counted: Message
    measure: str
    unit: str
    fact: str
    where: Filter
    of: Filter
    column: str | None
    reason: str | None
    reasons: dict[str, Message]
    about_persons: bool
    by_participant: bool
    looks_ahead: bool
    events: tuple[str, ...]


@cache
def indicators() -> dict[str, Indicator]:
    """Return every indicator by its code, in the order of the file."""
    text = (files("schemas") / "evidence" / "indicators.yaml").read_text(encoding="utf-8")
    return {entry["code"]: _indicator(entry) for entry in yaml.safe_load(text)}


def indicator(code: str) -> Indicator:
    """Return an indicator.

    Raises:
        UnknownIndicator: there is none of that code.
    """
    found = indicators().get(code)
    if found is None:
        known = ", ".join(indicators())
        raise UnknownIndicator(
            Message(
                nl=f"Deze indicator bestaat niet. Kies uit: {known}.",
                en=f"There is no such indicator. Choose from: {known}.",
            )
        )
    return found


def _indicator(entry: dict[str, Any]) -> Indicator:
    where, of = _filter(entry.get("where")), _filter(entry.get("of"))
    return Indicator(
        code=entry["code"],
        title=Message(**entry["title"]),
        counted=Message(**entry["counted"]),
        measure=entry["measure"],
        unit=entry.get("unit") or _BY_MEASURE.get(entry["measure"], "number"),
        fact=entry["fact"],
        where=where,
        of=of,
        column=entry.get("column"),
        reason=entry.get("reason"),
        reasons=_reasons(entry.get("reasons", {})),
        about_persons=entry.get("about", "persons") == "persons",
        by_participant=entry.get("by_participant", False),
        looks_ahead=entry.get("looks_ahead", False),
        events=tuple(entry["events"]),
    )


def _filter(entry: dict[str, list[str]] | None) -> Filter:
    return {name: tuple(codes) for name, codes in (entry or {}).items()}


def _reasons(entry: str | dict[str, dict[str, str]]) -> dict[str, Message]:
    if isinstance(entry, str):
        return {name: code.label for name, code in code_list(entry).codes.items()}
    return {code: Message(**label) for code, label in entry.items()}


def reference() -> str:
    """Return every definition as Markdown in both languages: the text of `deploy/evidence.md`."""
    lines = [HEAD]
    for one in indicators().values():
        unit = UNITS[one.unit]
        lines += [
            f"## `{one.code}`",
            "",
            f"**{one.title.nl}** ({one.measure}, {unit.nl}): {one.counted.nl}",
            f"**{one.title.en}** ({one.measure}, {unit.en}): {one.counted.en}",
            "",
            f"- Facts: `{one.fact}`{_told(one)}.",
            f"- Events: {', '.join(f'`{name}`' for name in one.events)}.",
            "",
        ]
    return "\n".join(lines).rstrip() + "\n"


def _told(one: Indicator) -> str:
    counted = "".join(
        f", {name} {' or '.join(f'`{code}`' for code in codes)}"
        for name, codes in one.where.items()
    )
    whole = "".join(
        f", of those with {name} {' or '.join(f'`{code}`' for code in codes)}"
        for name, codes in one.of.items()
    )
    reason = f"; `by=reason` tells {one.reason} apart" if one.reason else ""
    small = "" if one.about_persons else "; about no person, so told as it is"
    return counted + whole + reason + small


HEAD: Final = """\
# What the figures count

`GET /v1/evidence` and `schakel evidence` count these from facts that name nobody.
This page is `schakel schemas indicators`, written from `schemas/evidence/indicators.yaml`.

Who reads: municipalities, VDAB, OCMWs, organisers and the administrator, of their territory.
OCMWs and organisers also read their own cases, as they are.

In everybody's figures no cell is about fewer than 10 people.
Smaller ones go together by month, quarter and year.
Then municipalities go together within the area one organiser serves.
Then areas within a reference region, and regions within Flanders.
Where what goes together is still small, the smallest larger neighbour goes with it.
Cells never overlap and there are no totals, so nothing can be subtracted from anything.
Numbers are rounded to 5; a share of which one part is under 10 is only a bound.
Two tables told apart differently are guarded from one another by that rounding alone.
A correction or void takes back what was counted before, in its own month.
"""
