"""The codec: what is written is canonical Avro, what is read is the same plain JSON again."""

import copy
import io
from datetime import date
from decimal import Decimal
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict

from schemas import avsc, codec
from schemas.catalogue import EventType, catalogue, hub_record
from schemas.errors import UndecodableAvro, UnknownEventType
from schemas.fingerprint import essence
from schemas.reading import compile_reader
from schemas.writing import compile_writer, varint

EVENTS = catalogue().all()
ROUTING = codec.RoutingHeader(
    event_id="0195a8f0-0000-7000-8000-000000000001",
    event_type="referral.created",
    schema_version=1,
    aggregate_type="referral",
    aggregate_id="0195a8f0-0000-7000-8000-000000000002",
    aggregate_version=7,
    trajectory_id="0195a8f0-0000-7000-8000-000000000003",
    causation_id=None,
    producer="ocmw-tienen",
    on_behalf_of=None,
    actor_role="O",
    occurred_at=1_772_445_600_000_000,
    recorded_at=1_772_445_600_123_456,
    subject_ref="0195a8f0-0000-7000-8000-000000000004",
    purpose="activation_referral",
    legal_basis="public_task_6_1_e",
    agreement_id="prot-2026-014",
    territory_nis="24107",
    rule_set="wijk_werken/2026-1",
)
DATES = st.dates(min_value=date(1900, 1, 1)).map(str)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


def values(kind: Any) -> st.SearchStrategy[Any]:  # noqa: PLR0911 - one line a type
    """Give values in plain JSON of an Avro type of ours."""
    kind = avsc.resolve(kind)
    if isinstance(kind, str):
        return {
            "string": TEXTS,
            "int": st.integers(-(2**31), 2**31 - 1),
            "boolean": st.booleans(),
            "double": st.floats(allow_nan=False),
        }[kind]
    if kind["type"] == "record":
        return records(kind["fields"])
    if kind["type"] == "array":
        return st.lists(values(kind["items"]), max_size=4)
    if kind["type"] == "enum":
        return st.sampled_from(kind["symbols"])
    if kind.get("logicalType") == "date":
        return DATES
    if kind.get("logicalType") == "decimal":
        scale = kind["scale"]
        whole = st.integers(0, 10 ** (kind["precision"] - scale) - 1)
        return st.tuples(whole, st.integers(0, 10**scale - 1)).map(
            lambda parts: f"{parts[0]}.{parts[1]:0{scale}}"
        )
    return TEXTS


def records(fields: list[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Give records, each field there or not."""
    optional = {
        field["name"]: values(avsc.branch(field)) for field in fields if field["name"] != "header"
    }
    return st.fixed_dictionaries({}, optional=optional)


@st.composite
def bodies(draw: st.DrawFn) -> tuple[EventType, dict[str, Any]]:
    """Give an event type and data that its schema can hold."""
    event = draw(st.sampled_from(EVENTS))
    return event, draw(records(avsc.event_records()[event.record]["fields"]))


@given(bodies())
@settings(max_examples=150, deadline=None)
def test_data_survives(given_body: tuple[EventType, dict[str, Any]]) -> None:
    """Whatever a schema can hold comes back as it was, also past the guards."""
    event, data = given_body
    body = codec.encode(event, data)
    assert codec.decode(event, body) == data
    assert codec.decode_submitted(codec.frame(event.schema_id, body)) == (event, data)


@given(bodies())
@settings(max_examples=100, deadline=None)
def test_bytes_are_those_of_fastavro(given_body: tuple[EventType, dict[str, Any]]) -> None:
    """Our encoder is fast because it knows our schemas; it writes what everybody writes."""
    event, data = given_body
    out = io.BytesIO()
    schema = fastavro.parse_schema(copy.deepcopy(event.schema))
    fastavro.schemaless_writer(out, schema, with_decimals(event.schema, data))
    assert codec.encode(event, data) == out.getvalue()


def with_decimals(schema: Any, data: Any) -> Any:
    """Give the data with decimals as Python has them, for fastavro."""
    kind = avsc.resolve(schema)
    if isinstance(kind, list):
        return with_decimals(kind[1], data)
    if isinstance(kind, dict) and kind["type"] == "record":
        fields = {field["name"]: field["type"] for field in kind["fields"]}
        return {name: with_decimals(fields[name], value) for name, value in data.items()}
    if isinstance(kind, dict) and kind["type"] == "array":
        return [with_decimals(kind["items"], item) for item in data]
    is_decimal = isinstance(kind, dict) and kind.get("logicalType") == "decimal"
    return Decimal(data) if is_decimal else data


@pytest.mark.parametrize(
    "number", [0, -1, 1, 63, 64, -64, -65, 1023, 1024, 2**31, -(2**63), 2**63 - 1]
)
def test_varints_are_avros(number: int) -> None:
    """Zig-zag, seven bits a byte, least first."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema({"type": "long"}), number)
    assert varint(number) == out.getvalue()


def test_frame_is_the_wire_format() -> None:
    """A zero, the id in four bytes, the body."""
    assert codec.frame(258, b"body") == b"\x00\x00\x00\x01\x02body"
    assert codec.unframe(b"\x00\x00\x00\x01\x02body") == (258, b"body")


@pytest.mark.parametrize("framed", [b"", b"\0\0\0\0", b"\1\0\0\0\1body", b"{}"])
def test_bytes_without_frame_are_refused(framed: bytes) -> None:
    """Five bytes are the least, and the first is zero."""
    with pytest.raises(UndecodableAvro):
        codec.unframe(framed)


def test_record_with_header_is_read_by_any_avro_reader() -> None:
    """What goes to a participant's topic is the typed record with its header, in plain Avro."""
    event = catalogue().event("referral.acknowledged")
    header = {name: getattr(ROUTING, name) for name in codec.RoutingHeader.__struct_fields__}
    header |= {"delivered_for": "igo-leuven", "withheld": ["handled_by.phone"]}
    framed = codec.encode_record(event, header, {"answer_due": "2026-03-16"})
    schema = fastavro.parse_schema(copy.deepcopy(event.schema))
    read: Any = fastavro.schemaless_reader(io.BytesIO(framed[5:]), schema, None)
    assert read["header"]["event_type"] == "referral.created"
    assert read["header"]["recorded_at"].year == 2026
    assert read["answer_due"].isoformat() == "2026-03-16"
    assert codec.decode_record(framed) == (
        event,
        {name: value for name, value in header.items() if value is not None},
        {"answer_due": "2026-03-16"},
    )


def test_partner_cannot_send_a_header() -> None:
    """The attributes carry it; a body with one is refused."""
    event = catalogue().event("referral.acknowledged")
    header = {name: getattr(ROUTING, name) for name in codec.RoutingHeader.__struct_fields__}
    with pytest.raises(UndecodableAvro):
        codec.decode_submitted(codec.encode_record(event, {**header, "withheld": []}, {}))


def test_unknown_schema_id_is_refused() -> None:
    """An id of nothing, and the id of a record that is no event."""
    for schema_id in (0, 999_999, hub_record("SealedEvent")[1]):
        with pytest.raises(UnknownEventType):
            codec.decode_submitted(codec.frame(schema_id, b""))


def test_sealed_event_survives() -> None:
    """Readable part and parts come back as they were."""
    parts = (codec.SealedPart("main", "k1", b"n" * 12, b"\0\xff" * 300),)
    for some in (parts, ()):
        sealed = codec.SealedEvent(ROUTING, some)
        assert codec.decode_sealed(codec.encode_sealed(asdict(ROUTING), some)) == sealed


def test_sealed_event_is_not_a_fact() -> None:
    """The id says which record it is, and another one is refused."""
    fact = codec.Fact("inflow", "2026-03", "24107", programme="wijk_werken", days=12)
    assert codec.decode_fact(codec.encode_fact(fact)) == fact
    with pytest.raises(UndecodableAvro):
        codec.decode_sealed(codec.encode_fact(fact))
    with pytest.raises(UndecodableAvro):
        codec.decode_fact(codec.encode_sealed(asdict(ROUTING), ()))
    with pytest.raises(UndecodableAvro):
        codec.decode_fact(codec.frame(999_999, b""))


@pytest.mark.parametrize("own", [None, "dossier 2026/14"])
def test_parts_survive(own: str | None) -> None:
    """The clear text of both parts, with and without what is optional."""
    main = codec.SealedMain(None, own, b"s" * 32, b"body")
    assert codec.decode_main(codec.encode_main(main)) == main
    staff = codec.SealedStaff({"contact_person": b"{}", "assignments[0].mentor": b"{}"})
    assert codec.decode_staff(codec.encode_staff(staff)) == staff


def test_parts_do_not_print_what_they_hold() -> None:
    """A log line or a traceback with a part in it says nothing about anybody."""
    main = codec.SealedMain("canary", "canary", b"canary", b"canary")
    staff = codec.SealedStaff({"canary": b"canary"})
    assert "canary" not in f"{main!r} {staff!r}"


def test_older_schema_is_read_with_the_current_one() -> None:
    """A field that came later is absent, one that is gone is dropped, a gone code is UNKNOWN."""
    current = catalogue().event("referral.intake_missed").schema
    older = copy.deepcopy(essence(current))
    older["fields"][2]["type"][1]["symbols"].append("weather")
    older["fields"].append({"name": "gone", "type": ["null", "string"], "default": None})
    del older["fields"][1]
    out = bytearray()
    compile_writer(older)({"by": "weather", "gone": "x"}, out)
    assert compile_reader(older, current)(bytes(out)) == {"by": "UNKNOWN"}
