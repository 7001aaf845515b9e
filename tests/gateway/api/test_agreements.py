"""`/v1/agreements`: parties see and sign their agreements, for everybody else there are none."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator

from consumers.clock import FixedClock
from gateway.api import agreements, openapi
from gateway.exchange.registry_document import parse
from schemas.agreement import document_hash
from schemas.canonical import canonical
from tests.agreement_parties import OCMW, ORGANISER, Signers, draft
from tests.hub_front import ADMIN, HubFront, hub_front
from tests.registry_fixtures import sqlite_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

OURS, THEIRS, STRANGER = "ocmw-tienen-connector", "wijkwerk-hageland-connector", "vdab-connector"
NAMED = {OURS: OCMW, THEIRS: ORGANISER}
ID = "test-2026-001"


class Desk:
    """A hub's front whose organisations have keys."""

    def __init__(self, front: HubFront) -> None:
        self.front = front
        self.signers = Signers()
        front.store.apply(parse(self.signers.content(), "test"), "test")
        front.live.refresh()
        self._tokens: dict[str, str] = {}

    def call(self, client: str, method: str, path: str, body: Any = None) -> httpx.Response:
        """One call of a client."""
        if client not in self._tokens:
            self._tokens[client] = self.front.token(client)
        headers = {"authorization": f"Bearer {self._tokens[client]}"}
        return self.front.client.request(method, path, json=body, headers=headers)

    def propose(self, document: dict[str, Any], client: str = OURS) -> httpx.Response:
        """A proposal."""
        return self.call(client, "POST", "/v1/agreements", document)

    def act(self, act: str, client: str, document: dict[str, Any] | None = None) -> httpx.Response:
        """A signed act of a party."""
        jws = self.signers.signed(document or draft(), act, NAMED[client])
        return self.call(client, "POST", f"/v1/agreements/{ID}/{act}", {"jws": jws})


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk on SQLite."""
    with hub_front(sqlite_url(tmp_path), tmp_path) as front:
        yield Desk(front)


def without_instance(answer: httpx.Response) -> tuple[int, dict[str, Any]]:
    """Status and problem, without the trace's id."""
    return answer.status_code, {**answer.json(), "instance": ""}


def test_answers_are_as_described(desk: Desk) -> None:
    """Each answer fits the schema that the description names for it, and the body's does too."""
    app = FastAPI()
    app.include_router(
        agreements.router(
            live=desk.front.live,
            store=None,  # type: ignore[arg-type]  # the description asks nothing of it
            verifier=desk.front.verifier,
            clock=FixedClock(),
        )
    )
    whole = openapi.describe(app, "https://hub.example.org")
    described = whole["components"]
    named = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(whole["paths"])))
    assert {"Agreement", "AgreementDocument", "AgreementPreview", "Trial"} <= named
    assert named <= described["schemas"].keys()

    def fits(name: str, value: Any) -> None:
        schema = {"$ref": f"#/components/schemas/{name}", "components": described}
        Draft202012Validator(schema).validate(value)

    trial = {"document": draft(), "event": "referral.created", "to": "wijkwerk-hageland"}
    fits("AgreementDocument", draft())
    fits("Agreement", desk.propose(draft()).json())
    fits("Agreement", desk.act("accept", OURS).json())
    fits("AgreementList", desk.call(OURS, "GET", "/v1/agreements").json())
    desk.propose(draft("test-2026-002", validity={"from": "2026-01-01"}))
    path = f"/v1/agreements/test-2026-002/diff?against={ID}"
    fits("AgreementDiff", desk.call(OURS, "GET", path).json())
    fits("AgreementPreview", desk.call(OURS, "POST", "/v1/agreements/preview", trial).json())


def test_two_parties_agree_and_one_ends_it(desk: Desk) -> None:
    """Proposed 201, again 200, active after the second signature, revoked by either."""
    first = desk.propose(draft())
    again = desk.propose(draft(), THEIRS)
    desk.act("accept", OURS)
    active = desk.act("accept", THEIRS).json()
    shown = desk.call(THEIRS, "GET", f"/v1/agreements/{ID}").json()
    ended = desk.act("revoke", THEIRS).json()

    assert (first.status_code, again.status_code) == (201, 200)
    assert (first.json()["status"], active["status"], ended["status"]) == (
        "proposed",
        "active",
        "revoked",
    )
    assert first.json()["allowed"] == ["accept", "reject"]
    assert (active["allowed"], ended["allowed"]) == (["revoke"], [])
    assert shown == active
    assert [(one["act"], one["party"]) for one in ended["acts"]] == [
        ("accept", OCMW),
        ("accept", ORGANISER),
        ("revoke", ORGANISER),
    ]
    assert all("d" not in one["key"] and one["jws"].count(".") == 2 for one in ended["acts"])
    granting = desk.front.live.current().grants.grants_from(OCMW)
    assert ID not in [one.agreement_id for one in granting]


def test_the_hash_is_of_the_document_that_is_served(desk: Desk) -> None:
    """Anybody can fetch the bytes and hash them; the spelling that was sent does not matter."""
    shown = desk.propose(dict(reversed(draft().items()))).json()
    answer = desk.call(THEIRS, "GET", f"/v1/agreements/{ID}/document")

    assert answer.content == canonical(draft())
    assert hashlib.sha256(answer.content).hexdigest() == shown["document_hash"]
    assert answer.headers["etag"] == f'"{document_hash(draft())}"'


def test_a_stranger_cannot_tell_it_from_nothing(desk: Desk) -> None:
    """Every call on an agreement of others answers as one on an id that does not exist."""
    desk.propose(draft())
    jws = {"jws": desk.signers.signed(draft(), "accept", OCMW)}
    for method, path, body in (
        ("GET", "", None),
        ("GET", "/document", None),
        ("GET", f"/diff?against={ID}", None),
        ("POST", "/accept", jws),
        ("POST", "/reject", jws),
        ("POST", "/revoke", jws),
    ):
        answers = [
            without_instance(desk.call(STRANGER, method, f"/v1/agreements/{one}{path}", body))
            for one in (ID, "no-such-agreement")
        ]
        assert answers[0] == answers[1]
        assert answers[0][0] == 404

    seen = desk.call(STRANGER, "GET", "/v1/agreements").json()["agreements"]
    assert ID not in [one["agreement_id"] for one in seen]
    assert desk.call(ADMIN, "GET", f"/v1/agreements/{ID}").status_code == 404
    listed = desk.call(OURS, "GET", "/v1/agreements?status=proposed").json()["agreements"]
    assert [one["agreement_id"] for one in listed] == [ID]


def test_without_token_or_scope_nothing_is_signed(desk: Desk) -> None:
    """401 without a token; 403 for an administrator, who has no agreements to sign."""
    calls = [
        ("/v1/agreements", draft()),
        ("/v1/agreements/preview", {"document": draft(), "event": "referral.created", "to": "x"}),
        (f"/v1/agreements/{ID}/accept", {"jws": "a.b.c"}),
    ]
    for path, body in calls:
        assert desk.front.client.post(path, json=body).status_code == 401
        refused = desk.call(ADMIN, "POST", path, body)
        assert (refused.status_code, refused.json()["requiredScope"]) == (
            403,
            "sj_agreement_write",
        )


def test_refusals_are_problems(desk: Desk) -> None:
    """Each with its own code, and the path of what is wrong."""
    grants = [{**draft()["grants"][0], "from": ORGANISER}]
    other = desk.propose(draft(parties=[ORGANISER, "urn:be:kbo:0887010362"], grants=grants))
    unknown = desk.propose(draft(colour="red"))
    desk.propose(draft())
    edited = desk.propose(draft(validity={"from": "2026-02-01"}))
    early = desk.act("revoke", OURS)
    bad = desk.call(OURS, "POST", f"/v1/agreements/{ID}/accept", {"jws": "a.b.c"})
    odd = desk.call(OURS, "POST", f"/v1/agreements/{ID}/approve", {"jws": "a.b.c"})
    nothing = desk.call(OURS, "POST", f"/v1/agreements/{ID}/accept", {})

    assert [(one.status_code, one.json()["code"]) for one in (other, unknown, edited, early)] == [
        (403, "not_a_party"),
        (422, "invalid_agreement"),
        (409, "agreement_exists"),
        (409, "agreement_state"),
    ]
    assert [one["name"] for one in unknown.json()["invalidParams"]] == ["colour"]
    assert (bad.status_code, bad.json()["code"]) == (422, "signature_refused")
    assert early.json()["allowed"] == ["accept", "reject"]
    assert (odd.status_code, nothing.status_code) == (404, 400)


def test_two_agreements_are_compared_in_words(desk: Desk) -> None:
    """What the newer adds and takes away, in both languages."""
    desk.propose(draft())
    wider = draft("test-2026-002", supersedes=ID)
    wider["grants"][0]["fieldsets"] = ["core", "name"]
    desk.propose(wider)
    answer = desk.call(THEIRS, "GET", f"/v1/agreements/test-2026-002/diff?against={ID}").json()

    assert [(one["place"], one["kind"]) for one in answer["differences"]] == [
        ("grants[0].fieldsets", "added"),
        ("grants[0].fieldsets", "removed"),
    ]
    assert answer["differences"][0]["said"] == {
        "nl": "komt erbij: veldgroep name",
        "en": "added: field set name",
    }


def test_a_draft_is_tried_before_anybody_signs(desk: Desk) -> None:
    """What the organiser would see of a referral, and why not the rest; nothing is kept."""
    trial = {
        "document": draft(),
        "event": "referral.created",
        "to": "wijkwerk-hageland",
        "territory": "24107",
        "relations": ["target", "handler"],
        "data": {"programme": "wijk_werken", "person": {"given_name": "An"}, "insz": "x"},
    }
    version = desk.front.store.version()
    found = desk.call(OURS, "POST", "/v1/agreements/preview", trial).json()
    legs = {one["path"]: one["leg"] for one in found["fields"]}
    elsewhere = desk.call(
        OURS, "POST", "/v1/agreements/preview", {**trial, "territory": "24062"}
    ).json()

    assert (found["delivered"], found["grant"]["purpose"]) == (True, "activation_referral")
    assert (legs["programme"], legs["insz"]) == (None, "fieldset")
    assert found["data"] == {"programme": "wijk_werken"}
    assert (elsewhere["delivered"], elsewhere["leg"], elsewhere["data"]) == (
        False,
        "territory",
        {},
    )
    assert desk.front.store.version() == version
    assert desk.call(STRANGER, "POST", "/v1/agreements/preview", trial).status_code == 403
    for change in ({"to": "nobody"}, {"territory": "99999"}, {"event": "referral.dreamt"}):
        assert desk.call(OURS, "POST", "/v1/agreements/preview", trial | change).status_code in {
            400,
            422,
        }


BODIES = {
    "twice": b'{"agreement_id":"a","agreement_id":"b"}',
    "nan": b'{"agreement_id":NaN}',
    "nul": b'{"agreement_id":"\\u0000"}',
    "surrogate": b'{"agreement_id":"\\ud800"}',
    "deep": b'{"a":' + b"[" * 600 + b"]" * 600 + b"}",
    "deeper": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "list": b"[]",
    "bytes": b"\xff",
}


@pytest.mark.parametrize("path", ["", "/preview", f"/{ID}/accept"])
def test_a_body_with_two_meanings_is_refused(desk: Desk, path: str) -> None:
    """Whatever a parser could read in its own way never reaches a hash; always 400, never 5xx."""
    headers = {
        "authorization": f"Bearer {desk.front.token(OURS)}",
        "content-type": "application/json",
    }
    answers = {
        name: desk.front.client.post(
            f"/v1/agreements{path}", content=body, headers=headers
        ).status_code
        for name, body in BODIES.items()
    }

    assert answers == dict.fromkeys(BODIES, 400)
