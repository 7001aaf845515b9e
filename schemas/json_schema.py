"""JSON Schema (2020-12, as OpenAPI 3.1 has it) of every event's data, made from the Avro records.

It says what a sender has to send, in the normal form. What JSON Schema cannot say stays with
`schemas/validation.py`: check digits, dates that follow one another, and what looks like a person's
number. Every schema is a component of its own: the event's record, and each record and code list
that it uses.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import orjson

from schemas import avsc
from schemas.catalogue import catalogue
from schemas.codelists import code_list
from schemas.formats import DEFAULT_LENGTH
from schemas.validation import MAX_ITEMS, clearable

if TYPE_CHECKING:
    from schemas.catalogue import EventType

Schema = dict[str, Any]

PREFIX: Final = "#/components/schemas/"
CHANGES: Final = "Changes"
"""Ends the name of a record of which only what changes is sent."""
UNKNOWN: Final = "UNKNOWN"
"""What old readers see in the place of a new code; never sent."""

_FORMATS: Final[dict[str, Schema]] = {
    "uuid": {"format": "uuid", "pattern": "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"},
    "urn": {"pattern": "^urn:(be:(kbo|ovo|vcode)|schakel:org):.+$", "maxLength": DEFAULT_LENGTH},
    "insz": {"pattern": "^[0-9]{11}$"},
    "month": {"pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"},
    "phone": {"pattern": "^[+0][0-9 ./()-]{7,24}$"},
    "nis": {"pattern": "^[1-9][0-9]{4}$"},
    "postcode": {"pattern": "^[1-9][0-9]{3}$"},
    "email": {"format": "email", "pattern": "^[^@ ]{1,64}@[^@ .]+(\\.[^@ .]+)+$"},
    "time": {"pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"},
    "participant": {"pattern": "^[a-z0-9-]{3,40}$"},
    "sha256": {"pattern": "^[0-9a-f]{64}$"},
    "programme": {"pattern": "^[a-z][a-z0-9_]{1,39}$"},
}
_DATE: Final[Schema] = {
    "type": "string",
    "format": "date",
    "pattern": "^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
}


@cache
def components() -> dict[str, Schema]:
    """Every schema by its component's name; each data schema shows the committed examples."""
    made: dict[str, Schema] = {}
    for event in catalogue().all():
        record = avsc.event_records()[event.record]
        record = {**record, "fields": record["fields"][1:]}
        schema = _record(record, made, partial=event.partial)
        if event.partial:
            schema["minProperties"] = 1
            schema["properties"]["cleared"] = _cleared(event, record)
        schema["title"] = event.label.en
        schema["examples"] = examples(event)
        made[event.record] = schema
    return made


def examples(event: EventType) -> list[Any]:
    """The committed examples of an event's data, the smallest first."""
    folder = files("schemas") / "examples" / event.name
    found = [orjson.loads(one.read_bytes()) for one in folder.iterdir()]
    return sorted(found, key=lambda data: len(orjson.dumps(data)))


def _record(record: Schema, made: dict[str, Schema], *, partial: bool) -> Schema:
    partial = partial or record.get("partial", False)
    fields = record["fields"]
    schema: Schema = {
        "type": "object",
        "description": record["doc"],
        "properties": {one["name"]: _field(one, made, partial=partial) for one in fields},
        "additionalProperties": False,
    }
    required = [one["name"] for one in fields if one.get("required") and not partial]
    if required:
        schema["required"] = required
    rules = [] if partial else [*_required_when(fields), *_exactly_one(record)]
    if rules:
        schema["allOf"] = rules
    return schema


def _field(field: Schema, made: dict[str, Schema], *, partial: bool) -> Schema:
    """One property; null says the same as leaving it out, so a required one is never null."""
    schema = _value(avsc.branch(field), field, made, partial=partial)
    if not field.get("required") or partial:
        schema = {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "description": field["doc"]}


def _value(kind: Any, field: Schema, made: dict[str, Schema], *, partial: bool) -> Schema:  # noqa: PLR0911 - one return a kind
    if kind == "boolean":
        return {"type": "boolean"}
    if kind in ("int", "long"):
        return _whole(field)
    if kind in ("float", "double"):
        return {"type": "number", **_bounds(field)}
    if kind == "string":
        return _text(field)
    if kind["type"] == "record":
        return _reference(kind, made, partial=partial)
    if kind["type"] == "enum":
        made.setdefault(kind["name"], _enum(kind))
        return {"$ref": PREFIX + kind["name"]}
    if kind["type"] == "array":
        return _array(kind, field, made, partial=partial)
    if kind["logicalType"] == "date":
        return dict(_DATE)
    if kind["logicalType"] == "decimal":
        return _decimal(kind["precision"], kind["scale"])
    return _text(field)


def _cleared(event: EventType, record: Schema) -> Schema:
    """The fields that lose their value, by their path."""
    (field,) = (one for one in record["fields"] if one["name"] == "cleared")
    items = {"type": "string", "enum": sorted(clearable(event))}
    paths = {"type": "array", "items": items, "minItems": 1, "maxItems": MAX_ITEMS}
    return {"anyOf": [paths, {"type": "null"}], "description": field["doc"]}


def _reference(kind: Schema, made: dict[str, Schema], *, partial: bool) -> Schema:
    name = kind["name"] + (CHANGES if partial and not kind.get("partial", False) else "")
    if name not in made:
        made[name] = _record(kind, made, partial=partial)
    return {"$ref": PREFIX + name}


def _enum(kind: Schema) -> Schema:
    codes = [one for one in kind["symbols"] if one != UNKNOWN]
    labels = code_list(kind["codelist"]).codes
    meanings = "; ".join(f"`{one}`: {labels[one].label.en}" for one in codes if one in labels)
    return {"type": "string", "enum": codes, "description": meanings}


def _array(kind: Schema, field: Schema, made: dict[str, Schema], *, partial: bool) -> Schema:
    items = _value(avsc.resolve(kind["items"]), field, made, partial=False)
    fewest = field.get("min_items", 1 if field.get("required") else 0)
    schema = {"type": "array", "items": items, "maxItems": MAX_ITEMS}
    return {**schema, "minItems": max(fewest, 1)} if fewest or partial else schema


def _whole(field: Schema) -> Schema:
    if "one_of" in field:
        return {"type": "integer", "enum": field["one_of"]}
    return {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1, **_bounds(field)}


def _bounds(field: Schema) -> Schema:
    return {name: field[name] for name in ("minimum", "maximum") if name in field}


def _decimal(precision: int, scale: int) -> Schema:
    digits = f"[0-9]{{1,{precision - scale}}}"
    return {"type": "string", "pattern": f"^{digits}(\\.[0-9]{{1,{scale}}})?$"}


def _text(field: Schema) -> Schema:
    if "codelist" in field:
        return {"type": "string", "enum": list(code_list(field["codelist"]).codes)}
    known = _FORMATS.get(field.get("format", ""))
    if known is not None:
        return {"type": "string", **known}
    # The hub takes spaces away at both ends first: what is only spaces is empty.
    longest = field.get("max_length", DEFAULT_LENGTH)
    return {"type": "string", "pattern": "\\S", "maxLength": longest}


def _required_when(fields: list[Schema]) -> list[Schema]:
    return [
        {
            "if": {"properties": {other: {"const": code}}, "required": [other]},
            "then": _has(field["name"]),
        }
        for field in fields
        for other, code in field.get("required_when", {}).items()
    ]


def _exactly_one(record: Schema) -> list[Schema]:
    names = record.get("exactly_one_of", ())
    return [{"oneOf": [_has(name) for name in names]}] if names else []


def _has(name: str) -> Schema:
    """That a property is there and not null."""
    return {"required": [name], "properties": {name: {"not": {"type": "null"}}}}
