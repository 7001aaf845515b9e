"""What all routes share: problems, the description, and what it says of the routes there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.gateway.api.conftest import PARTNER

if TYPE_CHECKING:
    from tests.gateway.api.conftest import Interface


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("DELETE", "/v1/me", 405, "method_not_allowed"),
        ("GET", "/v1/trajectories?limit=x", 400, "invalid_parameter"),
        ("GET", "/v1/trajectories?state=x", 400, "invalid_parameter"),
        ("GET", "/v1/trajectories?updated_since=x", 400, "invalid_parameter"),
        ("GET", "/v1/trajectories/0195550e-7c00-7000-8000-000000000001", 404, "not_found"),
        ("GET", "/v1/events/0195550e-7c00-7000-8000-000000000001", 404, "not_found"),
    ],
)
def test_framework_refusals_are_problems(
    interface: Interface, method: str, path: str, status: int, code: str
) -> None:
    """Whatever the framework refuses is a coded problem with the trace's name."""
    headers = {"authorization": f"Bearer {PARTNER}"}
    response = interface.client.call(method, path, headers=headers)

    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == code
    assert response.json()["instance"].endswith(response.headers["belgov-trace-id"])


def test_me_says_who_one_is(interface: Interface) -> None:
    """Participant, role, organisation, scopes and agreements."""
    me = interface.get("/v1/me").json()

    assert me["participant"] == PARTNER
    assert me["role"] == "local_partner"
    assert me["agreements"][0]["agreement_id"] == "prot-2026-001"
    assert "sj_feed_read" in me["scopes"]


@pytest.mark.parametrize("path", ["/v1/me", "/v1/trajectories", "/v1/events/x"])
def test_reads_need_a_token(interface: Interface, path: str) -> None:
    """Without a token every read is a 401 problem with a challenge."""
    response = interface.client.call("GET", path)

    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")


def test_description_holds_every_path_and_resolves(interface: Interface) -> None:
    """The bare endpoints are described too, and every reference leads somewhere."""
    document = interface.client.call("GET", "/openapi.json").json()

    assert document["openapi"] == "3.1.0"
    assert {"/v1/events", "/v1/feed", "/v1/referrals", "/v1/me"} <= set(document["paths"])
    references: list[str] = []

    def walk(value: object) -> None:
        if isinstance(value, dict):
            references.extend(value[name] for name in value if name == "$ref")
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(document)
    for reference in references:
        found = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
