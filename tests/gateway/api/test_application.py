"""What all routes share: problems, the description, and what it says of the routes there are."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator, FormatChecker

from gateway.api import openapi
from gateway.api.application import create_app
from gateway.oauth.fetching import unavailable
from schemas import envelope
from tests.gateway.api import fakes
from tests.gateway.api.asgi import AsgiClient
from tests.gateway.api.conftest import PARTNER
from tests.gateway.api.parties import roles
from tests.gateway.api.samples import event
from tests.schemas.test_examples import EXAMPLES, Example, named

if TYPE_CHECKING:
    from gateway.oauth.senders import Sender
    from gateway.oauth.verifier import Principal
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


def test_every_operation_names_what_any_call_may_meet(interface: Interface) -> None:
    """No description is left with FastAPI's own 422, or without the refusals of the limits."""
    paths = interface.client.call("GET", "/openapi.json").json()["paths"]

    for operation in (one for operations in paths.values() for one in operations.values()):
        named = set(operation["responses"])
        assert {"431", "503"} <= named
        assert {"401", "403"} <= named or operation.get("security") == []
        assert {"400", "408", "413"} <= named or "requestBody" not in operation
        assert "HTTPValidationError" not in repr(operation)


@pytest.fixture(scope="module")
def submitted() -> Draft202012Validator:
    """A validator of what `POST /v1/events` takes, from the served description alone."""
    document = openapi.describe(FastAPI(), "https://hub.example.org")
    schema = {"$ref": "#/components/schemas/SubmittedEvent", "components": document["components"]}
    return Draft202012Validator(schema, format_checker=FormatChecker())


@pytest.mark.parametrize("example", EXAMPLES, ids=named)
def test_description_takes_every_example_event(
    submitted: Draft202012Validator, example: Example
) -> None:
    """An event with an example's data fits, unless only the hub sends it; with others' it does not.

    What is wrong is said about the data, not about the whole event.
    """
    sent = event(PARTNER, type=envelope.event_type(example.event.name), data=example.data)
    wrong = {**sent, "data": {**example.data, "unheard_of": 1}}

    assert submitted.is_valid(sent) is not example.event.hub_only
    assert ["data"] in [list(one.absolute_path) for one in submitted.iter_errors(wrong)] or (
        example.event.hub_only
    )


def test_description_ties_data_to_the_type(submitted: Draft202012Validator) -> None:
    """The data of one type do not fit another."""
    referral = event(PARTNER)
    other = {**referral, "type": envelope.event_type("placement.started")}

    assert submitted.is_valid(referral)
    assert not submitted.is_valid(other)


class SlowTokens(fakes.ReadableTokens):
    """Tokens whose issuer would have to be asked; notes on which thread it was."""

    def __init__(self) -> None:
        super().__init__(roles())
        self.threads: set[str] = set()

    def may_block(self, token: str) -> bool:  # noqa: ARG002 - the interface's
        """Always."""
        return True

    def verify(self, token: str, sender: Sender) -> Principal:
        """As usual, on whatever thread."""
        self.threads.add(threading.current_thread().name)
        if token == "away":
            raise unavailable("too_slow")
        return super().verify(token, sender)


def test_an_issuer_is_asked_off_the_event_loop(interface: Interface) -> None:
    """A token that takes a question is checked on a thread of the pool, also on bare endpoints."""
    slow = SlowTokens()
    app = create_app(replace(interface.collaborators, verifier=slow))
    with AsgiClient(app) as client:
        loop = client.run(_thread_name())
        for path in ("/v1/feed", "/v1/me"):
            good = client.call("GET", path, headers={"authorization": f"Bearer {PARTNER}"})
            assert good.status_code == 200
        away = client.call("GET", "/v1/feed", headers={"authorization": "Bearer away"})

    assert loop not in slow.threads
    assert (away.status_code, away.json()["code"]) == (503, "issuer_unavailable")
    assert int(away.headers["retry-after"]) >= 1


async def _thread_name() -> str:
    return threading.current_thread().name
