"""The file that says how a partner's rows become events.

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
from typing import Any

from connectors import schema_fit
from connectors.errors import InvalidConnector
from connectors.expressions import Expression, Function, fault, folded, parse_expression
from connectors.mapping import Decision, EventMap, RowMap
from connectors.needs import parse_needs
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


def _columns(found: Any) -> frozenset[str]:
    return frozenset(folded(str(column)) for column in _listed(found))


def _listed(found: Any) -> Sequence[Any]:
    if isinstance(found, str):
        return (found,)
    return found if isinstance(found, Sequence) else ()
