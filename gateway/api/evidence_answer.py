"""Figures as JSON, and as CSV that a Dutch spreadsheet opens by itself."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, Final

from consumers import rollup
from consumers.figures import CHANNEL, PARTICIPANT, PROGRAMME, REASON, SERIES
from schemas.codelists import code_list
from schemas.errors import Message
from schemas.indicators import UNITS
from schemas.roles import LABEL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consumers.figures import Cell, Question
    from consumers.rollup import Group
    from gateway.exchange.registry import Registry
    from schemas.indicators import Indicator

BOM: Final = "\ufeff"
_LEVELS: Final = {
    "month": Message(nl="maand", en="month"),
    "quarter": Message(nl="kwartaal", en="quarter"),
    "year": Message(nl="jaar", en="year"),
    "municipality": Message(nl="gemeente", en="municipality"),
    "area": Message(nl="werkingsgebied", en="area served"),
    "region": Message(nl="referentieregio", en="reference region"),
    "flanders": Message(nl="Vlaanderen", en="Flanders"),
}
_NOBODY: Final = Message(nl="niet bekend", en="not known")
_MASKED: Final = Message(nl="lokale partner", en="local partner")
_SUPPRESSED: Final = Message(
    nl="Minder dan 10 in het geheel: niet getoond.", en="Fewer than 10 in all: not shown."
)
_REST: Final = Message(nl="samen met kleine buren in", en="together with small neighbours in")
_NOTE: Final = Message(
    nl="Cellen onder 10 zijn samengevoegd (maand, kwartaal, jaar; dan gemeente, werkingsgebied, "
    "referentieregio) en aantallen afgerond op 5. Er zijn geen totalen.",
    en="Cells under 10 were put together (month, quarter, year; then municipality, area served, "
    "reference region) and numbers rounded to 5. There are no totals.",
)
_EXACT: Final = Message(
    nl="Aantallen zoals ze zijn, niet samengevoegd of afgerond.",
    en="Numbers as they are, neither put together nor rounded.",
)
HEADINGS: Final = {
    "nl": (
        *("plaatsniveau", "plaatscode", "plaats", "gemeenten", "van", "tot", "periode"),
        *("programma", "kanaal", "reden", "partner", "aantal", "cijfer", "grens", "opmerking"),
    ),
    "en": (
        *("place level", "place code", "place", "municipalities", "from", "to", "period"),
        *("programme", "channel", "reason", "partner", "number", "figure", "bound", "remark"),
    ),
}


def described(one: Indicator, language: str) -> dict[str, Any]:
    """An indicator's definition, in the caller's language."""
    return {
        "code": one.code,
        "title": one.title.text(language),
        "counted": one.counted.text(language),
        "measure": one.measure,
        "unit": UNITS[one.unit].text(language),
        "reasons": {code: label.text(language) for code, label in one.reasons.items()},
        "events": list(one.events),
    }


class Answer:
    """The cells of one question, ready to be written down."""

    def __init__(
        self,
        question: Question,
        cells: Iterable[Cell],
        rule_sets: Iterable[str],
        registry: Registry,
        language: str,
    ) -> None:
        self._question = question
        self._cells = tuple(cells)
        self._rule_sets = sorted(rule_sets)
        self._registry = registry
        self._language = language

    def document(self) -> dict[str, Any]:
        """The answer as JSON."""
        question = self._question
        return {
            "indicator": described(question.indicator, self._language),
            "from": question.first,
            "to": question.last,
            "programme": question.programme,
            "own": question.owner is not None,
            "smallest_cell": question.k or None,
            "rule_sets": self._rule_sets,
            "note": (_NOTE if question.k else _EXACT).text(self._language),
            "cells": [self._cell(one) for one in self._cells],
        }

    def csv(self) -> str:
        """The answer as CSV: byte order mark, semicolons, and a decimal comma in Dutch."""
        out = io.StringIO()
        out.write(BOM)
        lines = csv.writer(out, delimiter=";", lineterminator="\r\n")
        lines.writerow(HEADINGS[self._language])
        lines.writerows(self._line(one) for one in self._cells)
        return out.getvalue()

    def _cell(self, cell: Cell) -> dict[str, Any]:
        group = cell.group
        told = {name: self._series(name, cell) for name in SERIES if name in cell.series}
        return {
            "place": {
                "level": group.place.level,
                "code": group.place.code,
                "name": group.place.name,
                "rest": group.place.rest,
                "municipalities": list(group.place.nis),
            },
            "period": {
                "level": group.period.level,
                "from": group.period.months[0],
                "to": group.period.months[-1],
            },
            **told,
            "number": cell.number,
            "value": cell.value,
            "bound": cell.bound,
            "suppressed": group.suppressed,
            "rolled_up": self._is_rolled_up(group),
            "remark": self._remark(group),
        }

    def _series(self, name: str, cell: Cell) -> dict[str, str | None]:
        code = cell.series[name]
        if name == PARTICIPANT and self._is_masked(code):
            code = None
        return {"code": code, "label": self._label(name, code)}

    def _is_masked(self, participant_id: str | None) -> bool:
        """What some senders do lets health be inferred: they are told apart from nobody."""
        found = self._registry.participant(participant_id or "")
        organisation = None if found is None else self._registry.organisation(found.organisation)
        return organisation is None or organisation.sensitive_sender

    def _label(self, name: str, code: str | None) -> str:
        if name == PARTICIPANT:
            found = self._registry.participant(code or "")
            return _MASKED.text(self._language) if found is None else found.name
        labels: dict[str, Message] = {
            PROGRAMME: {one: had.label for one, had in code_list("programme").codes.items()},
            CHANNEL: LABEL,
            REASON: self._question.indicator.reasons,
        }[name]
        return labels.get(code or "", _NOBODY).text(self._language)

    def _is_rolled_up(self, group: Group) -> bool:
        question = self._question
        return group.place.level != question.place or group.period.level != question.time

    def _remark(self, group: Group) -> str | None:
        """What the cell says of itself when it is not what was asked."""
        if group.suppressed:
            return _SUPPRESSED.text(self._language)
        if not self._is_rolled_up(group):
            return None
        period = _LEVELS[group.period.level].text(self._language)
        level = _LEVELS[group.place.level].text(self._language)
        if group.place.rest:
            return f"{period}; {_REST.text(self._language)} {level} {group.place.name}".rstrip()
        if group.place.level == rollup.MUNICIPALITY:
            return period
        return f"{period}; {level} {group.place.name}".rstrip()

    def _line(self, cell: Cell) -> tuple[object, ...]:
        made = self._cell(cell)
        place, period = made["place"], made["period"]
        told = (made[name]["label"] if name in made else "" for name in SERIES)
        return (
            _LEVELS[place["level"]].text(self._language),
            place["code"],
            place["name"],
            " ".join(place["municipalities"]) if len(place["municipalities"]) > 1 else "",
            period["from"],
            period["to"],
            _LEVELS[period["level"]].text(self._language),
            *told,
            self._number(cell.number),
            self._number(cell.value),
            made["bound"] or "",
            made["remark"] or "",
        )

    def _number(self, value: float | None) -> str:
        if value is None:
            return ""
        text = f"{value:g}"
        return text.replace(".", ",") if self._language == "nl" else text
