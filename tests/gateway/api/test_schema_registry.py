"""The schema registry answers as the clients of schema registries expect, and registers nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gateway.api.schema_registry import BURST
from schemas.catalogue import published_schema, schema_ids
from schemas.subjects import by_id, subjects

if TYPE_CHECKING:
    import httpx

    from tests.gateway.api.conftest import Interface

CREATED = "be.schakel.activation.v1.ReferralCreated"
MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"


def _post(interface: Interface, path: str, schema: Any, **more: Any) -> httpx.Response:
    body = json.dumps({"schema": json.dumps(schema), **more}).encode()
    return interface.client.call("POST", path, content=body, headers={"content-type": MEDIA_TYPE})


def _get(interface: Interface, path: str) -> Any:
    answer = interface.client.call("GET", path, headers={})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    return answer.json()


def test_every_id_that_was_given_out_has_its_schema(interface: Interface) -> None:
    """The id before an Avro body leads to the schema it was written with, in one call."""
    for line in schema_ids()[::13]:
        found = _get(interface, f"/schemas/ids/{line.id}")

        assert json.loads(found["schema"]) == published_schema(line.id)


def test_ids_and_versions_name_one_another(interface: Interface) -> None:
    """By subject and version as by id, the newest also by its name."""
    versions = _get(interface, f"/subjects/{CREATED}/versions")
    newest = _get(interface, f"/subjects/{CREATED}/versions/latest")

    assert versions == [one.version for one in subjects()[CREATED]]
    assert newest == _get(interface, f"/subjects/{CREATED}/versions/{versions[-1]}")
    assert _get(interface, f"/schemas/ids/{newest['id']}/versions") == [
        {"subject": CREATED, "version": newest["version"]}
    ]
    assert _get(interface, f"/schemas/ids/{newest['id']}/subjects") == [CREATED]
    assert _get(interface, f"/subjects/{CREATED}/versions/latest/schema") == json.loads(
        newest["schema"]
    )


def test_each_record_is_a_subject_under_its_full_name() -> None:
    """Versions count from one without a gap, and no id is in two subjects."""
    for name, versions in subjects().items():
        assert [one.version for one in versions] == list(range(1, len(versions) + 1)), name
        assert json.loads(versions[-1].schema)["name"] == name.rpartition(".")[2]
    assert sorted(by_id()) == [line.id for line in schema_ids()]


def test_a_known_schema_is_found_and_a_new_one_is_not_taken(interface: Interface) -> None:
    """A client that registers what it uses gets the id; documentation makes no other schema."""
    newest = _get(interface, f"/subjects/{CREATED}/versions/latest")
    schema = json.loads(newest["schema"]) | {"doc": "Said otherwise."}
    other = schema | {"fields": [*schema["fields"], {"name": "more", "type": "string"}]}

    assert _post(interface, f"/subjects/{CREATED}", schema).json() == newest
    registered = _post(interface, f"/subjects/{CREATED}/versions", schema)
    assert (registered.status_code, registered.json()) == (200, {"id": newest["id"]})
    unknown = _post(interface, f"/subjects/{CREATED}", other)
    assert (unknown.status_code, unknown.json()["error_code"]) == (404, 40403)
    refused = _post(interface, f"/subjects/{CREATED}/versions", other)
    assert (refused.status_code, refused.json()["error_code"]) == (422, 42205)


def test_compatibility_is_told_with_its_reasons(interface: Interface) -> None:
    """A field without default is none; one with a default is, against one version and all."""
    schema = json.loads(_get(interface, f"/subjects/{CREATED}/versions/latest")["schema"])
    path = f"/compatibility/subjects/{CREATED}/versions"
    wrong = schema | {"fields": [*schema["fields"], {"name": "more", "type": "string"}]}
    optional = {"name": "more", "type": ["null", "string"], "default": None}
    right = schema | {"fields": [*schema["fields"], optional]}

    for address in (path, f"{path}/latest"):
        assert _post(interface, address, right).json() == {"is_compatible": True, "messages": []}
        answer = _post(interface, address, wrong).json()
        assert answer["is_compatible"] is False
        assert any("more" in message for message in answer["messages"])


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/schemas/ids/999999", 404, 40403),
        ("/schemas/ids/-1", 404, 40403),
        ("/schemas/ids/one", 404, 40403),
        ("/subjects/be.schakel.activation.v1.Nothing/versions", 404, 40401),
        (f"/subjects/{CREATED}/versions/77", 404, 40402),
        (f"/subjects/{CREATED}/versions/0", 422, 42202),
        (f"/subjects/{CREATED}/versions/newest", 422, 42202),
        ("/config/nothing", 404, 40401),
    ],
)
def test_refusals_have_the_codes_that_clients_know(
    interface: Interface, path: str, status: int, code: int
) -> None:
    """Each in the registry's own shape."""
    answer = interface.client.call("GET", path, headers={})

    assert (answer.status_code, answer.json()["error_code"]) == (status, code)
    assert answer.headers["content-type"] == MEDIA_TYPE


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"schema": 1}',
        b'{"schema": "{"}',
        b'{"schema": "\\"string\\""}',
        b'{"schema": "{\\"type\\": \\"record\\"}"}',
        b'{"schema": "{\\"type\\": \\"record\\", \\"name\\": 7, \\"fields\\": 9}"}',
        b'{"schema": "{}", "schemaType": "PROTOBUF"}',
        json.dumps({"schema": json.dumps({"type": "record", "doc": "x" * 70_000})}).encode(),
    ],
)
def test_what_is_no_schema_is_refused(interface: Interface, body: bytes) -> None:
    """Whatever is sent: 422 with the code for an invalid schema, never a failure."""
    path = f"/compatibility/subjects/{CREATED}/versions/latest"
    answer = interface.client.call("POST", path, content=body, headers={"content-type": MEDIA_TYPE})

    assert (answer.status_code, answer.json()["error_code"]) == (422, 42201)


def test_the_registry_says_that_it_only_reads(interface: Interface) -> None:
    """Level, mode and kind, as clients ask them at their start."""
    assert _get(interface, "/config") == {"compatibilityLevel": "FULL_TRANSITIVE"}
    assert _get(interface, f"/config/{CREATED}") == {"compatibilityLevel": "FULL_TRANSITIVE"}
    assert _get(interface, "/mode") == {"mode": "READONLY"}
    assert _get(interface, "/schemas/types") == ["AVRO"]
    assert _get(interface, "/subjects?subjectPrefix=be.schakel.activation.v1.Referral")[0].endswith(
        "ReferralAccepted"
    )


def test_what_kafka_sends_is_described(interface: Interface) -> None:
    """The AsyncAPI document is served, for this installation's addresses."""
    answer = interface.client.call("GET", "/asyncapi.yaml", headers={})

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/vnd.aai.asyncapi+yaml")
    assert answer.text.startswith("asyncapi: 3.0.0\n")
    assert "protocol: kafka\n" in answer.text


def test_who_asks_too_often_is_told_so_as_described(interface: Interface) -> None:
    """Anybody may ask, so each address has its share; the description says what comes then."""
    path = "/schemas/types"
    answers = [interface.client.call("GET", path, headers={}) for _ in range(BURST + 50)]
    refused = next(one for one in answers if one.status_code != 200)
    document = interface.client.call("GET", "/openapi.json", headers={}).json()

    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_calls")
    assert int(refused.headers["retry-after"]) >= 1
    for described, operations in document["paths"].items():
        if described.startswith(("/schemas/", "/subjects", "/compatibility/", "/config", "/mode")):
            assert all("429" in one["responses"] for one in operations.values()), described
