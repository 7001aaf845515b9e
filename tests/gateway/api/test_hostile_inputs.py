"""Hostile inputs over HTTP: each is refused with a code, none reaches the ledger or ends in a 5xx.

The rules themselves are tested where they are (`test_strictjson`, `test_guards`,
`test_connections`); here the whole way in has to keep to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.api import limits
from schemas import codec
from schemas.catalogue import catalogue
from schemas.writing import varint
from tests.gateway.api.conftest import PARTNER
from tests.gateway.api.samples import AVRO, CANARY, MANY, ONE, body, event, referral_data

if TYPE_CHECKING:
    from tests.gateway.api.conftest import Interface

CREATED = catalogue().event("referral.created")
GOOD = body(event(PARTNER))


def with_data(text: str) -> bytes:
    """A good event in which one value is written by hand."""
    return GOOD.replace(b'"wijk_werken"', text.encode(), 1)


JSON: dict[str, bytes] = {
    "no JSON": b"{",
    "empty": b"",
    "deep list": b"[" * 100_000 + b"]" * 100_000,
    "deep object": b'{"data":' * 100_000 + b"1" + b"}" * 100_000,
    "one too deep": with_data("[" * limits.JSON_DEPTH + "]" * limits.JSON_DEPTH),
    "NaN": with_data("NaN"),
    "infinity": with_data("-Infinity"),
    "infinity in digits": with_data("1e999"),
    "long number": with_data("9" * 100_000),
    "NUL": with_data('"a\\u0000b"'),
    "raw NUL": with_data('"a\x00b"'),
    "lone surrogate": with_data('"\\ud800"'),
    "surrogates the wrong way round": with_data('"\\udc00\\ud800"'),
    "key twice": GOOD.replace(b'"id":', b'"id":"other","id":', 1),
    "key twice, escaped": GOOD.replace(b'"id":', b'"\\u0069d":"other","id":', 1),
    "UTF-16": GOOD.decode().encode("utf-16"),
    "UTF-8 with a mark": b"\xef\xbb\xbf" + GOOD,
    "no UTF-8": GOOD.replace(CANARY.encode(), b"\xff\xfe"),
    "a comment": b"/* */" + GOOD,
    "two documents": GOOD + GOOD,
    "a compressed body": b"\x1f\x8b\x08\x00" + b"\x00" * 100,
}

NULLS = b"\0" * len(CREATED.schema["fields"])
AVRO_BODIES: dict[str, bytes] = {
    "no frame": b"\0" * 3,
    "a container file": b"Obj\x01" + b"\0" * 100,
    "unknown schema": codec.frame(2**31 - 1, NULLS),
    "list bomb": codec.frame(CREATED.schema_id, b"\0\0\2" + varint(1 << 24)),
    "long string": codec.frame(CREATED.schema_id, b"\0\2" + varint(1 << 62)),
    "depth": codec.frame(CREATED.schema_id, b"\2" * 100_000),
    "trailing bytes": codec.frame(CREATED.schema_id, NULLS + b"\0"),
    "short": codec.frame(CREATED.schema_id, NULLS[:-1]),
    "a header of its own": codec.frame(CREATED.schema_id, b"\2" + NULLS[1:]),
    "eleven bytes of number": codec.frame(CREATED.schema_id, b"\xff" * 11),
}


def refused(interface: Interface, content: bytes, kind: str, **headers: str) -> dict[str, Any]:
    """The problem that a body gets; nothing reached the ledger, nothing is repeated."""
    before = len(interface.ledger.requests)
    answer = interface.post("/v1/events", content, kind, **headers)
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert CANARY not in answer.text
    assert len(interface.ledger.requests) == before
    problem: dict[str, Any] = answer.json()
    assert problem["code"]
    return problem


def avro_headers(**changes: str) -> dict[str, str]:
    """The attributes of a good event in binary mode."""
    sent = event(PARTNER)
    names = ("specversion", "id", "source", "type", "time")
    return {**{f"ce-{name}": sent[name] for name in names}, **changes}


@pytest.mark.parametrize("content", JSON.values(), ids=JSON.keys())
def test_hostile_json_is_refused(interface: Interface, content: bytes) -> None:
    """As one event, and as an event of a batch."""
    refused(interface, content, ONE)
    refused(interface, b"[" + content + b"]", MANY)


@pytest.mark.parametrize("content", AVRO_BODIES.values(), ids=AVRO_BODIES.keys())
def test_hostile_avro_is_refused(interface: Interface, content: bytes) -> None:
    """Before anything is decoded, and the process goes on."""
    refused(interface, content, AVRO, **avro_headers())
    assert interface.post("/v1/events", GOOD, ONE).status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        {"ce-id": "a%0d%0ab"},
        {"ce-id": "%"},
        {"ce-id": "71641212301"},
        {"ce-source": f"urn:schakel:participant:{PARTNER}%00"},
        {"ce-subject": "%ed%a0%80"},
        {"ce-invented": "x"},
        {"ce-sourcerecordid": "71.64.12-123.01"},
        {"idempotency-key": "a b"},
        {"idempotency-key": "71641212301"},
    ],
    ids=str,
)
def test_hostile_attributes_are_refused(interface: Interface, headers: dict[str, str]) -> None:
    """What could break a header or name a person is no attribute."""
    framed = codec.frame(CREATED.schema_id, codec.encode(CREATED, referral_data()))
    refused(interface, framed, AVRO, **avro_headers(**headers))


@pytest.mark.parametrize("name", ["authorization", "content-type", "content-length"])
def test_a_header_that_comes_twice_is_refused(interface: Interface, name: str) -> None:
    """Two readers could each believe another one."""
    headers = [
        ("authorization", f"Bearer {PARTNER}"),
        ("content-type", ONE),
        ("content-length", str(len(GOOD))),
    ]
    twice = [*headers, next(one for one in headers if one[0] == name)]
    answer = interface.client.call("POST", "/v1/events", content=GOOD, headers=twice)

    assert 400 <= answer.status_code < 500
    assert interface.ledger.requests == []


def test_a_traceparent_that_is_none_is_dropped(interface: Interface) -> None:
    """It never comes back, and the event is taken."""
    answer = interface.post("/v1/events", GOOD, ONE, traceparent="00-kanarie-00")

    assert answer.status_code == 201
    assert "kanarie" not in str(answer.headers)


@given(data=st.data())
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_change_of_bytes_is_a_server_error(interface: Interface, data: st.DataObject) -> None:
    """A good body with some bytes replaced, cut or added: taken or refused with a code."""
    kind = data.draw(st.sampled_from((ONE, AVRO)))
    framed = codec.frame(CREATED.schema_id, codec.encode(CREATED, referral_data()))
    content = bytearray(GOOD if kind == ONE else framed)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content)))
        length = data.draw(st.integers(0, 8))
        content[place : place + length] = data.draw(st.binary(max_size=8))
    headers = avro_headers() if kind == AVRO else {}
    answer = interface.post("/v1/events", bytes(content), kind, **headers)

    assert answer.status_code in (200, 201) or (
        400 <= answer.status_code < 500 and orjson.loads(answer.content)["code"]
    )
