"""Read Avro into plain JSON, compiled once per schema. The only importer of fastavro.

fastavro decodes; what it gives becomes JSON's forms here: a date text, a decimal text, and absent
instead of null. Logical types are taken from the schema first, so that it hands out plain numbers.
"""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from datetime import date
from typing import Any, Final

import fastavro

from schemas.writing import EPOCH

Read = Callable[[bytes], dict[str, Any]]
Convert = Callable[[Any], Any]

_WIRE_KEYS: Final = frozenset(
    {"type", "name", "namespace", "fields", "symbols", "items", "values", "default"}
)


def compile_reader(written: dict[str, Any], wanted: dict[str, Any] | None = None) -> Read:
    """Return the reader of bodies of a self-contained record schema.

    With `wanted`, fields and codes of an older or newer schema are resolved as Avro says: unknown
    fields are dropped and unknown codes become UNKNOWN.
    The reader trusts the bytes: those of a partner pass `guards.check` first.
    """
    wire = _wire_schema(written)
    resolved = _wire_schema(wanted) if wanted else None
    convert = _record(wanted or written, {})
    schemaless_reader: Callable[..., Any] = fastavro.schemaless_reader

    def read(body: bytes) -> dict[str, Any]:
        converted: dict[str, Any] = convert(schemaless_reader(io.BytesIO(body), wire, resolved))
        return converted

    return read


def _wire_schema(schema: dict[str, Any]) -> Any:
    return fastavro.parse_schema(copy.deepcopy(_wire(schema)))


def _wire(part: Any) -> Any:
    if isinstance(part, list):
        return [_wire(item) for item in part]
    if isinstance(part, dict):
        return {key: _wire(value) for key, value in part.items() if key in _WIRE_KEYS}
    return part


def _converter(  # noqa: PLR0911 - one line a type
    kind: Any, known: dict[str, Convert | None]
) -> Convert | None:
    """Return what turns a decoded value into JSON's form; None when it has that form already."""
    if isinstance(kind, list):
        return _converter(kind[1], known)
    if isinstance(kind, str):
        return known.get(kind)
    if kind["type"] == "record":
        known[kind["name"]] = convert = _record(kind, known)
        return convert
    if kind["type"] == "array":
        item = _converter(kind["items"], known)
        return (lambda values: [item(value) for value in values]) if item else None
    if kind.get("logicalType") == "date":
        return _date
    if kind.get("logicalType") == "decimal":
        return _decimal(kind["scale"])
    return None


def _record(schema: dict[str, Any], known: dict[str, Convert | None]) -> Convert:
    converters = {
        field["name"]: convert
        for field in schema["fields"]
        if (convert := _converter(field["type"], known))
    }

    def convert_record(value: dict[str, Any]) -> dict[str, Any]:
        present = {name: item for name, item in value.items() if item is not None}
        for name, convert in converters.items():
            if name in present:
                present[name] = convert(present[name])
        return present

    return convert_record


def _date(days: int) -> str:
    return date.fromordinal(days + EPOCH).isoformat()


def _decimal(scale: int) -> Convert:
    unit = 10**scale

    def convert(value: bytes) -> str:
        unscaled = int.from_bytes(value, "big", signed=True)
        whole, rest = divmod(abs(unscaled), unit)
        return f"{'-' if unscaled < 0 else ''}{whole}.{rest:0{scale}}"

    return convert
