"""Write and read the records of the hub itself: sealed events and their parts, facts."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import asdict

from schemas import avsc
from schemas.catalogue import hub_record, published_schema
from schemas.framing import frame, undecodable, unframe
from schemas.reading import Read, compile_reader
from schemas.sealed import RoutingHeader, SealedEvent, SealedMain, SealedPart, SealedStaff
from schemas.writing import Write, compile_writer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ROUTING: Final = RoutingHeader.__struct_fields__


def encode_sealed(routing: Mapping[str, Any], parts: Iterable[SealedPart]) -> bytes:
    """Return the framed record for the ledger and the log.

    `routing` has the fields of RoutingHeader.
    """
    return encode_framed(
        "SealedEvent", {"routing": routing, "parts": [asdict(part) for part in parts]}
    )


def decode_sealed(framed: bytes) -> SealedEvent:
    """Return a sealed event that the hub wrote.

    Raises:
        UndecodableAvro: it is framed with a schema id that is no sealed event's.
    """
    value = decode_framed("SealedEvent", framed)
    routing = value["routing"]
    return SealedEvent(
        RoutingHeader(**{name: routing.get(name) for name in _ROUTING}),
        tuple(SealedPart(**part) for part in value["parts"]),
    )


def encode_main(main: SealedMain) -> bytes:
    """Return the clear text of the part main, unframed."""
    value = {
        "actor_ref": main.actor_ref,
        "source_record_id": main.source_record_id,
        "salt": main.salt,
        "body": main.body,
    }
    return _written(_part_writer("SealedMain"), value)


def decode_main(clear: bytes) -> SealedMain:
    """Return the part main from its clear text."""
    value = _part_reader("SealedMain")(clear)
    return SealedMain(
        value.get("actor_ref"), value.get("source_record_id"), value["salt"], value["body"]
    )


def encode_staff(staff: SealedStaff) -> bytes:
    """Return the clear text of the part staff, unframed."""
    return _written(_part_writer("SealedStaff"), {"fields": staff.fields})


def decode_staff(clear: bytes) -> SealedStaff:
    """Return the part staff from its clear text."""
    return SealedStaff(**_part_reader("SealedStaff")(clear))


def _written(write: Write, value: Mapping[str, Any]) -> bytes:
    out = bytearray()
    write(value, out)
    return bytes(out)


def encode_framed(name: str, value: Mapping[str, Any]) -> bytes:
    """Return a framed record of the hub from a value of its fields."""
    write, schema_id = _framed_writer(name)
    return frame(schema_id, _written(write, value))


def decode_framed(name: str, framed: bytes) -> dict[str, Any]:
    """Return the fields of a framed record of the hub, of any version; null is absent.

    Raises:
        UndecodableAvro: it is framed with a schema id of another record.
    """
    schema_id, body = unframe(framed)
    return _framed_reader(name, schema_id)(body)


@cache
def _framed_writer(name: str) -> tuple[Write, int]:
    schema, schema_id = hub_record(name)
    return compile_writer(schema), schema_id


@cache
def _framed_reader(name: str, schema_id: int) -> Read:
    schema, current = hub_record(name)
    if schema_id == current:
        return compile_reader(schema)
    try:
        written = published_schema(schema_id)
    except KeyError as error:
        raise undecodable() from error
    if written["name"] != name:
        raise undecodable()
    return compile_reader(written, schema)


@cache
def _part_writer(name: str) -> Write:
    return compile_writer(avsc.expand(name))


@cache
def _part_reader(name: str) -> Read:
    return compile_reader(avsc.expand(name))
