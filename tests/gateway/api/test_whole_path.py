"""The interface on the real exchange: from a form to another's inbox, on SQLite."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from consumers import inbox
from gateway.api import cursors
from gateway.exchange import audit
from schemas.envelope import event_type
from schemas.moments import to_rfc3339
from tests.gateway.api.conftest import PARTNER
from tests.gateway.api.samples import CANARY, MANY, body, event, form
from tests.gateway.api.whole_hub import OCMW, STRANGER, Hub
from tests.gateway.exchange import cast


def test_a_form_answers_as_promised(hub: Hub) -> None:
    """Exactly the members of the first referral's answer, in the caller's language."""
    response = hub.refer()

    assert response.status_code == 201
    answer = response.json()
    assert set(answer) == {
        "referral_id",
        "state",
        "trajectory_id",
        "proposed_holder",
        "answer_due",
        "message",
        "receipt",
        "next",
    }
    due = cast.TODAY + timedelta(days=14)
    assert answer["state"] == "pending_endorsement"
    assert answer["proposed_holder"] == OCMW
    assert answer["answer_due"] == due.isoformat()
    assert answer["message"].startswith(f"{OCMW} antwoordt vóór {due.day} juni;")
    assert set(answer["receipt"]) == {"event_id", "commitment", "agreement"}
    assert {"referral.corrected", "referral.withdrawn", "referral.voided"} <= set(answer["next"])


def test_the_same_form_again_is_the_same_referral(hub: Hub) -> None:
    """The same key gives the same answer; with another body it is refused."""
    first, again = hub.refer().json(), hub.refer().json()
    other = hub.refer(given_name="Bilal")

    assert first == again
    assert other.status_code == 422
    assert CANARY not in other.text


def test_the_desk_endorses_and_accepts_with_one_call(hub: Hub) -> None:
    """Two events in one commit; the same call again gives the same answer."""
    referral = hub.refer().json()["referral_id"]
    first = hub.accept(referral, first_contact_on="2026-06-02")
    again = hub.accept(referral, first_contact_on="2026-06-02")

    assert first.status_code == again.status_code == 201
    assert first.json()["state"] == "accepted"
    assert len(first.json()["receipts"]) == 2
    assert first.json() == again.json()
    assert "referral.intake_scheduled" in first.json()["next"]
    names = [one["type"] for one in hub.timeline(OCMW, first.json()["trajectory_id"])]
    assert names.index("referral.endorsed") < names.index("referral.accepted")


def test_what_needs_no_endorsement_is_only_accepted(hub: Hub) -> None:
    """A programme that is open to partners goes straight to the desk."""
    referral = hub.refer(programme="samenlevingsjob").json()
    answer = hub.accept(referral["referral_id"])

    assert referral["state"] == "sent"
    assert (answer.status_code, answer.json()["state"]) == (201, "accepted")
    assert len(answer.json()["receipts"]) == 1


def test_nothing_is_endorsed_when_the_acceptance_is_refused(hub: Hub) -> None:
    """The programme is settled at acceptance; without it the referral still waits."""
    referral = hub.refer(programme="to_be_determined", known_at="ocmw").json()
    refused = hub.accept(referral["referral_id"], "k-a")
    settled = hub.accept(referral["referral_id"], "k-b", programme="wijk_werken")

    assert refused.status_code == 422
    assert refused.json()["invalidParams"][0]["name"] == "programme"
    assert (settled.status_code, settled.json()["programme"]) == (201, "wijk_werken")


def test_only_the_desk_accepts(hub: Hub) -> None:
    """The partner itself and a stranger are refused, and a field that is none is named."""
    referral = hub.refer().json()["referral_id"]
    assert hub.accept(referral, by=PARTNER).status_code == 409
    assert hub.accept(referral, by=STRANGER).status_code == 404
    typo = hub.accept(referral, remark="x")
    assert typo.status_code == 400
    assert "remarks?" in typo.json()["invalidParams"][0]["reason"]


def test_a_form_can_be_tried(hub: Hub) -> None:
    """A dry run says who would answer and who would get what, and writes nothing."""
    headers = {"content-type": "application/json", "idempotency-key": "k-1"}
    tried = hub.call(
        PARTNER, "POST", "/v1/referrals?dry_run=true", content=body(form()), headers=headers
    )

    assert tried.status_code == 200
    assert tried.json()["proposed_holder"] == OCMW
    shown = tried.json()["events"][0]
    assert [one["participant"] for one in shown["recipients"] if "excluded" not in one] == [OCMW]
    assert hub.call(PARTNER, "GET", "/v1/trajectories").json() == {"trajectories": []}
    assert hub.refer().status_code == 201


@pytest.mark.parametrize(
    ("change", "status", "name"),
    [
        ({"informed_person_at": "2026-06-30"}, 422, "informed_person_at"),
        ({"birth_date": "2009-01-01"}, 422, "represented_by"),
        ({"nis": "71022", "postcode": None}, 422, "nis"),
        ({"programme": "lde"}, 422, "programme"),
        ({"note": "heeft een depressie"}, 422, "note"),
        ({"sourcerecordid": "71.64.12-123.01"}, 422, "sourcerecordid"),
        ({"given_nam": "Amina"}, 400, "given_nam"),
    ],
)
def test_refusals_of_the_exchange_have_the_forms_names(
    hub: Hub, change: dict[str, Any], status: int, name: str
) -> None:
    """Whatever leg refuses, the partner reads the field that it filled in, and never its value."""
    response = hub.refer(**change)

    assert response.status_code == status
    assert [one["name"] for one in response.json()["invalidParams"]] == [name]
    assert CANARY not in response.text


def test_it_reaches_the_desk_and_nobody_else(hub: Hub) -> None:
    """The OCMW reads the referral in its feed; a stranger's feed is empty."""
    answer = hub.refer().json()
    hub.route.reroute([answer["receipt"]["event_id"]])
    page = hub.call(OCMW, "GET", "/v1/feed").json()

    (delivered,) = page["events"]
    assert delivered["id"] == answer["receipt"]["event_id"]
    assert delivered["deliveredfor"] == OCMW
    assert delivered["data"]["person"]["family_name"] == CANARY
    assert hub.call(STRANGER, "GET", "/v1/feed").json()["events"] == []
    after = hub.call(OCMW, "GET", f"/v1/feed?after={page['next']}").json()
    assert (after["events"], after["behind"]) == ([], 0)


def test_a_case_of_others_looks_like_none(hub: Hub) -> None:
    """A stranger gets the same 404 for a real case and event as for invented ones."""
    answer = hub.refer().json()
    invented = "0195550e-7c00-7000-8000-000000000001"
    for path, real in (
        ("/v1/trajectories/", answer["trajectory_id"]),
        ("/v1/events/", answer["receipt"]["event_id"]),
    ):
        problems = [hub.call(STRANGER, "GET", path + one) for one in (real, invented)]
        assert [one.status_code for one in problems] == [404, 404]
        bodies = [{**one.json(), "instance": ""} for one in problems]
        assert bodies[0] == bodies[1]


def test_own_cases_are_found_by_own_number(hub: Hub) -> None:
    """The partner finds its case by its own number, with state, timeline and next events."""
    hub.publish(event(PARTNER, sourcerecordid="D-1", territorynis=cast.NIS))
    found = hub.call(PARTNER, "GET", "/v1/trajectories?sourcerecordid=D-1").json()["trajectories"]

    assert [one["state"] for one in found] == ["unassigned"]
    detail = hub.call(PARTNER, "GET", f"/v1/trajectories/{found[0]['trajectory_id']}").json()
    assert "referral.created" in [one["type"] for one in detail["timeline"]]
    referral = next(one for one in detail["aggregates"] if one["type"] == "referral")
    assert "referral.withdrawn" in referral["next"]
    assert hub.call(STRANGER, "GET", "/v1/trajectories?sourcerecordid=D-1").json() == {
        "trajectories": []
    }


def test_a_journey_tells_its_sender_where_it_is(hub: Hub) -> None:
    """The sender sees the recipients by its own id for the event."""
    hub.publish(event(PARTNER, territorynis=cast.NIS))
    journey = hub.call(PARTNER, "GET", "/v1/events/r-1").json()

    assert journey["own"] is True
    assert OCMW in [one["participant"] for one in journey["recipients"]]


def test_publishing_again_is_a_duplicate_and_other_content_a_conflict(hub: Hub) -> None:
    """The same id and content gives the same receipt; other content is 409."""
    first = hub.publish(event(PARTNER))
    again = hub.publish(event(PARTNER, time="2026-05-28T08:30:00Z"))
    other = hub.publish(event(PARTNER, sourcerecordid="D-9"))

    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert first.json()["commitment"] == again.json()["commitment"]
    assert other.json()["code"] == "event_id_reused"


def test_a_batch_and_a_dry_run(hub: Hub) -> None:
    """A dry run shows recipients and writes nothing; the batch is then recorded."""
    sent = [event(PARTNER, f"r-{number}", sourcerecordid=f"D-{number}") for number in range(3)]
    headers = {"content-type": MANY}
    dry = hub.call(PARTNER, "POST", "/v1/events?dry_run=true", content=body(sent), headers=headers)
    real = hub.publish(sent, MANY)

    assert dry.status_code == 200
    shown = dry.json()["items"][0]["events"][0]["recipients"]
    assert OCMW in [one["participant"] for one in shown]
    assert [one["status"] for one in real.json()["items"]] == ["accepted"] * 3


def test_a_bad_cursor_beyond_the_inbox(hub: Hub) -> None:
    """A position that was never given out is refused."""
    response = hub.call(OCMW, "GET", f"/v1/feed?after={cursors.encode(OCMW, 99)}")

    assert response.json()["code"] == "cursor_invalid"


def test_a_feed_replays_by_time(hub: Hub) -> None:
    """From a time come the events that reached the inbox since, and `next` goes on as ever."""
    ids = []
    for number in range(3):
        ids.append(hub.refer(f"k-{number}", phone=f"+32 000 00 00 0{number}").json())
        hub.clock.advance(60)
        hub.route.reroute([ids[-1]["receipt"]["event_id"]])
    wanted = [one["receipt"]["event_id"] for one in ids]
    second = to_rfc3339(hub.clock.now_us() - 60_000_000)
    page = hub.call(OCMW, "GET", f"/v1/feed?from={second}&limit=1").json()
    rest = hub.call(OCMW, "GET", f"/v1/feed?after={page['next']}").json()
    later = hub.call(OCMW, "GET", "/v1/feed?from=2100-01-01T00:00:00Z").json()

    assert [one["id"] for one in page["events"] + rest["events"]] == wanted[1:]
    assert (later["events"], later["next"], later["behind"]) == ([], rest["next"], 0)


def test_what_retention_removed_has_expired(hub: Hub) -> None:
    """A cursor or a time before what was removed is 410 with the way back; later ones go on."""
    first = hub.refer().json()["receipt"]["event_id"]
    hub.route.reroute([first])
    cursor = hub.call(OCMW, "GET", "/v1/feed").json()["next"]
    for number in range(2):
        answer = hub.refer(f"r-{number}", phone=f"+32 000 00 00 0{number}")
        hub.route.reroute([answer.json()["receipt"]["event_id"]])
    forgotten = to_rfc3339(hub.clock.now_us())
    hub.clock.advance(60)
    with hub.route.consumers.begin() as connection:
        inbox.forget(connection, before=hub.clock.now_us())
    refused = [
        hub.call(OCMW, "GET", f"/v1/feed?{query}")
        for query in (f"after={cursor}", f"from={forgotten}")
    ]
    since = hub.call(OCMW, "GET", f"/v1/feed?from={to_rfc3339(hub.clock.now_us())}")

    assert [(one.status_code, one.json()["code"]) for one in refused] == [
        (410, "cursor_expired")
    ] * 2
    assert refused[0].json()["backfill"] == "/v1/feed/backfill"
    assert (since.status_code, since.json()["events"]) == (200, [])
    assert hub.call(OCMW, "GET", "/v1/feed").status_code == 200


def test_keys_that_cannot_be_read_are_503(hub: Hub) -> None:
    """Without its key store the hub neither takes nor hands over, and then does both."""
    first = hub.refer().json()["receipt"]["event_id"]
    hub.route.reroute([first])
    with hub.without_keys():
        read = hub.call(OCMW, "GET", "/v1/feed")
        published = hub.refer("k-2", given_name="Bilal")
    again = hub.refer("k-2", given_name="Bilal")
    page = hub.call(OCMW, "GET", "/v1/feed").json()

    assert (read.status_code, read.json()["code"]) == (503, "unavailable")
    assert (published.status_code, published.json()["code"]) == (503, "ledger_unavailable")
    assert again.status_code == 201
    assert [one["id"] for one in page["events"]] == [first]


def test_what_is_done_about_a_person_leaves_an_audit_line(hub: Hub) -> None:
    """A rectification has one, with the event that tells more; a referral has none."""
    referral = hub.refer().json()
    change = {"person": {"phone": "+32 000 12 34 56"}}
    name = event_type("subject.details_changed")
    case = referral["trajectory_id"]
    answer = hub.publish(event(PARTNER, type=name, trajectoryid=case, data=change))

    assert answer.status_code == 201, answer.text
    with hub.route.ledger.connect() as connection:
        (line,) = audit.lines(connection)
    assert line.act == "subject.details_changed"
    assert line.target == case
    assert line.reason == f"event {answer.json()['event_id']}"
