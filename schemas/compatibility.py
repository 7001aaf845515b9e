"""FULL_TRANSITIVE compatibility: every reader reads every writer, older or newer, of one record.

The only importer of avro, whose checker knows Avro's rules of resolution. It does not look at
logical types, so a date that becomes a number would pass; that is checked here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import orjson
from avro import compatibility as avro_compatibility
from avro import errors as avro_errors
from avro import schema as avro_schema

from schemas.catalogue import published_schema, schema_ids
from schemas.errors import InvalidSchema, Message
from schemas.fingerprint import essence, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Incompatibility", "check", "check_published", "fingerprint"]

Direction = Literal["backward", "forward"]

_MEANING: Final = ("logicalType", "precision", "scale")


@dataclass(frozen=True, slots=True)
class Incompatibility:
    """One way in which two schemas of a record cannot read each other.

    Attributes:
        against: position of the old schema among those given, or its id in `ids.yaml`.
        direction: backward = the new schema reads what the old one wrote; forward = the reverse.
        location: path inside the schema.
    """

    record: str
    against: int
    direction: Direction
    location: str
    message: str


def check(new: dict[str, Any], olds: Sequence[dict[str, Any]]) -> list[Incompatibility]:
    """Return every incompatibility of a self-contained schema with all earlier ones; none is [].

    Raises:
        InvalidSchema: the new one is no record schema.
    """
    return [problem for index, old in enumerate(olds) for problem in _pair(new, old, index)]


def check_published(record: str, schema: dict[str, Any]) -> list[Incompatibility]:
    """Return every incompatibility of a record's schema with all that were ever published."""
    found: list[Incompatibility] = []
    for line in schema_ids():
        if line.record == record and line.fingerprint != fingerprint(schema):
            found.extend(_pair(schema, published_schema(line.id), line.id))
    return found


def _pair(new: dict[str, Any], old: dict[str, Any], against: int) -> Iterator[Incompatibility]:
    record = str(new.get("name"))
    written = _parsed(new)
    known = _parsed(old)
    directions: tuple[tuple[Direction, Any, Any], ...] = (
        ("backward", written, known),
        ("forward", known, written),
    )
    for direction, reader, writer in directions:
        result = _resolved(reader, writer)
        if result.compatibility is not avro_compatibility.SchemaCompatibilityType.compatible:
            for location, message in zip(
                sorted(result.locations) or ["/"], sorted(result.messages) or [""], strict=False
            ):
                yield Incompatibility(record, against, direction, location, message)
    for location, message in _logical(essence(new), essence(old), ""):
        yield Incompatibility(record, against, "backward", location, message)


def _resolved(reader: Any, writer: Any) -> Any:
    """What avro finds; raises InvalidSchema for a type that stands in no data, such as error."""
    checker: Any = avro_compatibility.ReaderWriterCompatibilityChecker
    try:
        return checker().get_compatibility(reader, writer)
    except avro_errors.AvroException as error:
        raise _no_record_schema() from error


def _parsed(schema: dict[str, Any]) -> Any:
    try:
        if schema.get("type") != "record":
            raise avro_errors.SchemaParseException("no record")
        return avro_schema.parse(orjson.dumps(_on_the_wire(essence(schema))).decode())
    except (avro_errors.AvroException, TypeError, AttributeError, KeyError, ValueError) as error:
        # The parser takes the parts of a schema for what they should be.
        raise _no_record_schema() from error


def _on_the_wire(schema: Any) -> Any:
    """An essence without logical types: avro warns of strange ones in the sender's words."""
    if isinstance(schema, list):
        return [_on_the_wire(part) for part in schema]
    if isinstance(schema, dict):
        return {
            key: value if key == "default" else _on_the_wire(value)
            for key, value in schema.items()
            if key not in _MEANING
        }
    return schema


def _no_record_schema() -> InvalidSchema:
    return InvalidSchema(
        Message(
            nl="Stuur een Avro-schema van het type record, met alle types erin.",
            en="Send an Avro schema of type record, with all its types inside.",
        )
    )


def _logical(new: Any, old: Any, path: str) -> Iterator[tuple[str, str]]:
    """Walk both schemas along fields of the same name and compare the logical types.

    The parser has looked at `fields` of records only; beside another type they may be anything.
    """
    if isinstance(new, list) and isinstance(old, list):
        for new_branch, old_branch in zip(new, old, strict=False):
            yield from _logical(new_branch, old_branch, path)
        return
    meanings = [_meaning(new), _meaning(old)]
    if meanings[0] != meanings[1]:
        yield path, f"logical type was {meanings[1]} and is {meanings[0]}"
    if not (isinstance(new, dict) and isinstance(old, dict)):
        return
    if "items" in new and "items" in old:
        yield from _logical(new["items"], old["items"], f"{path}/items")
    if not new.get("type") == old.get("type") == "record":
        return
    before = {field["name"]: field for field in old["fields"]}
    for field in new["fields"]:
        if field["name"] in before:
            kept = before[field["name"]]
            yield from _logical(field["type"], kept["type"], f"{path}/{field['name']}")


def _meaning(kind: Any) -> tuple[Any, ...]:
    if not isinstance(kind, dict):
        return (None, None, None)
    return tuple(kind.get(key) for key in _MEANING)
