"""Bounds on a partner's Avro bytes, checked before anything is built from them.

Measured inputs and what they do to a decoder are in `reliability.md` §2.6: lists of 2^24 items in
five bytes, decimals of 200 KB, numbers past their type. The walk reads lengths only and stops at
the first that is out of bounds. A schema that would let a few bytes mean much is refused itself.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Any, Final

from schemas.errors import Message, UndecodableAvro

MAX_BODY: Final = 1 << 20
MAX_ITEMS: Final = 10_000
"""Items of all lists of one body together."""
MAX_DEPTH: Final = 16
"""Records, lists and maps inside each other, in a schema."""

_INT_BITS: Final = 32
_LONG_BITS: Final = 64
_MOST_VARINT_BYTES: Final = 10
_ZERO_WIDTH: Final = frozenset({"null"})

Walk = Callable[[bytes, int, list[int]], int]
"""Body, position, items left (a list of one); gives the position after the value."""
Guard = Callable[[bytes], None]


class UnsafeSchemaError(ValueError):
    """The schema is recursive, has items without width, or nests too deep."""


class _OutOfBoundsError(Exception):
    """The bytes leave the bounds; becomes UndecodableAvro where the walk was started."""


def check_schema(schema: dict[str, Any]) -> None:
    """Refuse a self-contained schema that no bound on bytes makes safe.

    Raises:
        UnsafeSchemaError: it is recursive, a list's items may have no width, or it nests deeper
            than 16.
    """
    _safe(schema, (), {}, 0)


def compile_guard(schema: dict[str, Any]) -> Guard:
    """Return the check of bodies of a self-contained record schema.

    Raises (the guard): UndecodableAvro when the body leaves the bounds or does not end with the
    record. Raises itself UnsafeSchemaError, as `check_schema`.
    """
    check_schema(schema)
    walk = _walk(schema, {})

    def guard(body: bytes) -> None:
        if len(body) > MAX_BODY:
            raise _refused()
        try:
            end = walk(body, 0, [MAX_ITEMS])
        except (_OutOfBoundsError, IndexError) as error:
            raise _refused() from error
        if end != len(body):
            raise _refused()

    return guard


def _refused() -> UndecodableAvro:
    return UndecodableAvro(
        Message(
            nl="De Avro-inhoud past niet bij het schema dat hij noemt, of is te groot.",
            en="The Avro body does not fit the schema that it names, or is too large.",
        )
    )


def _safe(kind: Any, inside: tuple[str, ...], known: dict[str, int], depth: int) -> int:
    """Return the fewest bytes that a value of the type takes."""
    if depth > MAX_DEPTH:
        raise UnsafeSchemaError(f"nests deeper than {MAX_DEPTH}")
    if isinstance(kind, list):
        return 1 + min(_safe(branch, inside, known, depth) for branch in kind)
    if isinstance(kind, str):
        if kind in inside:
            raise UnsafeSchemaError(f"{kind} holds itself")
        return known.get(kind, 0 if kind in _ZERO_WIDTH else 1)
    if kind["type"] == "record":
        inner = (*inside, kind["name"])
        width = sum(_safe(field["type"], inner, known, depth + 1) for field in kind["fields"])
        known[kind["name"]] = width
        return width
    if kind["type"] in ("array", "map"):
        items = kind["items"] if kind["type"] == "array" else kind["values"]
        if _safe(items, inside, known, depth + 1) == 0 and kind["type"] == "array":
            raise UnsafeSchemaError("a list's items have no width")
        return 1
    if kind["type"] == "fixed":
        return int(kind["size"])
    return 1 if kind["type"] == "enum" else _safe(kind["type"], inside, known, depth)


def _varint(body: bytes, at: int, bits: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit
            break
        shift += 7
        if shift >= 7 * _MOST_VARINT_BYTES:
            raise _OutOfBoundsError
    if value >> bits:
        raise _OutOfBoundsError
    return (value >> 1) ^ -(value & 1), at


def _long(body: bytes, at: int, _left: list[int]) -> int:
    return _varint(body, at, _LONG_BITS)[1]


def _int(body: bytes, at: int, _left: list[int]) -> int:
    return _varint(body, at, _INT_BITS)[1]


def _boolean(body: bytes, at: int, _left: list[int]) -> int:
    if body[at] > 1:
        raise _OutOfBoundsError
    return at + 1


def _double(body: bytes, at: int, _left: list[int]) -> int:
    if at + 8 > len(body) or not math.isfinite(struct.unpack_from("<d", body, at)[0]):
        raise _OutOfBoundsError
    return at + 8


def _sized(most: int) -> Walk:
    def walk(body: bytes, at: int, _left: list[int]) -> int:
        size, at = _varint(body, at, _LONG_BITS)
        if not 0 <= size <= most or at + size > len(body):
            raise _OutOfBoundsError
        return at + size

    return walk


def _index(count: int) -> Callable[[bytes, int], tuple[int, int]]:
    def read(body: bytes, at: int) -> tuple[int, int]:
        index, at = _varint(body, at, _INT_BITS)
        if not 0 <= index < count:
            raise _OutOfBoundsError
        return index, at

    return read


def _enum(count: int) -> Walk:
    read = _index(count)
    return lambda body, at, _left: read(body, at)[1]


def _union(branches: list[Walk | None]) -> Walk:
    read = _index(len(branches))

    def walk(body: bytes, at: int, left: list[int]) -> int:
        index, at = read(body, at)
        branch = branches[index]
        return branch(body, at, left) if branch else at

    return walk


def _blocks(walk_item: Walk) -> Walk:
    """One block, as we write it: no byte sizes, no second block."""

    def walk(body: bytes, at: int, left: list[int]) -> int:
        count, at = _varint(body, at, _LONG_BITS)
        if count == 0:
            return at
        if not 0 < count <= left[0]:
            raise _OutOfBoundsError
        left[0] -= count
        for _ in range(count):
            at = walk_item(body, at, left)
        if body[at] != 0:
            raise _OutOfBoundsError
        return at + 1

    return walk


def _record(schema: dict[str, Any], known: dict[str, Walk]) -> Walk:
    walks = [_walk(field["type"], known) for field in schema["fields"]]

    def walk(body: bytes, at: int, left: list[int]) -> int:
        for walk_field in walks:
            at = walk_field(body, at, left)
        return at

    known[schema["name"]] = walk
    return walk


_PRIMITIVES: Final[dict[str, Walk]] = {
    "string": _sized(MAX_BODY),
    "bytes": _sized(MAX_BODY),
    "int": _int,
    "long": _long,
    "boolean": _boolean,
    "double": _double,
}


def _walk(kind: Any, known: dict[str, Walk]) -> Walk:  # noqa: PLR0911 - one line a type
    if isinstance(kind, list):
        return _union([None if branch == "null" else _walk(branch, known) for branch in kind])
    if isinstance(kind, str):
        return _PRIMITIVES.get(kind) or known[kind]
    if kind["type"] == "record":
        return _record(kind, known)
    if kind["type"] == "enum":
        known[kind["name"]] = _enum(len(kind["symbols"]))
        return known[kind["name"]]
    if kind["type"] == "array":
        return _blocks(_walk(kind["items"], known))
    if kind.get("logicalType") == "decimal":
        # A number of p digits needs at most p/2.4 bytes; a longer one is quadratic to read.
        return _sized(kind["precision"] // 2 + 1)
    return _PRIMITIVES[kind["type"]]
