"""Avro bodies and what is in them: the one module that others use to read and write them.

Data is plain JSON on our side of it and Avro on the other (`domain.md` §3.5, §3.10).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from schemas.catalogue import EventType, catalogue, published_schema
from schemas.facts import Fact, decode_fact, encode_fact
from schemas.framing import frame, undecodable, unframe
from schemas.guards import Guard, compile_guard
from schemas.hubrecords import (
    decode_main,
    decode_sealed,
    decode_staff,
    encode_main,
    encode_sealed,
    encode_staff,
)
from schemas.reading import Read, compile_reader
from schemas.sealed import RoutingHeader, SealedEvent, SealedMain, SealedPart, SealedStaff
from schemas.staff import merge_staff, split_staff
from schemas.validation import parse
from schemas.writing import Write, compile_writer

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Fact",
    "RoutingHeader",
    "SealedEvent",
    "SealedMain",
    "SealedPart",
    "SealedStaff",
    "decode",
    "decode_fact",
    "decode_main",
    "decode_record",
    "decode_sealed",
    "decode_staff",
    "decode_submitted",
    "encode",
    "encode_fact",
    "encode_main",
    "encode_record",
    "encode_sealed",
    "encode_staff",
    "frame",
    "merge_staff",
    "parse",
    "split_staff",
    "unframe",
]


def encode(event: EventType, data: Mapping[str, Any]) -> bytes:
    """Return the Avro body, without the wire format's prefix and with its header null.

    `data` has passed `parse`, or came from `decode`; anything else raises an unspecified error.
    """
    out = bytearray()
    _writer(event)(data, out)
    return bytes(out)


def decode(event: EventType, body: bytes) -> dict[str, Any]:
    """Return the plain JSON of a body that the hub wrote with the event's current schema.

    Absent fields are missing keys. For bytes of a partner there is `decode_submitted`.
    """
    return _reader(event)(body)


def encode_record(event: EventType, header: Mapping[str, Any], data: Mapping[str, Any]) -> bytes:
    """Return the framed typed record with its header, as partners read it from Kafka.

    `header` has the fields of EventHeader, times in microseconds, `withheld` as a list.
    """
    return frame(event.schema_id, encode(event, {**data, "header": header}))


def decode_record(framed: bytes) -> tuple[EventType, dict[str, Any], dict[str, Any]]:
    """Return event type, header and data of a record that the hub framed, of any schema version.

    Raises:
        UndecodableAvro: the five bytes are not there.
        UnknownEventType: the schema id belongs to no event.
    """
    schema_id, body = unframe(framed)
    event = catalogue().by_schema_id(schema_id)
    reader = _reader(event) if schema_id == event.schema_id else _resolving_reader(schema_id)
    data = reader(body)
    return event, data.pop("header", {}), data


def decode_submitted(framed: bytes) -> tuple[EventType, dict[str, Any]]:
    """Return the event type and plain JSON of a partner's bytes; trusts nothing of them.

    The body is walked within bounds before it is decoded, and has to be what we would write for
    the same data, byte for byte: no trailing bytes, no second spelling (`reliability.md` §2.6).
    The data still has to pass `parse`, as JSON data has.

    Raises:
        UndecodableAvro: whatever is wrong with the bytes (422).
        UnknownEventType: the schema id belongs to no event.
    """
    schema_id, body = unframe(framed)
    event = catalogue().by_schema_id(schema_id)
    guard, read, write = _untrusted(schema_id)
    guard(body)
    again = bytearray()
    try:
        data = read(body)
        write(data, again)
    except Exception as error:  # the decode border: hostile bytes raise anything
        raise undecodable() from error
    if again != body or "header" in data:
        raise undecodable()
    return event, data


@cache
def _writer(event: EventType) -> Write:
    return compile_writer(event.schema)


@cache
def _reader(event: EventType) -> Read:
    return compile_reader(event.schema)


@cache
def _resolving_reader(schema_id: int) -> Read:
    return compile_reader(published_schema(schema_id), catalogue().by_schema_id(schema_id).schema)


@cache
def _untrusted(schema_id: int) -> tuple[Guard, Read, Write]:
    schema = published_schema(schema_id)
    return compile_guard(schema), compile_reader(schema), compile_writer(schema)
