"""A partner's rows become events by a map, which is complete by construction.

Every column is used, a decision, or in `drop`: an unknown column is refused, never passed on and
never silently left out.
`connectors/mapping_file.py` reads a map.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from connectors import schema_fit
from connectors.errors import RowRefused
from connectors.expressions import Expression, Function, folded
from connectors.fields import assign, value_at
from connectors.needs import Needs, check_needs
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class EventMap:
    """How one event is made from a row."""

    event: str
    id: tuple[str, ...]
    set: Mapping[str, Expression]
    kinds: Mapping[str, schema_fit.Kind]
    attributes: Mapping[str, Expression]
    used: frozenset[str]
    drop: frozenset[str]

    @property
    def columns(self) -> dict[str, str]:
        """Field path or attribute to the first column that it is made from."""
        made = {**self.set, **self.attributes}
        return {path: one.columns[0] for path, one in made.items() if one.columns}


@dataclass(frozen=True, slots=True)
class Decision:
    """A column that is somebody's decision: which values are none, and what to send for others."""

    allow: frozenset[str]
    send: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Mapped:
    """One row as an event's content, before revision and id.

    Attributes:
        key: the natural key's values.
        values: field path to value, present ones only, paths cut at the first array index.
        data: the event data they make.
        attributes: CloudEvents attributes that the map sets.
        columns: field path or attribute to the first column behind it.
    """

    event: str
    key: tuple[str, ...]
    values: Mapping[str, Any]
    data: Mapping[str, Any]
    attributes: Mapping[str, str]
    columns: Mapping[str, str] = field(default_factory=dict)

    def column_of(self, path: str) -> str | None:
        """The column that a field of the event, or an attribute, was made from."""
        whole, part = path, path.partition("[")[0]
        return self.columns.get(whole) or self.columns.get(part)


@dataclass(frozen=True, slots=True)
class RowMap:
    """The map of one kind of row; made by `mapping_file.parse_row_map`."""

    name: str
    selector: Expression | None
    events: Mapping[str, EventMap]
    decisions: Mapping[str, Decision]
    drop: frozenset[str]
    functions: Mapping[str, Function]
    needs: Needs = ()

    @property
    def columns(self) -> frozenset[str]:
        """Every column that must be there, folded; those in `drop` may be."""
        used = {column for entry in self.events.values() for column in entry.used}
        if self.selector is not None:
            used |= {folded(column) for column in self.selector.columns}
        return frozenset(used | set(self.decisions))

    @property
    def dropped(self) -> frozenset[str]:
        """Every column that is left out on purpose, folded."""
        per_event = {column for entry in self.events.values() for column in entry.drop}
        return self.drop | (per_event - self.columns)

    def apply(self, data: Mapping[str, Any]) -> Mapped:
        """Make an event's content of a row; pure.

        Raises:
            RowRefused: a column is unknown or missing, a decision, or a cell cannot be read.
        """
        row = {folded(str(name)): value for name, value in data.items()}
        self._check_columns(row)
        self._check_decisions(row)
        check_needs(self.needs, row)
        entry = self._entry(row)
        self._check_unused(row, entry)

        def look_up(column: str) -> Any:
            return row.get(folded(column))

        data_out: dict[str, Any] = {}
        values: dict[str, Any] = {}
        for path, expression in entry.set.items():
            value = expression.evaluate(look_up, self.functions)
            if value is not None:
                assign(data_out, path, _coerced(value, entry.kinds[path], expression))
        for path in entry.set:
            top = path.split("[", 1)[0]
            found = value_at(data_out, top)
            if found is not None:
                values[top] = found
        attributes = {
            name: str(value)
            for name, expression in entry.attributes.items()
            if (value := expression.evaluate(look_up, self.functions)) is not None
        }
        key = self._key(row, entry)
        return Mapped(entry.event, key, values, data_out, attributes, entry.columns)

    def _check_columns(self, row: Mapping[str, Any]) -> None:
        unknown = sorted(set(row) - self.columns - self.dropped)
        if unknown:
            raise unknown_columns(unknown)
        missing = sorted(self.columns - set(row))
        if missing:
            raise missing_columns(missing)

    def _check_decisions(self, row: Mapping[str, Any]) -> None:
        for column, decision in self.decisions.items():
            value = folded(str(row.get(column) or ""))
            if value in decision.allow:
                continue
            event = decision.send.get(value)
            nl = f"stuur {event}" if event else "stuur de gebeurtenis van die beslissing"
            en = f"send {event}" if event else "send that decision's own event"
            raise RowRefused(
                "decision_column",
                Message(
                    nl=f"Kolom '{column}' is een beslissing en hoort niet in dit bestand: {nl}.",
                    en=f"Column '{column}' is a decision and does not belong in this file: {en}.",
                ),
                column=column,
            )

    def _entry(self, row: Mapping[str, Any]) -> EventMap:
        if self.selector is None:
            return next(iter(self.events.values()))
        event = self.selector.evaluate(lambda column: row.get(folded(column)), self.functions)
        if event is None:
            column = self.selector.columns[0]
            raise RowRefused(
                "missing",
                Message(nl=f"Vul kolom '{column}' in.", en=f"Fill in column '{column}'."),
                column=column,
            )
        return self.events[event]

    def _check_unused(self, row: Mapping[str, Any], entry: EventMap) -> None:
        if len(self.events) == 1:
            return
        elsewhere = {column for other in self.events.values() for column in other.used}
        for column in sorted(elsewhere - entry.used - entry.drop - self.drop):
            if row.get(column) not in (None, "") and str(row[column]).strip():
                raise RowRefused(
                    "column_not_for_event",
                    Message(
                        nl=f"Kolom '{column}' hoort niet bij {entry.event}; maak ze leeg.",
                        en=f"Column '{column}' is not for {entry.event}; empty it.",
                    ),
                    column=column,
                )

    def _key(self, row: Mapping[str, Any], entry: EventMap) -> tuple[str, ...]:
        key = tuple(" ".join(str(row.get(column) or "").split()) for column in entry.id)
        for column, value in zip(entry.id, key, strict=True):
            if not value:
                raise RowRefused(
                    "key_missing",
                    Message(
                        nl=f"Vul kolom '{column}' in: ze zegt over welk dossier de rij gaat.",
                        en=f"Fill in column '{column}': it says which case the row is about.",
                    ),
                    column=column,
                )
        return key


def _coerced(value: Any, kind: schema_fit.Kind, expression: Expression) -> Any:
    try:
        return schema_fit.coerce(value, kind.name, kind.codes)
    except ValueError as error:
        column = expression.columns[0] if expression.columns else None
        raise schema_fit.refused(str(error), column) from None


def unknown_columns(names: Sequence[str]) -> RowRefused:
    """The refusal of columns that the map neither uses nor drops."""
    listed = ", ".join(f"'{name}'" for name in names)
    return RowRefused(
        "unknown_column",
        Message(
            nl=f"Onbekende kolom {listed}: verwijder ze of laat ze in de mapping opnemen.",
            en=f"Unknown column {listed}: remove it or have it added to the map.",
        ),
    )


def missing_columns(names: Sequence[str]) -> RowRefused:
    """The refusal of rows without a column that the map uses."""
    listed = ", ".join(f"'{name}'" for name in names)
    return RowRefused(
        "missing_column",
        Message(
            nl=f"Kolom {listed} ontbreekt: voeg ze toe, desnoods leeg.",
            en=f"Column {listed} is missing: add it, empty if need be.",
        ),
    )
