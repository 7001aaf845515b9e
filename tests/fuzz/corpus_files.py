"""Where the fuzzers begin: `python -m tests.fuzz.corpus_files` writes it from our own examples."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from schemas import codec, envelope, json_schema
from schemas.catalogue import catalogue
from tests.gateway.exchange import cast
from tests.registry_fixtures import demo_content

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
CORPUS = Path(__file__).parent / "corpus"
EVENTS = (
    "referral.created",
    "referral.intake_held",
    "placement.planned",
    "placement.hours_reported",
    "guidance.evaluation_completed",
    "outcome.recorded",
    "offer.published",
    "transition.right_registered",
)
COMPARED = "referral.intake_held"


def seeds() -> Iterator[tuple[str, str, bytes]]:
    """Target, name and bytes of every file."""
    for name in EVENTS:
        event = catalogue().event(name)
        for data in json_schema.examples(event)[:1]:
            body = codec.encode(event, codec.parse(event, data, environment="test", on=cast.TODAY))
            yield "avro", name, b"\0" + struct.pack(">I", event.schema_id) + body
            yield "cloudevents", name, orjson.dumps(_event(name, data))
    for document in demo_content()["agreements"][:2]:
        yield "agreement", document["agreement_id"], orjson.dumps(document)
    yield "compatibility", COMPARED, orjson.dumps(catalogue().event(COMPARED).schema)
    yield "token", "access", orjson.dumps(_claims())
    yield "token", "proof", orjson.dumps(_proof())
    yield "token", "compact", b"eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.AAAA"


def _event(name: str, data: Any) -> dict[str, Any]:
    partner = cast.RELATED["P"]
    return {
        "specversion": "1.0",
        "id": "seed-1",
        "source": envelope.participant_source(partner),
        "type": envelope.event_type(name),
        "time": "2026-05-20T09:00:00Z",
        "sourcerecordid": "D-1",
        "data": data,
    }


def _claims() -> dict[str, Any]:
    """Of an access token; it ends in the year 2100, so that the rest is looked at."""
    return {
        "iss": "https://hub.example.org",
        "sub": "c",
        "aud": "schakel-gateway",
        "iat": 1_780_000_000,
        "exp": 4_102_444_800,
        "jti": "seed",
        "client_id": "c",
        "participant": cast.RELATED["P"],
        "scope": "sj_feed_read",
        "cnf": {"jkt": "0" * 43},
    }


def _proof() -> dict[str, Any]:
    return {"htm": "POST", "htu": "https://hub.example.org/v1/events", "iat": 1, "jti": "seed-0001"}


def main() -> None:
    """Write the files that are not there yet; what the fuzzers added stays."""
    for target, name, content in seeds():
        file = CORPUS / target / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


if __name__ == "__main__":
    main()
