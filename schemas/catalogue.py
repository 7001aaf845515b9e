"""The event catalogue: every event type with its schema, its id and who may read each field.

Read from `avro/` and `ids.yaml`; the `.avsc` files are the source of truth (`domain.md` §3.3-3.5).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import orjson
import yaml

from schemas import avsc
from schemas.errors import Message, UnknownEventType
from schemas.fingerprint import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator

IN_TEAM: Final = "in_team"
"""Relation of who handles another referral of the case: it sees what the team sees, no more."""
TEAM: Final = frozenset({"referrer", "target", "handler", "organiser", "case_holder", IN_TEAM})
CASE_TEAM: Final = frozenset(
    {"target", "handler", "organiser", "case_holder"} | {f"referrer:{role}" for role in "VOWST"}
)
"""The team without a local partner that referred: it sees no host, mentor, hours or goals."""

_ALIASES: Final = {"team": TEAM, "case_team": CASE_TEAM}
STAFF: Final = "staff_contact"


@dataclass(frozen=True, slots=True)
class Field:
    """One leaf of an event's data.

    Attributes:
        path: dotted, items of an array of records as `assignments[].mentor.phone`; an array of
            plain values is itself the leaf.
        type: string, int, date, decimal(5,2), enum:Programme, array<enum:Daypart> and so on.
        required: asked of the sender, when the record around it is there.
        sensitivity: S0 public to S4 restricted (`domain.md` §3.3).
        fieldset: what an agreement grants; exactly one.
        audience: `all`, role letters, relations, `relation:ROLE`; `team` is already expanded.
        text_kind: for text that people choose: note, public, name or reference (`free_text.py`).
    """

    path: str
    type: str
    required: bool
    sensitivity: str
    fieldset: str
    audience: frozenset[str]
    format: str | None
    doc: str
    art9_inferable: bool = False
    text_kind: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class EventType:
    """One event type. Equal only to itself: the catalogue holds one of each.

    Attributes:
        schema: self-contained Avro schema; treat as read-only.
        partial: only changed fields are sent, with `cleared` for those that lost their value.
        personal: about a person, so sealed at rest.
        hub_only: no participant may send it.
    """

    name: str
    record: str
    label: Message
    doc: str
    aggregate_type: str
    schema: dict[str, Any]
    schema_id: int
    version: int
    fields: tuple[Field, ...]
    personal: bool
    topic: str
    scope: str
    hub_only: bool
    partial: bool


@dataclass(frozen=True, slots=True)
class SchemaId:
    """One line of `ids.yaml`: an id that was given out once and never changes its meaning."""

    id: int
    record: str
    fingerprint: str


class Catalogue:
    """All event types, by name and by schema id."""

    def __init__(self, events: tuple[EventType, ...], ids: tuple[SchemaId, ...]) -> None:
        self._events = events
        self._by_name = {event.name: event for event in events}
        by_record = {event.record: event for event in events}
        self._by_id = {line.id: by_record[line.record] for line in ids if line.record in by_record}
        self.names: tuple[str, ...] = tuple(self._by_name)

    def event(self, name: str) -> EventType:
        """Return the event type `referral.created`.

        Raises:
            UnknownEventType: no event has this name.
        """
        try:
            return self._by_name[name]
        except KeyError:
            raise _unknown() from None

    def by_schema_id(self, schema_id: int) -> EventType:
        """Return the event type that a body with this schema id holds, of any version.

        Raises:
            UnknownEventType: the id was never given out, or to no event.
        """
        try:
            return self._by_id[schema_id]
        except KeyError:
            raise _unknown() from None

    def all(self) -> tuple[EventType, ...]:
        """Return every event type, by name."""
        return self._events


def _unknown() -> UnknownEventType:
    return UnknownEventType(
        Message(
            nl="Dit gebeurtenistype bestaat niet; `schakel schemas list` toont ze alle.",
            en="There is no such event type; `schakel schemas list` shows them all.",
        )
    )


@cache
def schema_ids() -> tuple[SchemaId, ...]:
    """Return the lines of `ids.yaml`, oldest first."""
    lines = yaml.safe_load((files("schemas") / "ids.yaml").read_text(encoding="utf-8")) or []
    return tuple(SchemaId(line["id"], line["record"], line["fingerprint"]) for line in lines)


@cache
def published_schema(schema_id: int) -> dict[str, Any]:
    """Return the schema behind an id as it was when the id was given out.

    Raises:
        KeyError: the id was never given out.
    """
    entry = avsc.AVRO / "published" / f"{schema_id:04d}.avsc"
    if not entry.is_file():
        raise KeyError(schema_id)
    schema: dict[str, Any] = orjson.loads(entry.read_bytes())
    return schema


@cache
def hub_record(name: str) -> tuple[dict[str, Any], int]:
    """Return the schema and the schema id of a record of the hub, such as SealedEvent.

    Raises:
        KeyError: no such record, or `ids.yaml` has no id for its schema.
    """
    schema = avsc.expand(name)
    return schema, _id_of(name, schema)


def _id_of(record: str, schema: dict[str, Any]) -> int:
    wanted = fingerprint(schema)
    for line in reversed(schema_ids()):
        if line.record == record and line.fingerprint == wanted:
            return line.id
    raise KeyError(f"{record} has no id in ids.yaml: run `schakel schemas publish`")


@cache
def catalogue() -> Catalogue:
    """Return the catalogue; reads the files once a process.

    Raises:
        KeyError: a schema names an unknown type or has no id.
    """
    events = tuple(_event(schema) for schema in avsc.event_records().values())
    return Catalogue(tuple(sorted(events, key=lambda event: event.name)), schema_ids())


def _event(schema: dict[str, Any]) -> EventType:
    expanded = avsc.expand(schema)
    partial = schema.get("partial", False)
    return EventType(
        name=schema["event"],
        record=schema["name"],
        label=Message(**schema["label"]),
        doc=schema["doc"],
        aggregate_type=schema["aggregate"],
        schema=expanded,
        schema_id=_id_of(schema["name"], expanded),
        version=schema["version"],
        fields=tuple(_leaves(schema["fields"][1:], "", partial=partial)),
        personal=schema["personal"],
        topic=schema["topic"],
        scope=schema["scope"],
        hub_only=schema["hub_only"],
        partial=partial,
    )


def _leaves(fields: list[dict[str, Any]], prefix: str, *, partial: bool) -> Iterator[Field]:
    for field in fields:
        kind = avsc.branch(field)
        path = prefix + field["name"]
        if isinstance(kind, dict) and kind["type"] == "record":
            nested = partial or kind.get("partial", False)
            yield from _leaves(kind["fields"], f"{path}.", partial=nested)
            continue
        if isinstance(kind, dict) and kind["type"] == "array":
            items = avsc.resolve(kind["items"])
            if isinstance(items, dict) and items["type"] == "record":
                # Arrays are replaced whole, so what is in them is complete also in a correction.
                yield from _leaves(items["fields"], f"{path}[].", partial=False)
                continue
        yield _leaf(field, path, kind, partial=partial)


def _leaf(field: dict[str, Any], path: str, kind: Any, *, partial: bool) -> Field:
    return Field(
        path=path,
        type=type_name(kind),
        required=field.get("required", False) and not partial,
        sensitivity=field["sensitivity"],
        fieldset=field["fieldset"],
        audience=frozenset[str]().union(
            *(_ALIASES.get(entry, frozenset({entry})) for entry in field["audience"])
        ),
        format=field.get("format"),
        doc=field["doc"],
        art9_inferable=field.get("art9_inferable", False),
        text_kind=field.get("text_kind"),
    )


def type_name(kind: Any) -> str:
    """Return the short name of a leaf's type, as `Field.type` has it."""
    kind = avsc.resolve(kind)
    if isinstance(kind, str):
        return kind
    if kind["type"] == "array":
        return f"array<{type_name(kind['items'])}>"
    if kind["type"] == "enum":
        return f"enum:{kind['name']}"
    logical = kind.get("logicalType")
    if logical == "decimal":
        return f"decimal({kind['precision']},{kind['scale']})"
    return str(logical or kind["type"])
