"""A copy in a participant's topic is typed Avro whose header says what CloudEvents says."""

from __future__ import annotations

from consumers.kafka_copies import record_of
from schemas import codec, envelope
from schemas.catalogue import catalogue
from schemas.envelope import MASKED_SOURCE, event_type
from tests.consumers.kafka_copy import CORE, REFERRAL, TRAJECTORY, copy_of

TOPIC = "out.wijkwerk-hageland.v1"


def test_the_value_holds_the_event_and_its_envelope() -> None:
    """A reader of the value alone learns what, from whom, about which case and under what."""
    record = record_of(TOPIC, copy_of())

    event, header, data = codec.decode_record(record.value)
    assert (event.name, data) == ("referral.created", CORE)
    assert header["producer"] == "ocmw-tienen"
    assert header["delivered_for"] == "wijkwerk-hageland"
    assert header["withheld"] == ["insz", "person.phone"]
    assert (header["aggregate_id"], header["aggregate_version"]) == (REFERRAL, 1)
    assert (header["agreement_id"], "actor_ref" in header) == ("prot-1", False)
    assert record.value[:5] == b"\0" + event.schema_id.to_bytes(4, "big")


def test_the_headers_are_cloudevents_in_binary_mode() -> None:
    """Whoever knows CloudEvents finds the attributes without opening the value."""
    copy = copy_of()
    record = record_of(TOPIC, copy)

    found = envelope.parse_kafka_headers(record.headers)
    assert (found.id, found.type, found.source) == (copy.id, copy.type, copy.source)
    assert found.withheld == copy.withheld
    assert dict(record.headers)["content-type"] == b"application/avro"


def test_the_key_keeps_the_order_of_a_case() -> None:
    """By trajectory; what is about no person goes by what it is about."""
    offer = copy_of(
        type=event_type("offer.withdrawn"),
        trajectoryid=None,
        subject="0195a000-0000-7000-8000-00000000000c",
        aggregatetype="offer",
        subjectref=None,
        data={"reason": "other"},
    )

    assert record_of(TOPIC, copy_of()).key == TRAJECTORY.encode()
    assert record_of(TOPIC, offer).key == b"0195a000-0000-7000-8000-00000000000c"


def test_a_sensitive_sender_is_masked_in_the_value_too() -> None:
    """Neither the header nor the value names it."""
    record = record_of(TOPIC, copy_of(source=MASKED_SOURCE, agreementid=None))

    _, header, _ = codec.decode_record(record.value)
    assert header["producer"] == "masked"
    assert b"ocmw-tienen" not in record.value
    assert all(b"ocmw-tienen" not in value for _, value in record.headers)


def test_an_event_without_any_granted_value_is_still_an_event() -> None:
    """Every type of the catalogue can be written with nothing in it."""
    for event in catalogue().all():
        record = record_of(TOPIC, copy_of(type=event_type(event.name), data={}))

        assert codec.decode_record(record.value)[0] is event
