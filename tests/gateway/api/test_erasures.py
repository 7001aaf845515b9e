"""Orders to erase over HTTP: who may order, read and confirm, and what the report says."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError

from consumers.database import Stores
from gateway.api.cases import Cases
from gateway.api.erasures import Desk, router
from gateway.api.framework import refuse
from gateway.exchange.locating import Locator
from gateway.exchange.proof_keys import ProofKeys
from schemas import erasure_report
from schemas.errors import InvalidProof, SchakelError
from tests.gateway.api import fakes
from tests.gateway.exchange.erasure_world import INSZ, NUMBER, ErasureWorld, erasing
from tests.gateway.exchange.exchange_world import CANARY, CAW, OCMW, ORGANISER, VDAB
from tests.hub_front import served
from tests.store_fixtures import migrated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GROUND = {"legal_ground": "gdpr_17_1_a", "reason": "asked in writing"}


@dataclass
class Front:
    """The routes over a real exchange."""

    world: ErasureWorld
    client: httpx.Client
    proof: ProofKeys

    def call(self, who: str, path: str = "", body: Any = None, key: str = "k-1") -> httpx.Response:
        """POST a body, or GET without one."""
        headers = {"authorization": f"Bearer {who}", "idempotency-key": key}
        path = f"/v1/erasures{path}"
        if body is None:
            return self.client.get(path, headers=headers)
        return self.client.post(path, json=body, headers=headers)

    def order(self, who: str = CAW, key: str = "k-1", **named: str) -> httpx.Response:
        """An order about the person of the case."""
        return self.call(who, "", {"trajectory_id": self.world.case, **GROUND, **named}, key)


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    """On SQLite."""
    with ExitStack() as stack:
        made = stack.enter_context(erasing(migrated(Stores.sqlite(tmp_path)), tmp_path))
        world = made.world
        proof = ProofKeys(world.engines["ledger"], made.kek)
        known = {one.id: one.role for one in world.registry.participants.values()}
        locator = Locator(world.keys.blind_index_key())
        desk = Desk(
            erasures=made.erasures,
            store=made.store,
            cases=Cases(world.engines["ledger_read"], world.engines["consumers_read"], locator),
            registry=lambda: world.registry,
            pseudonym_key=world.keys.pseudonym_key,
            sign=proof.sign_document,
            verifier=fakes.ReadableTokens(known),
            clock=world.clock,
            hub="https://hub.example.org",
        )
        app = FastAPI()
        for kind in (SchakelError, RequestValidationError):
            app.add_exception_handler(kind, refuse)
        app.include_router(router(desk))
        address = stack.enter_context(served(app))
        yield Front(made, stack.enter_context(httpx.Client(base_url=address)), proof)


def test_an_order_is_taken_by_case_own_number_or_reference(front: Front) -> None:
    """Each names the same person; the answer says what it is about and nothing of who it is."""
    first = front.order()
    reference = first.json()["subjectref"]
    tried = [
        front.call(CAW, "?dry_run=true", {**GROUND, name: value}, "k-2")
        for name, value in (("sourcerecordid", NUMBER), ("subjectref", reference))
    ]

    assert first.status_code == 201, first.text
    assert first.json()["cases"] == [front.world.case]
    assert [one.status_code for one in tried] == [200, 200]
    assert {tuple(one.json()["cases"]) for one in tried} == {(front.world.case,)}
    assert CANARY not in first.text


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({**GROUND}, "invalid_parameter"),
        ({**GROUND, "trajectory_id": "a", "subjectref": "b"}, "invalid_parameter"),
        ({**GROUND, "sourcerecordid": "unknown"}, "not_found"),
        ({**GROUND, "subjectref": "unknown"}, "not_found"),
        ({**GROUND, "trajectory_id": "unknown"}, "not_found"),
    ],
)
def test_who_is_meant_has_to_be_known(front: Front, body: dict[str, str], code: str) -> None:
    """Once, and by something the caller has."""
    assert front.call(CAW, "", body).json()["code"] == code


def test_what_is_said_of_it_is_checked(front: Front) -> None:
    """A ground of the list, a reason without a number, and a key that is not used again."""
    ground = front.order(legal_ground="because")
    reason = front.order(reason=f"about {INSZ}")
    front.order()
    reused = front.order(legal_ground="gdpr_17_1_c")
    bare = front.client.post("/v1/erasures", headers={"authorization": f"Bearer {CAW}"}, json={})

    assert [one["name"] for one in ground.json()["invalidParams"]] == ["legal_ground"]
    assert [one["name"] for one in reason.json()["invalidParams"]] == ["reason"]
    assert INSZ not in reason.text
    assert reused.json()["code"] == "idempotency_key_reused"
    assert bare.status_code == 400


def test_a_duty_is_a_conflict_that_names_it(front: Front) -> None:
    """What, and until when."""
    refused = front.order(OCMW)

    assert (refused.status_code, refused.json()["code"]) == (409, "duty_to_keep")
    assert {one["code"] for one in refused.json()["invalidParams"]} == {
        "case_holder",
        "open_referral",
    }


def test_an_order_exists_for_its_orderer_alone(front: Front) -> None:
    """Others get what they get for an invented one; a token without the scope gets nothing."""
    order = front.order().json()["erasure_id"]
    front.world.settle()
    for who in (OCMW, ORGANISER, VDAB):
        for path in (f"/{order}", f"/{order}/report"):
            real, invented = front.call(who, path), front.call(who, path.replace(order, "none"))
            assert real.status_code == invented.status_code == 404
            assert {**real.json(), "instance": ""} == {**invented.json(), "instance": ""}
    assert front.call(VDAB, f"/{order}/receipts", {"erased": True}).status_code == 404
    assert front.call(f"{CAW}+sj_feed_read", f"/{order}").json()["code"] == "missing_scope"


def test_a_receiver_confirms_by_the_event_that_told_it(front: Front) -> None:
    """It finds what it has to confirm, and confirms once."""
    order = front.order().json()["erasure_id"]
    front.world.settle()
    (asked,) = front.call(OCMW).json()["to_confirm"]
    assert (asked["erasure_id"], asked["confirmed_at"]) == (order, None)
    event = front.world.world.inbox(OCMW)[-1].event_id

    assert front.call(OCMW, f"/{event}/receipts", {"erased": False}).status_code == 400
    first = front.call(OCMW, f"/{event}/receipts", {"erased": True})
    again = front.call(OCMW, f"/{order}/receipts", {"erased": True})
    assert first.status_code == 200, first.text
    assert first.json() == again.json()
    (told,) = front.call(CAW, f"/{order}").json()["told"]
    assert told["confirmed_at"] == first.json()["confirmed_at"]


def test_the_report_is_signed_and_says_what_remains(front: Front) -> None:
    """In both languages, pseudonymised and not anonymous; a changed word does not hold."""
    order = front.order().json()["erasure_id"]
    front.world.settle()
    front.world.rotate()
    report = front.call(CAW, f"/{order}/report").json()
    signature = report.pop("signature")

    keys = front.proof.public
    assert keys.read_document(erasure_report.TYPE, signature) == report
    with pytest.raises(InvalidProof):
        keys.read_document("another-kind", signature)
    assert report["erased"]["events"] == {"referral.created": 1, "trajectory.opened": 1}
    assert report["erased"]["final_at"] is not None
    assert report["nature"] == "pseudonymised"
    assert {"ids", "types", "times", "organisations", "ciphertext"} <= set(report["remains"])
    assert "gepseudonimiseerd, niet anoniem" in report["text"]["nl"]
    assert "did not confirm" in report["text"]["en"]
    assert CANARY not in str(report)
