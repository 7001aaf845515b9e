"""CloudEvents: what partners may send, and that what is written reads back."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import attributes
from schemas.attributes import JSON
from schemas.envelope import (
    AVRO,
    CloudEvent,
    content,
    event_type,
    from_binary_headers,
    from_structured,
    http_headers,
    kafka_headers,
    parse_kafka_headers,
    participant_source,
    to_structured,
)
from schemas.errors import EnvelopeError
from schemas.moments import from_rfc3339, to_rfc3339

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TRAJECTORY = "0195e2a1-7164-7121-8301-716412123010"


def sent(**changes: Any) -> dict[str, Any]:
    """Return a structured event, with changes; a change to None leaves an attribute out."""
    event = {
        "specversion": "1.0",
        "id": "evt-0001",
        "source": "urn:schakel:participant:ocmw-tienen",
        "type": "be.schakel.activation.v1.referral.created",
        "time": "2026-03-02T10:00:00Z",
        "data": {"programme": "wijk_werken"},
        **changes,
    }
    return {name: value for name, value in event.items() if value is not None}


def faults_of(obj: Any) -> dict[str, str]:
    """Return the faults of a structured event: name and code."""
    with pytest.raises(EnvelopeError) as caught:
        from_structured(obj)
    return {param.name: param.code for param in caught.value.invalid}


def test_the_least_that_a_partner_sends() -> None:
    """Four attributes and the data."""
    event = from_structured(sent())

    assert event.event_name == "referral.created"
    assert event.participant == "ocmw-tienen"
    assert to_rfc3339(event.time) == "2026-03-02T10:00:00Z"
    assert event.data == {"programme": "wijk_werken"}
    assert event.datacontenttype == JSON


def test_the_most_that_a_partner_sends() -> None:
    """Optional attributes come out in their canonical form."""
    event = from_structured(
        sent(
            subject=TRAJECTORY.upper(),
            trajectoryid=TRAJECTORY,
            sourcerecordid=" 2026/0143 ",
            causationid="evt-0000",
            onbehalfof="urn:be:kbo:0887.010.362",
            purpose="activation_referral",
            territorynis="24107",
            actorref="medewerker 12",
            traceparent=TRACE,
            datacontenttype="application/json",
        )
    )

    assert event.subject == event.trajectoryid == TRAJECTORY
    assert event.sourcerecordid == "2026/0143"
    assert event.onbehalfof == "urn:be:kbo:0887010362"
    assert event.traceparent == TRACE


@pytest.mark.parametrize("version", [0, 3, "3"])
def test_expected_version_is_a_number(version: object) -> None:
    """As JSON's number, or as the digits of a header."""
    assert from_structured(sent(aggregateversion=version)).aggregateversion == int(str(version))


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("specversion", "0.3", "invalid_value"),
        ("specversion", None, "missing"),
        ("id", None, "missing"),
        ("id", "", "invalid_format"),
        ("id", "a b", "invalid_format"),
        ("id", "a\r\nx", "invalid_format"),
        ("id", "é", "invalid_format"),
        ("id", "x" * 129, "invalid_format"),
        ("id", 7, "not_a_text"),
        ("id", "71641212301", "looks_like_insz"),
        ("id", "71.64.12-123.01", "looks_like_insz"),
        ("id", "dossier:71641212301", "looks_like_insz"),
        ("source", None, "missing"),
        ("source", "ocmw-tienen", "invalid_format"),
        ("source", "urn:schakel:participant:OCMW", "invalid_format"),
        ("source", "urn:schakel:participant:", "invalid_format"),
        ("source", "urn:schakel:masked", "invalid_format"),
        ("type", "referral.created", "invalid_format"),
        ("type", "be.schakel.activation.v1.", "invalid_format"),
        ("type", "be.schakel.activation.v2.referral.created", "invalid_format"),
        ("time", None, "missing"),
        ("time", "2026-03-02", "invalid_format"),
        ("time", "2026-03-02T10:00:00", "invalid_format"),
        ("time", "2026-02-30T10:00:00Z", "invalid_format"),
        ("time", "2026-03-02T25:00:00Z", "invalid_format"),
        ("time", "0001-01-01T00:00:00+23:59", "invalid_format"),
        ("time", 1772445600, "not_a_text"),
        ("subject", "jan-peeters", "invalid_format"),
        ("trajectoryid", "1", "invalid_format"),
        ("sourcerecordid", "71641212301", "looks_like_insz"),
        ("sourcerecordid", "71.64.12-123.99", "looks_like_insz"),
        ("sourcerecordid", "a\nb", "invalid_format"),
        ("sourcerecordid", " ", "invalid_format"),
        ("sourcerecordid", "x" * 129, "invalid_format"),
        ("causationid", "71641212301", "looks_like_insz"),
        ("onbehalfof", "0887010362", "invalid_urn"),
        ("onbehalfof", "urn:be:kbo:0887010363", "invalid_kbo"),
        ("purpose", "curiosity", "unknown_code"),
        ("territorynis", "2410", "invalid_format"),
        ("actorref", "71641212301", "looks_like_insz"),
        ("aggregateversion", -1, "invalid_format"),
        ("aggregateversion", "three", "invalid_format"),
        ("aggregateversion", "", "invalid_format"),
        ("aggregateversion", 10**9, "invalid_format"),
        ("aggregateversion", 1.5, "not_a_text"),
        ("aggregateversion", True, "not_a_text"),
        ("datacontenttype", "text/plain", "invalid_value"),
        ("datacontenttype", AVRO, "invalid_value"),
        ("data", None, "missing"),
        ("data", [], "not_an_object"),
        ("data", "x", "not_an_object"),
        ("agreementid", "prot-1", "set_by_hub"),
        ("agreementhash", "ab" * 32, "set_by_hub"),
        ("subjectref", "abc", "set_by_hub"),
        ("recordedtime", "2026-03-02T10:00:00Z", "set_by_hub"),
        ("data_base64", "AAAA", "unknown_attribute"),
        ("trajectory_id", TRAJECTORY, "unknown_attribute"),
    ],
)
def test_one_faulty_attribute_is_named(name: str, value: Any, code: str) -> None:
    """The rule it breaks is a stable code."""
    assert faults_of(sent(**{name: value})) == {name: code}


def test_every_faulty_attribute_is_listed_at_once() -> None:
    """A partner mends everything in one go."""
    found = faults_of({"specversion": "1.0", "id": "", "type": "x", "extra": 1})

    assert set(found) == {"data", "id", "type", "extra", "source", "time"}


def test_an_attribute_name_that_could_be_a_value_is_not_repeated() -> None:
    """People put anything in a JSON key."""
    assert faults_of(sent(**{"Jan Peeters": "x"})) == {"attribute": "unknown_attribute"}
    assert faults_of(sent(**{"71641212301": "x"})) == {"attribute": "unknown_attribute"}


@pytest.mark.parametrize("obj", [None, [], "x", 1])
def test_an_event_is_an_object(obj: Any) -> None:
    """Anything else is one fault."""
    assert faults_of(obj) == {"event": "not_an_object"}


@pytest.mark.parametrize(
    "trace",
    [
        "",
        "00-zz",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        TRACE.upper(),
        TRACE + "\r\nx: y",
    ],
)
def test_a_malformed_traceparent_is_dropped(trace: str) -> None:
    """W3C says to start anew; telemetry never costs a partner an event."""
    assert from_structured(sent(traceparent=trace)).traceparent is None


def binary(**changes: str) -> list[tuple[bytes, bytes]]:
    """Return HTTP headers in binary mode as an ASGI server gives them."""
    headers = [(b"host", b"hub"), (b"content-type", AVRO.encode())]
    plain = {name: value for name, value in sent().items() if name != "data"}
    for name, value in {**plain, **changes}.items():
        headers.append((f"ce-{name}".encode(), value.encode("latin-1")))
    return headers


def test_binary_mode_reads_headers() -> None:
    """The body is Avro and stays outside; parameters of the content type do not count."""
    event = from_binary_headers(binary(sourcerecordid="2026%2F0143%20%C3%A9"))

    assert event.data is None
    assert event.datacontenttype == AVRO
    assert event.sourcerecordid == "2026/0143 é"
    assert event.event_name == "referral.created"


def test_binary_mode_refuses_a_header_that_comes_twice() -> None:
    """Two ids are no id."""
    with pytest.raises(EnvelopeError) as caught:
        from_binary_headers([*binary(), (b"ce-id", b"other")])

    assert [param.code for param in caught.value.invalid] == ["duplicate"]


def test_binary_mode_refuses_what_is_no_utf8() -> None:
    """Percent-encoded bytes have to be text."""
    with pytest.raises(EnvelopeError) as caught:
        from_binary_headers(binary(sourcerecordid="%FF"))

    assert [param.code for param in caught.value.invalid] == ["not_utf8"]


def test_binary_mode_has_the_same_rules() -> None:
    """A wrong content type, and an attribute of the hub's."""
    headers = [pair for pair in binary(ruleset="x") if pair[0] != b"content-type"]
    with pytest.raises(EnvelopeError) as caught:
        from_binary_headers([*headers, (b"content-type", b"text/csv; charset=utf-8")])

    found = {param.name: param.code for param in caught.value.invalid}
    assert found == {"ruleset": "set_by_hub", "datacontenttype": "invalid_value"}


def delivered(**changes: Any) -> CloudEvent:
    """Return an event as the hub delivers it."""
    values: dict[str, Any] = {
        "id": "0195e2a1-0000-7000-8000-000000000001",
        "source": participant_source("ocmw-tienen"),
        "type": event_type("referral.created"),
        "time": 1772445600000000,
        "subject": TRAJECTORY,
        "datacontenttype": AVRO,
        "trajectoryid": TRAJECTORY,
        "agreementid": "prot-2026-014",
        "agreementhash": "ab" * 32,
        "aggregatetype": "referral",
        "aggregateversion": 3,
        "recordedtime": 1772445600123456,
        "actorrole": "O",
        "subjectref": "abcdef",
        "withheld": ("insz", "person.phone"),
        "territorynis": "24107",
        "ruleset": "wijk_werken-2018-1",
        "deliveredfor": "wijk-werk",
        "backfill": True,
        "redelivery": 2,
        "traceparent": TRACE,
        **changes,
    }
    return CloudEvent(**values)


def test_a_delivered_event_in_json() -> None:
    """Instants are text, withheld paths are joined, absent attributes are absent."""
    found = to_structured(delivered(datacontenttype=JSON, data={"programme": "wijk_werken"}))

    assert found["recordedtime"] == "2026-03-02T10:00:00.123456Z"
    assert found["withheld"] == "insz,person.phone"
    assert found["aggregateversion"] == 3
    assert found["backfill"] is True
    assert found["data"] == {"programme": "wijk_werken"}
    assert "sourcerecordid" not in found
    assert "purpose" not in found


def test_kafka_headers_read_back() -> None:
    """Binary mode over Kafka loses nothing but the data."""
    event = delivered()

    assert parse_kafka_headers(kafka_headers(event)) == event
    assert parse_kafka_headers(kafka_headers(delivered(withheld=()))) == delivered(withheld=())


def test_kafka_headers_never_name_a_case_at_its_source() -> None:
    """Own numbers and staff references are sealed, not carried beside the record."""
    headers = kafka_headers(delivered(sourcerecordid="2026/0143", actorref="m12", data={"a": "b"}))

    assert {"ce_sourcerecordid", "ce_actorref", "ce_data"}.isdisjoint(dict(headers))
    assert dict(headers)["content-type"] == AVRO.encode()
    assert dict(headers)["ce_backfill"] == b"true"
    assert dict(headers)["traceparent"] == dict(headers)["ce_traceparent"] == TRACE.encode()


def test_unknown_kafka_headers_are_skipped() -> None:
    """A newer hub may write more than an older one reads."""
    headers = [*kafka_headers(delivered()), ("ce_newer", b"x"), ("other", b"\xff")]

    assert parse_kafka_headers(headers) == delivered()


@pytest.mark.parametrize("change", [("ce_id", None), ("ce_time", b"x"), ("ce_purpose", b"\xff")])
def test_broken_kafka_headers_are_one_error(change: tuple[str, bytes | None]) -> None:
    """A record without an id, or with what is no text, is no event."""
    name, value = change
    headers = {**dict(kafka_headers(delivered())), name: value}
    with pytest.raises(EnvelopeError):
        parse_kafka_headers((key, held) for key, held in headers.items() if held is not None)


def test_http_headers_are_percent_encoded() -> None:
    """What leaves in binary mode comes back in, and no line break passes."""
    event = delivered(sourcerecordid='é "%" 2', withheld=("a", "b"), traceparent=None)
    headers = dict(http_headers(event))

    assert headers["ce-sourcerecordid"] == "%C3%A9%20%22%25%22%202"
    assert headers["ce-withheld"] == "a,b"
    assert "\n" not in dict(http_headers(delivered(purpose="a\r\nb")))["ce-purpose"]


def test_the_same_content_is_what_idempotency_compares() -> None:
    """Time and trace may differ on a retry; everything else may not."""
    first = from_structured(sent(traceparent=TRACE))
    retried = from_structured(sent(time="2026-03-02T10:05:00Z"))
    other = from_structured(sent(sourcerecordid="2026/0143"))

    assert content(first, first.data) == content(retried, retried.data)
    assert content(first, first.data) != content(other, other.data)
    assert content(first, {"programme": "other"}) != content(first, first.data)


def test_personal_attributes_stay_out_of_reprs() -> None:
    """A log line with an event in it holds no case number and no data."""
    event = from_structured(sent(sourcerecordid="own-number", actorref="worker-9"))

    assert "own-number" not in repr(event)
    assert "worker-9" not in repr(event)
    assert "wijk_werken" not in repr(event)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-03-02T10:00:00Z", "2026-03-02T10:00:00Z"),
        ("2026-03-02t10:00:00z", "2026-03-02T10:00:00Z"),
        ("2026-03-02T11:00:00+01:00", "2026-03-02T10:00:00Z"),
        ("2026-03-02T10:00:00.5Z", "2026-03-02T10:00:00.500000Z"),
        ("2026-03-02T10:00:00.123456789Z", "2026-03-02T10:00:00.123456Z"),
        ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z"),
    ],
)
def test_instants_are_written_in_utc(text: str, written: str) -> None:
    """Offsets are folded in, microseconds kept."""
    assert to_rfc3339(from_rfc3339(text)) == written


@given(st.integers(-62135596800000000, 253402300799999999))
def test_every_instant_reads_back(microseconds: int) -> None:
    """From year 1 to 9999."""
    assert from_rfc3339(to_rfc3339(microseconds)) == microseconds


@given(st.dictionaries(st.text(max_size=12), st.none() | st.text(max_size=20) | st.integers()))
def test_anything_is_an_event_or_an_envelope_error(obj: dict[str, Any]) -> None:
    """No other exception comes out of reading."""
    with contextlib.suppress(EnvelopeError):
        assert from_structured({**sent(), **obj}).id


def test_no_attribute_is_both_sent_and_set_by_the_hub() -> None:
    """The two lists share nothing."""
    assert attributes.SET_BY_HUB.isdisjoint(sent())
