"""The wire format before every Avro body, in HTTP and in Kafka alike: a zero and the schema id."""

from __future__ import annotations

from typing import Final

from schemas.errors import Message, UndecodableAvro

PREFIX: Final = 5


def frame(schema_id: int, body: bytes) -> bytes:
    """Return the body behind the five bytes."""
    return b"\0" + schema_id.to_bytes(4, "big") + body


def unframe(framed: bytes) -> tuple[int, bytes]:
    """Return the schema id and the body.

    Raises:
        UndecodableAvro: the five bytes are not there.
    """
    if len(framed) < PREFIX or framed[0] != 0:
        raise undecodable()
    return int.from_bytes(framed[1:PREFIX], "big"), framed[PREFIX:]


def undecodable() -> UndecodableAvro:
    """Return the error for bytes that are not what their schema id says."""
    return UndecodableAvro(
        Message(
            nl="De Avro-inhoud is niet wat het schema dat hij noemt zou schrijven.",
            en="The Avro body is not what the schema that it names would write.",
        )
    )
