"""The administrator's calls over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.exchange.credentials import new_private_jwk, new_secret, public_part
from tests.hub_front import PARTNER, HubFront, hub_front
from tests.registry_fixtures import demo_content, sqlite_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CALLS: list[tuple[str, Any]] = [
    ("/v1/registry/plan", {}),
    ("/v1/registry/apply", {"document": {}}),
    ("/v1/clients", None),
    ("/v1/clients", {}),
    ("/v1/clients/vdab-connector/rotate", {}),
    ("/v1/clients/vdab-connector/revoke", {}),
    ("/v1/signing-keys/rotate", {}),
]


@pytest.fixture
def front(tmp_path: Path) -> Iterator[HubFront]:
    """A hub's front on SQLite."""
    with hub_front(sqlite_url(tmp_path), tmp_path) as opened:
        yield opened


@pytest.mark.parametrize(("path", "body"), CALLS)
def test_only_administrators_may_call(front: HubFront, path: str, body: Any) -> None:
    """A partner's token is 403 and no token 401 at every call, whatever the body."""
    version = front.store.version()
    refused = front.administer(path, body, PARTNER)
    method = "GET" if body is None else "POST"
    anonymous = front.client.request(method, path, json=body)

    assert (refused.status_code, refused.json()["requiredScope"]) == (403, "sj_admin")
    assert anonymous.status_code == 401
    assert front.store.version() == version


def test_a_plan_is_shown_then_applied(front: HubFront) -> None:
    """The plan's version is what is applied to; a second apply changes nothing."""
    content = demo_content()
    content["organisations"][0]["name"] = "OCMW Tienen, nieuwe naam"
    plan = front.administer("/v1/registry/plan", content).json()
    wanted = {"document": content, "expected_version": plan["version"]}
    applied = front.administer("/v1/registry/apply", wanted).json()
    stale = front.administer("/v1/registry/apply", wanted)
    again = front.administer("/v1/registry/apply", {"document": content}).json()

    assert plan["changes"] == [
        {"kind": "organisation", "id": "urn:be:kbo:1999000150", "action": "change",
         "fields": ["name"]}
    ]  # fmt: skip
    assert applied["version"] == plan["version"] + 1
    assert front.live.current().version == applied["version"]
    assert (stale.status_code, stale.json()["code"]) == (409, "registry_changed")
    assert again["changes"] == []


def test_a_file_with_faults_is_a_problem_with_all_of_them(front: HubFront) -> None:
    """422 with one invalid parameter a fault."""
    content = demo_content()
    content["extra"] = 1
    content["organisations"][0]["colour"] = "red"
    answer = front.administer("/v1/registry/plan", content)

    assert (answer.status_code, answer.json()["code"]) == (422, "registry_invalid")
    assert [one["name"] for one in answer.json()["invalidParams"]] == [
        "extra",
        "organisations[0].colour",
    ]


def test_a_client_lives(front: HubFront) -> None:
    """Made, it gets tokens; rotated, with the new key too; revoked, none, at once."""
    first, second = new_private_jwk(), new_private_jwk()
    wanted: dict[str, Any] = {
        "id": "ocmw-tienen-second",
        "participant": "ocmw-tienen",
        "scopes": ["sj_feed_read"],
        "jwk": public_part(first),
    }
    made = front.administer("/v1/clients", wanted)
    twice = front.administer("/v1/clients", wanted)

    def asked(key: dict[str, Any]) -> int:
        assertion = front.assertion(wanted["id"], key=key, header={"kid": key["kid"]})
        return front.ask(assertion).status_code

    assert (made.status_code, twice.status_code, asked(first)) == (201, 409, 200)
    path = f"/v1/clients/{wanted['id']}"
    rotated = front.administer(
        f"{path}/rotate", {"jwk": public_part(second), "overlap_seconds": 60}
    ).json()
    assert [one["kid"] for one in rotated["credentials"]] == [second["kid"], first["kid"]]
    assert (asked(first), asked(second)) == (200, 200)

    assert front.administer(f"{path}/revoke", {}).json()["status"] == "revoked"
    assert (asked(first), asked(second)) == (401, 401)


def test_a_secret_never_comes_back(front: HubFront) -> None:
    """A client with a secret works, and no answer holds the secret or its hash."""
    secret = new_secret()
    wanted: dict[str, Any] = {
        "id": "ocmw-with-secret",
        "participant": "ocmw-tienen",
        "scopes": ["sj_feed_read"],
        "secret": secret,
    }
    made = front.administer("/v1/clients", wanted)
    listed = front.administer("/v1/clients")
    token = front.client.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, auth=(wanted["id"], secret)
    )

    assert (made.status_code, token.status_code) == (201, 200)
    assert made.json()["auth"] == "client_secret_basic"
    for answer in (made, listed):
        assert secret not in answer.text
        assert "scrypt" not in answer.text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"jwk": None}, 400),
        ({"jwk": {"kty": "oct", "k": "AAAA"}}, 422),
        ({"jwk": new_private_jwk()}, 422),
        ({"secret": "short"}, 400),
        ({"secret": "x" * 40, "jwk": public_part(new_private_jwk())}, 400),
        ({"secret": "x" * 40}, 422),
        ({"jwk": public_part(new_private_jwk()), "overlap_seconds": -1}, 422),
        ({"jwk": public_part(new_private_jwk()), "extra": 1}, 400),
    ],
    ids=range(8),
)
def test_a_wrong_credential_is_refused(front: HubFront, body: dict[str, Any], status: int) -> None:
    """Private, symmetric, double, missing or wrong kinds of proof change nothing."""
    version = front.store.version()
    answer = front.administer("/v1/clients/vdab-connector/rotate", body)

    assert answer.status_code == status
    assert front.store.version() == version


def test_an_unknown_client_is_not_found(front: HubFront) -> None:
    """404, for rotating and for revoking."""
    body = {"jwk": public_part(new_private_jwk())}
    assert front.administer("/v1/clients/nobody/rotate", body).status_code == 404
    assert front.administer("/v1/clients/nobody/revoke", {}).status_code == 404


def test_the_signing_key_is_rotated(front: HubFront) -> None:
    """Too soon after the last time it is refused with how long to wait; an emergency is not."""
    before = front.signing.current().kid
    soon = front.administer("/v1/signing-keys/rotate", {})
    emergency = front.administer("/v1/signing-keys/rotate", {"emergency": True})

    assert (soon.status_code, soon.json()["code"]) == (409, "rotation_too_soon")
    assert emergency.status_code == 200
    assert front.signing.current().kid == emergency.json()["current"] != before
