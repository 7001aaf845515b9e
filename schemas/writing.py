"""Write Avro from plain JSON, compiled once per schema: the hot path's encoder.

fastavro tries the branches of a union by validating the value against each; every field of ours is
a union, so it spends most of its time there. Ours are all ["null", T]: present or not is all there
is to know, and dates and decimals go from their JSON form straight to bytes.
The form is canonical: smallest varints, one block a list. Tests hold it equal to fastavro's.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Any, Final

Write = Callable[[Any, bytearray], None]

EPOCH: Final = date(1970, 1, 1).toordinal()
_BLOCK_END: Final = 0


@lru_cache(maxsize=10_000)
def varint(value: int) -> bytes:
    """Return a zig-zag varint, the form of every int, long and length.

    Remembered: the events of one commit share their times.
    """
    rest = value << 1 ^ value >> 63
    out = bytearray()
    while rest > 0x7F:  # noqa: PLR2004 - seven bits a byte
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


_SMALL: Final = tuple(varint(n) for n in range(1 << 15))
"""The varints of lengths, counts and days: all but times and identifiers."""
_PRESENT_SIZED: Final = tuple(b"\x02" + size for size in _SMALL[:1024])
"""Second branch of a union and a length, in one: what begins nearly every text."""


def compile_writer(schema: dict[str, Any]) -> Write:
    """Return the writer of a self-contained record schema.

    Raises (the writer): KeyError for a code that the enum does not have, TypeError, ValueError or
    AttributeError for a value of another type: data has to have passed `parse`.
    """
    return _value(schema, {})


def write_string(value: str, out: bytearray) -> None:
    """Append a string."""
    write_bytes(value.encode(), out)


def write_bytes(value: bytes, out: bytearray) -> None:
    """Append bytes."""
    size = len(value)
    out += _SMALL[size] if size < len(_SMALL) else varint(size)
    out += value


def write_long(value: int, out: bytearray) -> None:
    """Append an int or a long."""
    out += _SMALL[value] if 0 <= value < len(_SMALL) else varint(value)


def _date(value: str, out: bytearray) -> None:
    write_long(date.fromisoformat(value).toordinal() - EPOCH, out)


def _boolean(value: bool, out: bytearray) -> None:  # noqa: FBT001 - a writer takes its value
    out.append(1 if value else 0)


def _double(value: float, out: bytearray) -> None:
    out += struct.pack("<d", value)


def _decimal(scale: int) -> Write:
    def write(value: str, out: bytearray) -> None:
        units, _, decimals = value.partition(".")
        unscaled = int(units + decimals.ljust(scale, "0"))
        write_bytes(unscaled.to_bytes((unscaled.bit_length() + 8) // 8, "big", signed=True), out)

    return write


def _enum(symbols: list[str]) -> Write:
    index = {symbol: varint(number) for number, symbol in enumerate(symbols)}

    def write(value: str, out: bytearray) -> None:
        out += index[value]

    return write


def _array(write_item: Write) -> Write:
    def write(value: list[Any], out: bytearray) -> None:
        if value:
            write_long(len(value), out)
            for item in value:
                write_item(item, out)
        out.append(_BLOCK_END)

    return write


def _map(write_item: Write) -> Write:
    def write(value: dict[str, Any], out: bytearray) -> None:
        if value:
            write_long(len(value), out)
            for key, item in value.items():
                write_string(key, out)
                write_item(item, out)
        out.append(_BLOCK_END)

    return write


def _record(schema: dict[str, Any], known: dict[str, Write]) -> Write:
    fields: list[tuple[str, bool, Write]] = []

    def write(value: dict[str, Any], out: bytearray) -> None:
        get = value.get
        append = out.append
        for name, is_nullable, write_field in fields:
            item = get(name)
            if not is_nullable:
                write_field(item, out)
            elif item is None:
                append(0)
            elif write_field is write_string and len(text := item.encode()) < len(_PRESENT_SIZED):
                # Most fields are such texts; a call each would double what a record costs.
                out += _PRESENT_SIZED[len(text)]
                out += text
            else:
                append(2)
                write_field(item, out)

    known[schema["name"]] = write
    for field in schema["fields"]:
        kind = field["type"]
        is_nullable = isinstance(kind, list)
        inner = kind[1] if is_nullable else kind
        fields.append((field["name"], is_nullable, _value(inner, known)))
    return write


_PRIMITIVES: Final[dict[str, Write]] = {
    "string": write_string,
    "bytes": write_bytes,
    "int": write_long,
    "long": write_long,
    "boolean": _boolean,
    "double": _double,
}


def _value(kind: Any, known: dict[str, Write]) -> Write:  # noqa: PLR0911 - one line a type
    if isinstance(kind, str):
        return _PRIMITIVES.get(kind) or known[kind]
    if kind["type"] == "record":
        return _record(kind, known)
    if kind["type"] == "enum":
        known[kind["name"]] = _enum(kind["symbols"])
        return known[kind["name"]]
    if kind["type"] == "array":
        return _array(_value(kind["items"], known))
    if kind["type"] == "map":
        return _map(_value(kind["values"], known))
    logical = kind.get("logicalType")
    if logical == "decimal":
        return _decimal(kind["scale"])
    return _date if logical == "date" else _PRIMITIVES[kind["type"]]
