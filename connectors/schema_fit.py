"""Whether a map fits the Avro schema of its event, checked before the first row is read.

Every field exists, every required one is set, every code of an `enum` exists, and natural keys hold
nothing that says who a person is; then, per row, cells become the types that the schema asks for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from connectors.errors import RowRefused
from connectors.expressions import Expression, fault, folded
from schemas.catalogue import EventType, Field, catalogue
from schemas.errors import Message, SchakelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from schemas.errors import InvalidParam

_YES = frozenset({"ja", "j", "true", "waar", "1", "x"})
_NO = frozenset({"nee", "n", "false", "onwaar", "0"})
_IDENTIFYING = frozenset({"identify", "insz", "name", "staff_contact"})
_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$")
_DECIMAL = re.compile(r"^decimal\((\d+),(\d+)\)$")


def event_type(name: str) -> EventType | None:
    """The event type, None when the catalogue does not have it."""
    try:
        return catalogue().event(name)
    except SchakelError:
        return None


@dataclass(frozen=True, slots=True)
class Kind:
    """The Avro type of one field, and the codes it may hold when it is an enum."""

    name: str
    codes: frozenset[str] | None


def kinds_of(event: str, paths: Iterable[str]) -> dict[str, Kind]:
    """The kind of each path that the event has."""
    found = event_type(event)
    if found is None:
        return {}
    types = {field.path: field.type for field in found.fields}
    symbols = _symbols(found.schema)
    general = {path: types.get(_general(path)) for path in paths}
    return {
        path: Kind(kind, _allowed(kind, symbols))
        for path, kind in general.items()
        if kind is not None
    }


def faults_of(
    where: str, event: str, fields: Mapping[str, Expression], key: tuple[str, ...]
) -> Iterator[InvalidParam]:
    """Every way in which a map does not fit its event."""
    found = event_type(event)
    if found is None:
        yield fault(where, "unknown_event", "is geen gebeurtenis", "is not an event")
        return
    if found.hub_only:
        yield fault(where, "hub_only", "komt alleen van de hub", "comes from the hub only")
    by_path = {field.path: field for field in found.fields}
    symbols = _symbols(found.schema)
    for path, expression in fields.items():
        field = by_path.get(_general(path))
        if field is None:
            yield fault(f"{where}.set.{path}", "unknown_field", "bestaat niet", "does not exist")
            continue
        yield from _codes(f"{where}.set.{path}", expression, field, symbols)
    yield from _missing(where, found, fields)
    yield from _identifying(where, by_path, fields, key)


def coerce(value: Any, kind: str, symbols: frozenset[str] | None = None) -> Any:
    """A value as its Avro type asks for it, in plain JSON.

    Raises:
        ValueError: with a stable code as its text.
    """
    if kind.startswith("array<"):
        items = value if isinstance(value, list) else [value]
        return [coerce(item, kind[6:-1], symbols) for item in items]
    if kind.startswith("enum:"):
        return _code(value, symbols)
    found = _DECIMAL.fullmatch(kind)
    if found is not None:
        return _decimal(value, int(found[1]), int(found[2]))
    read: Callable[[Any], Any] = _PLAIN.get(kind, _string)
    return read(value)


def refused(code: str, column: str | None) -> RowRefused:
    """The refusal of a cell that `coerce` could not read."""
    nl, en = _SENTENCES[code]
    name = f"Kolom '{column}'" if column else "De rij"
    english = f"Column '{column}'" if column else "The row"
    return RowRefused(code, Message(nl=f"{name} {nl}.", en=f"{english} {en}."), column=column)


_SENTENCES = {
    "not_a_number": ("is geen geheel getal", "is not a whole number"),
    "not_yes_or_no": ("is geen ja of nee", "is not yes (ja) or no (nee)"),
    "not_a_date": ("is geen datum", "is not a date"),
    "not_in_list": ("heeft een waarde buiten de codelijst", "is not in the code list"),
    "number_too_large": ("heeft te veel cijfers", "has too many digits"),
}


def _code(value: Any, symbols: frozenset[str] | None) -> str:
    text = str(value)
    if symbols is not None and text not in symbols:
        raise ValueError("not_in_list")
    return text


def _integer(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = str(value).strip()
    if not re.fullmatch(r"-?\d{1,9}", text):
        raise ValueError("not_a_number")
    return int(text)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = folded(str(value))
    if text in _YES | _NO:
        return text in _YES
    raise ValueError("not_yes_or_no")


def _date(value: Any) -> str:
    text = str(value)
    if not _DAY.fullmatch(text):
        raise ValueError("not_a_date")
    return text


def _decimal(value: Any, precision: int, scale: int) -> str:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise ValueError("not_a_number") from None
    if not number.is_finite():
        raise ValueError("not_a_number")
    whole = number.quantize(Decimal(1).scaleb(-scale))
    if whole != number or abs(number) >= Decimal(10) ** (precision - scale):
        raise ValueError("number_too_large")
    # One spelling for one number, or 7,5 and 7,50 would be a change.
    return format(whole, "f")


def _string(value: Any) -> str:
    return str(value)


_PLAIN: Mapping[str, Callable[[Any], Any]] = {
    "int": _integer,
    "long": _integer,
    "boolean": _boolean,
    "date": _date,
}


def _general(path: str) -> str:
    return re.sub(r"\[\d+\]", "[]", path)


def _codes(
    where: str, expression: Expression, field: Field, symbols: Mapping[str, frozenset[str]]
) -> Iterator[InvalidParam]:
    allowed = _allowed(field.type, symbols)
    given = list((expression.enum or {}).values())
    given += [value for value in (expression.const, expression.default) if value is not None]
    for value in given:
        try:
            coerce(value, field.type, allowed)
        except ValueError as error:
            code = str(error)
            yield fault(where, code, f"kan niet '{value}' zijn", f"cannot be '{value}'")
    if field.type == "date" and expression.columns and not (expression.dates or expression.call):
        yield fault(where, "date_missing", "heeft date nodig", "needs date")


def _allowed(kind: str, symbols: Mapping[str, frozenset[str]]) -> frozenset[str] | None:
    found = re.search(r"enum:(\w+)", kind)
    return None if found is None else symbols.get(found[1], frozenset())


def _missing(
    where: str, event: EventType, fields: Mapping[str, Expression]
) -> Iterator[InvalidParam]:
    given = {_general(path) for path in fields}
    around = {path.rsplit(".", 1)[0] for path in given if "." in path}
    for path in _required(event):
        parent = path.rsplit(".", 1)[0] if "." in path else ""
        covered = any(one == path or one.startswith((f"{path}.", f"{path}[]")) for one in given)
        if not covered and (not parent or parent in around):
            yield fault(f"{where}.set.{path}", "required", "ontbreekt", "is missing")


def _required(event: EventType) -> Iterator[str]:
    """Required leaves, and the required records and arrays of records at the top."""
    yield from (field.path for field in event.fields if field.required)
    leaves = {field.path for field in event.fields}
    if not event.partial:
        for field in event.schema["fields"][1:]:
            if field.get("required") and field["name"] not in leaves:
                yield field["name"]


def _identifying(
    where: str,
    by_path: Mapping[str, Field],
    fields: Mapping[str, Expression],
    key: tuple[str, ...],
) -> Iterator[InvalidParam]:
    for path, expression in fields.items():
        field = by_path.get(_general(path))
        if field is None or field.fieldset not in _IDENTIFYING:
            continue
        for column in expression.columns:
            if folded(column) in key:
                yield fault(
                    f"{where}.id",
                    "identifying_key",
                    f"mag '{column}' niet bevatten: die kolom zegt wie het is",
                    f"may not hold '{column}': that column says who it is",
                )


def _symbols(schema: Any) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    open_nodes = [schema]
    while open_nodes:
        node = open_nodes.pop()
        if isinstance(node, list):
            open_nodes.extend(node)
        elif isinstance(node, dict):
            if node.get("type") == "enum":
                found[node["name"].rsplit(".", 1)[-1]] = frozenset(node["symbols"]) - {"UNKNOWN"}
            open_nodes.extend(node.values())
    return found
