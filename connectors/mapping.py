"""A map from a partner's rows to events, as data, complete by construction.

    event: referral.created          # or {from: antwoord, enum: {aanvaard: referral.accepted}}
    id: [dossiernummer]              # natural key: what says that two rows are the same case
    set: {programme: {from: programma, enum: {...}}, person.given_name: voornaam}
    attributes: {sourcerecordid: dossiernummer}
    decisions: {status: {allow: [nieuw], send: {afgewezen: referral.withdrawn}}}
    drop: [interne nota]
    needs: [voornaam, [telefoon, e-mail]]      # cells to fill in beside what the schema asks

Every column is used, a decision, or in `drop`: an unknown column is refused, never passed on and
never silently left out.
With an event per row, `events` holds `id`, `set`, `attributes` and `drop` per event, and a cell
that its event has no use for must be empty.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors import schema_fit
from connectors.errors import InvalidConnector, RowRefused
from connectors.expressions import Expression, Function, fault, folded, parse_expression
from connectors.fields import assign, value_at
from connectors.needs import Needs, check_needs, parse_needs
from schemas.errors import InvalidParam, Message

ATTRIBUTES = frozenset(
    {
        "causationid",
        "onbehalfof",
        "purpose",
        "sourcerecordid",
        "subject",
        "territorynis",
        "time",
        "trajectoryid",
    }
)
_ROW_KEYS = frozenset({"event", "events", "id", "set", "attributes", "decisions", "drop", "needs"})
_EVENT_KEYS = frozenset({"id", "set", "attributes", "drop"})
_SEGMENT = re.compile(r"^([a-z][a-zA-Z0-9_]*)(?:\[(\d{1,2})\])?$")


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
    """The map of one kind of row; made by `parse_row_map`."""

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


def parse_row_map(
    name: str, document: Any, functions: Mapping[str, Function] | None = None
) -> RowMap:
    """Read one map. A map without `event` is named for its event.

    Raises:
        InvalidConnector: with every fault, also where it does not fit the Avro schema.
    """
    faults: list[InvalidParam] = []
    known = dict(functions or {})
    found = document if isinstance(document, Mapping) else {}
    faults.extend(_unknown_keys(name, found, _ROW_KEYS))
    event = found.get("event", name)
    selector: Expression | None = None
    if isinstance(event, str):
        entries = {event: {key: found[key] for key in _EVENT_KEYS & set(found)}}
        shared: frozenset[str] = frozenset()
    else:
        selector = parse_expression(event, f"{name}.event", known, faults)
        entries = dict(found.get("events") or {})
        shared = _columns(found.get("drop"))
        _check_selector(name, selector, entries, faults)
    events = {
        called: _event_map(f"{name}.{called}", called, entry, known, faults)
        for called, entry in entries.items()
    }
    drop = shared | (next(iter(events.values())).drop if selector is None else frozenset())
    decisions = _decisions(name, found.get("decisions"), faults)
    needs = parse_needs(f"{name}.needs", found.get("needs"), faults)
    row_map = RowMap(name, selector, events, decisions, drop, known, needs)
    faults.extend(
        fault(f"{name}.needs", "unknown_column", "is niet gebruikt", "is not used")
        for columns in needs
        if not set(columns) <= row_map.columns
    )
    both = sorted(row_map.columns & drop)
    if both:
        faults.append(
            fault(f"{name}.drop", "mapped_and_dropped", "noemt gebruikte kolommen", "is also used")
        )
    if faults:
        raise InvalidConnector(
            Message(nl=f"De mapping '{name}' klopt niet.", en=f"The map '{name}' is wrong."),
            invalid=faults,
        )
    return row_map


def _coerced(value: Any, kind: schema_fit.Kind, expression: Expression) -> Any:
    try:
        return schema_fit.coerce(value, kind.name, kind.codes)
    except ValueError as error:
        column = expression.columns[0] if expression.columns else None
        raise schema_fit.refused(str(error), column) from None


def _check_selector(
    name: str, selector: Expression, entries: Mapping[str, Any], faults: list[InvalidParam]
) -> None:
    targets = set((selector.enum or {}).values())
    if not targets or targets != set(entries):
        faults.append(
            fault(
                f"{name}.event",
                "events_differ",
                "moet met enum precies de gebeurtenissen van events noemen",
                "must name exactly the events of `events`, through enum",
            )
        )


def _event_map(
    where: str,
    event: str,
    entry: Any,
    functions: Mapping[str, Function],
    faults: list[InvalidParam],
) -> EventMap:
    found = entry if isinstance(entry, Mapping) else {}
    faults.extend(_unknown_keys(where, found, _EVENT_KEYS))
    fields = {
        str(path): parse_expression(given, f"{where}.set.{path}", functions, faults)
        for path, given in dict(found.get("set") or {}).items()
    }
    faults.extend(
        fault(f"{where}.set.{path}", "path", "is geen veld", "is no field path")
        for path in fields
        if not all(_SEGMENT.fullmatch(part) for part in path.split("."))
    )
    attributes = {
        str(name): parse_expression(given, f"{where}.attributes.{name}", functions, faults)
        for name, given in dict(found.get("attributes") or {}).items()
    }
    faults.extend(
        fault(f"{where}.attributes.{attribute}", "attribute", "mag niet", "may not be set")
        for attribute in sorted(set(attributes) - ATTRIBUTES)
    )
    key = tuple(folded(str(column)) for column in _listed(found.get("id")))
    if not key:
        faults.append(fault(f"{where}.id", "no_key", "ontbreekt", "is missing"))
    expressions = [*fields.values(), *attributes.values()]
    used = {folded(column) for given in expressions for column in given.columns} | set(key)
    faults.extend(schema_fit.faults_of(where, event, fields, key))
    return EventMap(
        event=event,
        id=key,
        set=fields,
        kinds=schema_fit.kinds_of(event, fields),
        attributes=attributes,
        used=frozenset(used),
        drop=_columns(found.get("drop")),
    )


def _unknown_keys(
    where: str, found: Mapping[str, Any], known: frozenset[str]
) -> list[InvalidParam]:
    return [
        fault(f"{where}.{key}", "unknown_key", "is onbekend", "is unknown")
        for key in sorted(set(found) - known)
    ]


def _decisions(name: str, found: Any, faults: list[InvalidParam]) -> dict[str, Decision]:
    decisions: dict[str, Decision] = {}
    for column, entry in dict(found or {}).items():
        if not isinstance(entry, Mapping) or set(entry) - {"allow", "send"}:
            faults.append(
                fault(f"{name}.decisions.{column}", "decision", "is ongeldig", "is invalid")
            )
            continue
        allow = {folded(str(value)) for value in _listed(entry.get("allow"))} | {""}
        send = {folded(str(k)): str(v) for k, v in dict(entry.get("send") or {}).items()}
        decisions[folded(str(column))] = Decision(frozenset(allow), send)
    return decisions


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


def _columns(found: Any) -> frozenset[str]:
    return frozenset(folded(str(column)) for column in _listed(found))


def _listed(found: Any) -> Sequence[Any]:
    if isinstance(found, str):
        return (found,)
    return found if isinstance(found, Sequence) else ()
