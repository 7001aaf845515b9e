"""Publishing over HTTP, on a ledger that answers at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest

from gateway.errors import NotAllowedNow, Overloaded
from gateway.exchange.publication import ItemOutcome, Unread
from schemas import codec
from schemas.catalogue import catalogue
from schemas.errors import Message
from tests.gateway.api.conftest import PARTNER
from tests.gateway.api.fakes import receipt_for
from tests.gateway.api.samples import AVRO, CANARY, MANY, ONE, body, event, referral_data

if TYPE_CHECKING:
    from gateway.exchange.submission import Submission
    from tests.gateway.api.conftest import Interface

SOURCE = "urn:schakel:participant:"
TYPE = "be.schakel.activation.v1."
TEXT = Message(nl="Nee.", en="No.")


def test_one_event_gives_a_receipt(interface: Interface) -> None:
    """One accepted event is a 201 with the whole receipt, flat."""
    response = interface.post("/v1/events", body(event(PARTNER)), ONE)

    assert response.status_code == 201
    answer = response.json()
    assert answer["id"] == "r-1"
    assert answer["status"] == "accepted"
    assert answer["event_id"] == "0195550e-7c00-7000-8000-000000000001"
    assert answer["commitment"] == "02"
    assert answer["recorded_at"] == "2026-05-28T20:26:40Z"
    assert len(response.headers["belgov-trace-id"]) == 32


def test_a_submission_is_what_was_sent(interface: Interface) -> None:
    """Attributes and data arrive at the ledger, the data normalised."""
    sent = event(PARTNER, sourcerecordid="D-1", territorynis="24107")
    interface.post("/v1/events", body(sent), ONE)

    (submission,) = interface.ledger.requests[0].submissions
    assert submission.participant == PARTNER
    assert submission.sender_event_id == "r-1"
    assert submission.source_record_id == "D-1"
    assert submission.territory_nis == "24107"
    assert submission.occurred_at == 1_779_955_200_000_000
    assert submission.data["person"]["family_name"] == CANARY
    assert b"traceparent" not in submission.canonical
    assert b'"time"' not in submission.canonical


def test_same_content_has_one_canonical_form(interface: Interface) -> None:
    """Order of keys, time and traceparent do not make another event."""
    first = event(PARTNER)
    again = dict(reversed(event(PARTNER, time="2026-05-28T09:00:00+02:00").items()))
    again["traceparent"] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    for one in (first, again):
        assert interface.post("/v1/events", body(one), ONE).status_code == 201

    forms = {request.submissions[0].canonical for request in interface.ledger.requests}
    assert len(forms) == 1


def test_duplicate_is_200(interface: Interface) -> None:
    """An event that was recorded before is a 200 with the same receipt."""
    interface.ledger.judge = lambda one: ItemOutcome("duplicate", receipt=receipt_for(one))

    response = interface.post("/v1/events", body(event(PARTNER)), ONE)

    assert response.status_code == 200
    assert response.json()["status"] == "duplicate"


def test_refusal_names_leg_step_and_what_is_allowed(interface: Interface) -> None:
    """A refused event is a problem with the failing leg and the events allowed now."""
    error = NotAllowedNow(TEXT, leg="lifecycle", facts={"allowed": ["referral.corrected"]})
    interface.ledger.judge = lambda _one: ItemOutcome("rejected", step="lifecycle", error=error)

    response = interface.post("/v1/events", body(event(PARTNER)), ONE)

    assert response.status_code == 409
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["code"] == "not_allowed_now"
    assert problem["step"] == "lifecycle"
    assert problem["leg"] == "lifecycle"
    assert problem["allowed"] == ["referral.corrected"]


def test_avro_body_equals_json_body(interface: Interface) -> None:
    """Binary mode with an Avro body becomes the same submission as JSON."""
    event_type = catalogue().event("referral.created")
    framed = codec.frame(event_type.schema_id, codec.encode(event_type, referral_data()))
    sent = event(PARTNER)
    attributes = {f"ce-{name}": sent[name] for name in ("specversion", "id", "source", "type")}
    response = interface.post("/v1/events", framed, AVRO, **attributes, **{"ce-time": sent["time"]})

    assert response.status_code == 201
    interface.post("/v1/events", body(sent), ONE)
    first, second = (request.submissions[0] for request in interface.ledger.requests)
    assert first.data == second.data
    assert first.occurred_at == second.occurred_at


@pytest.mark.parametrize(
    ("change", "status", "code", "step"),
    [
        (
            {"source": "urn:schakel:participant:somebody-else"},
            403,
            "foreign_source",
            "authorisation",
        ),
        ({"type": "be.schakel.activation.v1.referral.advertised"}, 403, "role_not_allowed", None),
        (
            {"type": "be.schakel.activation.v1.referral.nonsense"},
            None,
            "unknown_event_type",
            "schema",
        ),
        ({"id": "bad id"}, 400, "invalid_envelope", "parse"),
        ({"time": None}, 400, "invalid_envelope", "parse"),
        ({"data": referral_data(programme="No such")}, 422, "invalid_data", "schema"),
        ({"data": referral_data(shoe_size="44")}, 400, "unknown_field", "schema"),
    ],
)
def test_refusals_before_the_ledger(
    interface: Interface,
    change: dict[str, Any],
    status: int | None,
    code: str,
    step: str | None,
) -> None:
    """What cannot be an event of this client is refused with a code, and never submitted."""
    response = interface.post("/v1/events", body(event(PARTNER, **change)), ONE)

    problem = response.json()
    assert problem["code"] == code
    assert response.status_code == (status or response.status_code)
    assert problem["step"] == (step or problem["step"])
    assert interface.ledger.requests == []


def test_scope_is_needed(interface: Interface) -> None:
    """A token without the event type's scope is refused, naming the scope."""
    response = interface.post(
        "/v1/events",
        body(event(PARTNER)),
        ONE,
        authorization=f"Bearer {PARTNER}+sj_feed_read",
    )

    assert response.status_code == 403
    assert response.json()["requiredScope"] == "sj_referral_write"


@pytest.mark.parametrize("header", [None, "Basic eDp5", "Bearer nobody", "Bearer \xe9"])
def test_token_is_needed(interface: Interface, header: str | None) -> None:
    """No token, another scheme, or an unknown token is a 401 with a challenge."""
    headers = {"content-type": ONE}
    if header is not None:
        headers["authorization"] = header
    encoded = {name: value.encode("latin-1") for name, value in headers.items()}
    response = interface.client.call("POST", "/v1/events", content=b"{}", headers=encoded)

    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert response.json()["code"] == "invalid_token"


def test_problems_never_repeat_what_was_sent(interface: Interface) -> None:
    """A refusal names fields and rules, not the person in them."""
    data = referral_data(programme=CANARY)
    data["person"]["birth_date"] = CANARY
    response = interface.post("/v1/events", body(event(PARTNER, data=data)), ONE)

    assert response.status_code == 422
    names = {one["name"] for one in response.json()["invalidParams"]}
    assert {"programme", "person.birth_date"} <= names
    assert CANARY not in response.text


def test_language_is_the_callers(interface: Interface) -> None:
    """Sentences are Dutch unless English is asked for."""
    dutch = interface.post("/v1/events", b"{}", ONE).json()
    english = interface.post("/v1/events", b"{}", ONE, **{"accept-language": "en-GB"}).json()

    assert dutch["code"] == english["code"]
    assert dutch["detail"] != english["detail"]


def test_batch_of_good_events_is_200(interface: Interface) -> None:
    """A batch that is recorded whole is a 200 with a receipt for each event, in order."""
    sent = [event(PARTNER, f"r-{number}") for number in range(60)]
    response = interface.post("/v1/events", body(sent), MANY)

    assert response.status_code == 200
    items = response.json()["items"]
    assert [item["id"] for item in items] == [one["id"] for one in sent]
    assert all(item["receipt"]["event_id"] for item in items)
    assert len(interface.ledger.requests) == 1


def test_batch_with_some_refused_is_207(interface: Interface) -> None:
    """A refused event has its step and code; the others are recorded."""
    sent = [
        event(PARTNER, "r-1"),
        event(PARTNER, "r-2", data=referral_data(programme="No such")),
        event(PARTNER, "r-3"),
    ]
    response = interface.post("/v1/events", body(sent), MANY)

    assert response.status_code == 207
    items = response.json()["items"]
    assert [item["status"] for item in items] == ["accepted", "rejected", "accepted"]
    assert items[1]["step"] == "schema"
    assert items[1]["invalidParams"][0]["name"] == "programme"


def test_batch_with_none_recorded_is_422(interface: Interface) -> None:
    """A batch of which nothing is recorded is a 422 that still has its items."""
    response = interface.post("/v1/events", body([event(PARTNER, source="x"), 3]), MANY)

    assert response.status_code == 422
    assert [item["status"] for item in response.json()["items"]] == ["rejected", "rejected"]
    assert interface.ledger.requests == []


def test_after_a_refusal_the_same_case_is_blocked(interface: Interface) -> None:
    """Later events of a case whose earlier event was refused are blocked, others go on."""
    sent = [
        event(PARTNER, "r-1", sourcerecordid="D-1", data={}),
        event(PARTNER, "r-2", sourcerecordid="D-1"),
        event(PARTNER, "r-3", sourcerecordid="D-2"),
    ]
    response = interface.post("/v1/events", body(sent), MANY)

    statuses = [item["status"] for item in response.json()["items"]]
    assert statuses == ["rejected", "blocked", "accepted"]


def test_the_ledger_hears_how_a_refused_event_called_its_case(interface: Interface) -> None:
    """Ids that are none are left out; events that were read are what comes before."""
    case, referral = (f"0195550e-7c00-7000-8000-00000000000{one}" for one in "12")
    sent = [
        event(PARTNER, "r-1"),
        event(PARTNER, "r-2", trajectoryid=case.upper(), subject="x", data={}),
        event(PARTNER, "r-3", sourcerecordid=" D-1 ", data={"referral_id": referral}),
        event(PARTNER, "r-4"),
        3,
    ]
    interface.post("/v1/events", body(sent), MANY)

    (request,) = interface.ledger.requests
    assert request.unread == (Unread(1, (case,)), Unread(1, (referral,), "D-1"))
    assert "D-1" not in repr(request)


def test_ledger_refusals_stand_in_their_place(interface: Interface) -> None:
    """What the ledger refused stands at its own event in the answer."""

    def judge(one: Submission) -> ItemOutcome:
        if one.sender_event_id == "r-2":
            return ItemOutcome("rejected", step="lifecycle", error=NotAllowedNow(TEXT))
        return ItemOutcome("accepted", receipt=receipt_for(one))

    interface.ledger.judge = judge
    sent = [event(PARTNER, "r-1", data={}), event(PARTNER, "r-2"), event(PARTNER, "r-3")]
    items = interface.post("/v1/events", body(sent), MANY).json()["items"]

    assert [(item["id"], item["status"]) for item in items] == [
        ("r-1", "rejected"),
        ("r-2", "rejected"),
        ("r-3", "accepted"),
    ]
    assert items[1]["step"] == "lifecycle"


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"[]", 400, "malformed_request"),
        (b"{}", 400, "malformed_request"),
        (b"[", 400, "malformed_json"),
        (b'[{"a":1,"a":2}]', 400, "malformed_json"),
        (b"[" + b"{}," * 500 + b"{}]", 413, "batch_too_large"),
    ],
)
def test_what_is_no_batch(interface: Interface, sent: bytes, status: int, code: str) -> None:
    """A batch is a list of 1 to 500 events in strict JSON."""
    response = interface.post("/v1/events", sent, MANY)

    assert response.status_code == status
    assert response.json()["code"] == code


def test_other_content_types_are_415(interface: Interface) -> None:
    """Plain JSON is not an event; the answer lists what is read."""
    response = interface.post("/v1/events", b"{}", "application/json")

    assert response.status_code == 415
    assert ONE in response.json()["accepts"]


def test_idempotency_key_travels_with_the_body_hash(interface: Interface) -> None:
    """The ledger gets the key and a hash of the body, to refuse another body."""
    interface.post("/v1/events", body(event(PARTNER)), ONE, **{"idempotency-key": "k-1"})

    request = interface.ledger.requests[0]
    assert request.idempotency_key == "k-1"
    assert request.request_hash is not None
    assert len(request.request_hash) == 32


def test_national_number_is_no_idempotency_key(interface: Interface) -> None:
    """A key shaped like an INSZ is refused before the body is read."""
    response = interface.post("/v1/events", b"", ONE, **{"idempotency-key": "85.07.30-033.28"})

    assert response.status_code == 400
    assert "85.07.30" not in response.text


def test_dry_run_asks_the_ledger_not_to_write(interface: Interface) -> None:
    """A dry run goes the whole way and answers 200."""
    response = interface.post("/v1/events?dry_run=true", body(event(PARTNER)), ONE)

    assert response.status_code == 200
    assert interface.ledger.requests[0].dry_run
    assert response.json()["events"] == []


def test_overload_is_503_with_retry_after(interface: Interface) -> None:
    """A full queue is a 503 that says when to come back."""
    interface.ledger.error = Overloaded(TEXT)

    response = interface.post("/v1/events", body(event(PARTNER)), ONE)

    assert response.status_code == 503
    assert int(response.headers["retry-after"]) >= 1


def test_an_unexpected_failure_is_a_problem_without_its_message(interface: Interface) -> None:
    """A fault of the hub is a 500 problem that tells nothing of the cause."""
    interface.ledger.error = RuntimeError(CANARY)

    response = interface.post("/v1/events", body(event(PARTNER)), ONE)

    assert response.status_code == 500
    assert response.json()["code"] == "internal_error"
    assert CANARY not in response.text


def test_trusted_trace_is_continued(interface: Interface) -> None:
    """A trusted client's trace goes on; anybody else gets a new one."""
    theirs = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    for token, continued in ((f"{PARTNER}+sj_referral_write+trusted", True), (PARTNER, False)):
        response = interface.post(
            "/v1/events",
            body(event(PARTNER)),
            ONE,
            authorization=f"Bearer {token}",
            traceparent=theirs,
        )
        assert (response.headers["belgov-trace-id"] == theirs[3:35]) is continued


def test_wrong_method_is_405(interface: Interface) -> None:
    """The bare paths know one method each, and say so."""
    response = interface.client.call("DELETE", "/v1/feed")

    assert response.status_code == 405
    assert response.headers["allow"] == "GET"


def test_answers_are_json(interface: Interface) -> None:
    """The answer is one JSON document."""
    response = interface.post("/v1/events", body(event(PARTNER)), ONE)

    assert response.headers["content-type"] == "application/json"
    assert orjson.loads(response.content)
