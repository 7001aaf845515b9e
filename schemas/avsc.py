"""Read the `.avsc` files and make them self-contained.

A file under `avro/types/` holds one named type, a file under `avro/events/` one event record.
Files name the types they use; a reader of Avro wants each type defined at its first use.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Final

import orjson

NAMESPACE: Final = "be.schakel.activation.v1"
AVRO: Final = files("schemas") / "avro"

Schema = dict[str, Any]

PRIMITIVES: Final = frozenset(
    {"null", "boolean", "int", "long", "float", "double", "bytes", "string"}
)


def _folder(name: str) -> dict[str, Schema]:
    found = [entry for entry in (AVRO / name).iterdir() if entry.name.endswith(".avsc")]
    schemas = [orjson.loads(entry.read_bytes()) for entry in sorted(found, key=lambda e: e.name)]
    return {schema["name"]: schema for schema in schemas}


@cache
def named_types() -> dict[str, Schema]:
    """Return every named type by its name, as written in its file."""
    return _folder("types")


@cache
def event_records() -> dict[str, Schema]:
    """Return every event record by its record name, as written in its file."""
    return _folder("events")


def expand(schema: Any, seen: set[str] | None = None) -> Any:
    """Return `schema` with each named type defined once, where it is first used.

    Raises:
        KeyError: a type is named that no file defines.
    """
    seen = set() if seen is None else seen
    if isinstance(schema, str):
        if schema in PRIMITIVES or schema in seen:
            return schema
        return expand(named_types()[schema], seen)
    if isinstance(schema, list):
        return [expand(branch, seen) for branch in schema]
    if "name" in schema and schema["type"] in ("record", "enum", "fixed"):
        seen.add(schema["name"])
    expanded = dict(schema)
    if schema["type"] == "record":
        expanded["fields"] = [
            {**field, "type": expand(field["type"], seen)} for field in schema["fields"]
        ]
    elif schema["type"] == "array":
        expanded["items"] = expand(schema["items"], seen)
    elif schema["type"] == "map":
        expanded["values"] = expand(schema["values"], seen)
    return expanded


def resolve(schema: Any) -> Any:
    """Return the definition behind a type name; anything else unchanged."""
    if isinstance(schema, str) and schema not in PRIMITIVES:
        return named_types()[schema]
    return schema


def branch(field: Schema) -> Any:
    """Return the type of a nullable field without its null, resolved."""
    kind = field["type"]
    return resolve(kind[1] if isinstance(kind, list) else kind)
