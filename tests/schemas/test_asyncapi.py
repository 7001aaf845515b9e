"""The AsyncAPI document says what the Kafka door sends: every event, every header, every schema."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import avro.schema
import orjson
import yaml

from consumers.kafka_copies import record_of
from schemas.asyncapi import as_yaml, document
from schemas.catalogue import catalogue
from schemas.topics import topics
from tests.consumers.kafka_copy import copy_of

if TYPE_CHECKING:
    from collections.abc import Iterator

KAFKA, GATEWAY = "kafka.example.org:9094", "https://hub.example.org"


def test_the_text_is_the_document() -> None:
    """As YAML it says the same, without anchors, and names where it is served."""
    text = as_yaml(KAFKA, GATEWAY)
    read = yaml.safe_load(text)

    assert read == document(KAFKA, GATEWAY)
    assert (read["asyncapi"], read["servers"]["kafka"]["host"]) == ("3.0.0", KAFKA)
    assert read["servers"]["kafka"]["protocol"] == "kafka-secure"
    assert b"&id" not in text


def test_every_event_type_is_a_message_of_the_channel() -> None:
    """None is left out, and none is made up."""
    found = document(KAFKA, GATEWAY)
    (channel,) = found["channels"].values()
    records = {one.record for one in catalogue().all()}

    assert channel["messages"].keys() == found["components"]["messages"].keys() == records
    assert len(found["operations"]["sendEvents"]["messages"]) == len(records)
    assert channel["address"] in {one.name for one in topics() if one.is_per_participant}


def test_every_reference_leads_somewhere() -> None:
    """Also those inside the messages."""
    found = document(KAFKA, GATEWAY)
    for reference in _references(found):
        place: Any = found
        for part in reference.removeprefix("#/").split("/"):
            assert part in place, reference
            place = place[part]


def test_every_payload_is_a_schema_that_avro_takes() -> None:
    """Self-contained: with every type that it names."""
    for name, message in document(KAFKA, GATEWAY)["components"]["messages"].items():
        parsed: Any = avro.schema.parse(orjson.dumps(message["payload"]["schema"]).decode())

        assert parsed.name == name


def test_the_headers_are_those_of_a_record() -> None:
    """What the door writes is described, and what is required is always there."""
    described = document(KAFKA, GATEWAY)["components"]["messageTraits"]["cloudEvent"]["headers"]
    whole = copy_of(
        causationid=copy_of(2).id,
        agreementhash="0" * 64,
        backfill=True,
        redelivery=1,
        dataclassification="confidential",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    bare = copy_of(trajectoryid=None, dataclassification="internal", withheld=())
    written = {name for name, _ in record_of("out.a.v1", whole).headers} - {
        "content-type",
        "ce_traceparent",
    }

    assert written == described["properties"].keys()
    assert set(described["required"]) <= {name for name, _ in record_of("out.a.v1", bare).headers}
    assert re.match(described["properties"]["ce_type"]["pattern"], whole.type)


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)
