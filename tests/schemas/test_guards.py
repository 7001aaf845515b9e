"""Hostile Avro: every input that was measured to hurt is refused before it is decoded."""

import struct
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import codec
from schemas.catalogue import catalogue
from schemas.errors import UndecodableAvro
from schemas.guards import (
    MAX_BODY,
    MAX_DEPTH,
    MAX_ITEMS,
    UnsafeSchemaError,
    check_schema,
    compile_guard,
)
from schemas.writing import varint

CREATED = catalogue().event("referral.created")
HOURS = catalogue().event("placement.hours_reported")
NULLS = len(CREATED.schema["fields"])


def submit(body: bytes, event: Any = CREATED) -> None:
    """Hand in a body as a partner would."""
    codec.decode_submitted(codec.frame(event.schema_id, body))


def record(*fields: Any, name: str = "R") -> dict[str, Any]:
    """Give a record schema with fields a, b, c and so on."""
    return {
        "type": "record",
        "name": name,
        "fields": [
            {"name": letter, "type": kind} for letter, kind in zip("abcdefgh", fields, strict=False)
        ],
    }


def refused(schema: dict[str, Any], body: bytes) -> None:
    """Expect the guard of a schema to refuse a body."""
    with pytest.raises(UndecodableAvro):
        compile_guard(schema)(body)


def test_smallest_body_passes() -> None:
    """All fields null: that is one byte a field."""
    submit(b"\0" * NULLS)


def test_trailing_bytes_are_refused() -> None:
    """Every byte of a body says something."""
    for trailing in (b"\0", b"\0" * 1000):
        with pytest.raises(UndecodableAvro):
            submit(b"\0" * NULLS + trailing)


def test_short_body_is_refused_at_every_length() -> None:
    """A body that was cut anywhere is no body."""
    body = codec.encode(HOURS, {"period": "2026-03", "hours": "42.50", "cheques": 43})
    submit(body, HOURS)
    for length in range(len(body)):
        with pytest.raises(UndecodableAvro):
            submit(body[:length], HOURS)


def test_list_bomb_costs_nothing() -> None:
    """A count of 2^24 in five bytes is refused by the guard, before anything is made of it."""
    # header, programme: null; reason_codes: a block of 2^24 codes.
    bomb = b"\0\0\2" + varint(1 << 24)
    tracemalloc.start()
    refused(CREATED.schema, bomb + b"\2" * 100)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 20


@pytest.mark.parametrize("count", [-1, -(1 << 30), MAX_ITEMS + 1, 1 << 62])
def test_counts_out_of_bounds_are_refused(count: int) -> None:
    """Negative blocks carry a size, which we never write; large ones are bombs."""
    refused(record({"type": "array", "items": "int"}), varint(count) + b"\2" * 50 + b"\0")


def test_items_are_bounded_over_all_lists() -> None:
    """Many lists together are as bounded as one."""
    inner = {"type": "array", "items": "int"}
    schema = record({"type": "array", "items": inner})
    row = varint(500) + b"\2" * 500 + b"\0"
    compile_guard(schema)(varint(10) + row * 10 + b"\0")
    refused(schema, varint(20) + row * 20 + b"\0")


def test_second_block_is_refused() -> None:
    """One list has one spelling."""
    schema = record({"type": "array", "items": "int"})
    compile_guard(schema)(b"\4\2\2\0")
    refused(schema, b"\2\2\2\2\0")


@pytest.mark.parametrize("index", [-1, 2, 1 << 31, -(1 << 31)])
def test_union_index_out_of_range_is_refused(index: int) -> None:
    """Unchecked, -1 is read as the last branch."""
    with pytest.raises(UndecodableAvro):
        submit(varint(index) + b"\0" * NULLS)


@pytest.mark.parametrize("index", [-1, 1000, 1 << 40])
def test_enum_index_out_of_range_is_refused(index: int) -> None:
    """Unchecked, -1 is read as the last symbol."""
    with pytest.raises(UndecodableAvro):
        submit(b"\0\2" + varint(index) + b"\0" * (NULLS - 2))


@pytest.mark.parametrize("number", [1 << 31, -(1 << 31) - 1, 1 << 62])
def test_int_past_32_bits_is_refused(number: int) -> None:
    """A reader in another language would fail or wrap."""
    schema = record("int")
    compile_guard(schema)(varint((1 << 31) - 1))
    refused(schema, varint(number))


def test_long_past_64_bits_is_refused() -> None:
    """Ten bytes hold more than 64 bits, eleven are no number at all."""
    schema = record("long")
    compile_guard(schema)(b"\xff" * 9 + b"\x01")
    refused(schema, b"\xff" * 9 + b"\x7f")
    refused(schema, b"\xff" * 10 + b"\x01")
    refused(schema, b"\x80" * 100_000 + b"\x01")


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_none_are_refused(number: float) -> None:
    """NaN is unequal to itself and no JSON."""
    refused(record("double"), struct.pack("<d", number))


def test_boolean_has_two_forms() -> None:
    """Any other byte than 0 and 1 is a third spelling."""
    refused(record("boolean"), b"\2")


def test_padded_number_is_refused() -> None:
    """A varint with needless bytes decodes to the same value, so it is a second spelling."""
    with pytest.raises(UndecodableAvro):
        submit(b"\x80\0" + b"\0" * (NULLS - 1))


def test_padded_decimal_is_refused() -> None:
    """Leading zero bytes are a second spelling."""
    body = codec.encode(HOURS, {"hours": "1.00"})
    assert b"\2\x02\x64" in body
    with pytest.raises(UndecodableAvro):
        submit(body.replace(b"\2\x02\x64", b"\2\x04\x00\x64"), HOURS)


def test_long_decimal_costs_nothing() -> None:
    """200 KB of decimal took seconds to decode; the guard refuses more than five digits need."""
    body = b"\0" * 3 + b"\2" + varint(200_000) + b"\x7f" * 200_000 + b"\0" * 3
    refused(HOURS.schema, body)


@pytest.mark.parametrize("size", [-1, 1 << 20, 1 << 62])
def test_string_longer_than_the_body_is_refused(size: int) -> None:
    """A length is believed as far as the bytes go."""
    refused(record("string"), varint(size) + b"abc")


def test_bytes_that_are_no_text_are_refused() -> None:
    """Bad UTF-8 becomes 422 at the border, never 500."""
    note = next(i for i, f in enumerate(CREATED.schema["fields"]) if f["name"] == "note")
    body = b"\0" * note + b"\2\4\xff\xfe" + b"\0" * (NULLS - note - 1)
    with pytest.raises(UndecodableAvro):
        submit(body)


@pytest.mark.parametrize("days", [1 << 30, -(1 << 30)])
def test_date_that_no_calendar_has_is_refused(days: int) -> None:
    """An int holds more days than a calendar."""
    on = catalogue().event("referral.intake_held")
    with pytest.raises(UndecodableAvro):
        submit(b"\0\2" + varint(days), on)


def test_body_is_bounded() -> None:
    """One mebibyte, whatever is in it."""
    schema = record("bytes")
    refused(schema, varint(MAX_BODY) + b"x" * MAX_BODY)


@given(st.binary(max_size=400), st.sampled_from(catalogue().all()))
@settings(max_examples=300, deadline=None)
def test_random_bytes_are_read_back_or_refused(body: bytes, event: Any) -> None:
    """Whatever arrives, it is exactly what we would have written or one kind of error."""
    try:
        _, data = codec.decode_submitted(codec.frame(event.schema_id, body))
    except UndecodableAvro:
        return
    assert codec.encode(event, data) == body


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_mutated_bytes_are_read_back_or_refused(data: st.DataObject) -> None:
    """One byte changed in a valid body never gets past with a second spelling."""
    hours = {"period": "2026-03", "hours": "42.50", "cheques": 43, "absences": [{}, {}]}
    body = bytearray(codec.encode(HOURS, hours))
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        _, read = codec.decode_submitted(codec.frame(HOURS.schema_id, bytes(body)))
    except UndecodableAvro:
        return
    assert codec.encode(HOURS, read) == body


def test_recursive_schema_is_refused() -> None:
    """A record in itself lets 5,000 bytes take the process down; there is none in a registry."""
    for inner in (["null", "R"], {"type": "array", "items": "R"}):
        with pytest.raises(UnsafeSchemaError):
            check_schema(record(inner))
    through = record(record(["null", "R"], name="S"))
    with pytest.raises(UnsafeSchemaError):
        check_schema(through)


@pytest.mark.parametrize("items", ["null", record(name="Empty"), record("null", name="OnlyNull")])
def test_items_without_width_are_refused(items: Any) -> None:
    """Of those, any number fits in no bytes."""
    with pytest.raises(UnsafeSchemaError):
        check_schema(record({"type": "array", "items": items}))


def test_same_type_twice_is_no_recursion() -> None:
    """A type may be used again beside itself."""
    used = record("int", name="Used")
    check_schema(record(used, "Used", {"type": "array", "items": "Used"}))


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 900])
def test_deep_schema_is_refused(depth: int) -> None:
    """Deeper than 16 nobody reads."""
    schema: Any = "int"
    for level in range(depth):
        schema = record(schema, name=f"R{level}")
    with pytest.raises(UnsafeSchemaError):
        check_schema(schema)


def test_depth_of_100_000_leaves_the_process_alive() -> None:
    """Bytes that would nest have nothing to nest in: our schemas end the walk."""
    for event in (CREATED, HOURS):
        with pytest.raises(UndecodableAvro):
            submit(b"\2" * 100_000, event)
