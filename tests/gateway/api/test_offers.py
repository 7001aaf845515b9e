"""Open places: searched by everybody, live after every statement, and about no person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.api.throttle import Throttle
from gateway.errors import TooManyCalls
from tests.gateway.api.samples import ONE, body, event
from tests.gateway.exchange import cast

if TYPE_CHECKING:
    import httpx

    from tests.gateway.api.conftest import Interface
    from tests.gateway.api.whole_hub import Hub

OWNER, OCMW = cast.RELATED["W"], cast.RELATED["O"]
ELSEWHERE = "24062"


def offer(**changes: Any) -> dict[str, Any]:
    """The data of an offer; a change to None leaves the field out."""
    whole = {
        "title": "Groendienst",
        "description": "Samen het park onderhouden.",
        "activity_code": "green_maintenance",
        "host_org": cast.urn_of(cast.RELATED["H"]),
        "location": {"name": "Park", "nis": cast.NIS},
        "places": 3,
        "programme_scope": ["wijk_werken"],
        "mentor_available": True,
        "community_need": "green",
        "dayparts": ["monday_morning"],
        "languages": ["nl"],
        "accessibility": ["public_transport_near"],
        "valid_to": "2026-12-31",
        "non_displacement": {
            "declared": True,
            "declared_by": "Directie",
            "declared_on": "2026-05-01",
            "grounds": ["additional_task"],
        },
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not None}


def send(
    hub: Hub, name: str, data: dict[str, Any], *, by: str = OWNER, key: str = "", **attributes: Any
) -> httpx.Response:
    """Publish one event of an offer."""
    made = event(
        by,
        key or f"{name}-{len(str(data))}-{attributes.get('subject', '')[-4:]}",
        type=f"be.schakel.activation.v1.{name}",
        data=data,
        **attributes,
    )
    return hub.call(by, "POST", "/v1/events", content=body(made), headers={"content-type": ONE})


def publish(hub: Hub, key: str = "o-1", **changes: Any) -> str:
    """The id of a published offer."""
    response = send(hub, "offer.published", offer(**changes), key=key)
    assert response.status_code == 201, response.text
    return str(response.json()["aggregate_id"])


def search(hub: Hub, query: str = "") -> list[dict[str, Any]]:
    """What anybody finds, without a token."""
    response = hub.client.call("GET", f"/v1/offers{query}")
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["offers"]
    return found


def test_anybody_sees_open_places(hub: Hub) -> None:
    """The public fields as they were published, and what is free; nothing of the declaration."""
    offer_id = publish(hub)
    (found,) = search(hub)

    assert found["offer_id"] == offer_id
    assert (found["nis"], found["municipality"]) == (cast.NIS, "Tienen")
    assert (found["organisation"], found["free_places"], found["waiting"]) == (OWNER, 3, 0)
    shown = offer(non_displacement=None)
    assert {name: found[name] for name in shown} == shown
    assert "non_displacement" not in found


def test_capacity_is_live(hub: Hub) -> None:
    """Right after the owner's statement it is what the search says, and what `free` goes by."""
    offer_id = publish(hub)
    answer = send(hub, "offer.capacity_changed", {"free_places": 0, "waiting": 2}, subject=offer_id)

    assert answer.status_code == 201
    assert (search(hub)[0]["free_places"], search(hub)[0]["waiting"]) == (0, 2)
    assert search(hub, "?free=true") == []


def test_updates_are_shown_and_drafts_are_not(hub: Hub) -> None:
    """A change replaces a field and `cleared` takes one away; drafts are not shown."""
    offer_id = publish(hub)
    publish(hub, "o-2", non_displacement=None)
    change = {"title": "Groenploeg", "cleared": ["community_need", "dayparts"]}
    assert send(hub, "offer.updated", change, subject=offer_id).status_code == 201
    (found,) = search(hub)

    assert found["title"] == "Groenploeg"
    assert "community_need" not in found
    assert "dayparts" not in found
    assert send(hub, "offer.withdrawn", {"reason": "budget"}, subject=offer_id).status_code == 201
    assert search(hub) == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (f"?nis={cast.NIS}", 1),
        (f"?nis={ELSEWHERE}", 0),
        ("?programme=wijk_werken", 1),
        ("?programme=art60_7", 0),
        ("?daypart=monday_morning", 1),
        ("?daypart=friday_afternoon", 0),
        ("?language=nl", 1),
        ("?language=fr", 0),
        ("?accessibility=public_transport_near", 1),
        ("?accessibility=step_free", 0),
        ("?activity_code=green_maintenance", 1),
        ("?activity_code=animal_care", 0),
        (f"?nis={cast.NIS}&programme=wijk_werken&free=true", 1),
    ],
)
def test_offers_are_found_by_what_they_are(hub: Hub, query: str, found: int) -> None:
    """Each filter narrows, and they narrow together."""
    publish(hub)

    assert len(search(hub, query)) == found


def test_what_ended_is_not_shown(hub: Hub) -> None:
    """The day after `valid_to` it is gone, before the hub has let it lapse."""
    publish(hub, valid_to="2026-05-29")
    assert len(search(hub)) == 1
    hub.clock.advance(2 * 86_400)

    assert search(hub) == []


def test_pages_follow_each_other(hub: Hub) -> None:
    """`next` leads on, and is null on the last page."""
    known = {publish(hub, f"o-{number}") for number in range(5)}
    seen, after = [], ""
    while True:
        page = hub.client.call("GET", f"/v1/offers?limit=2&after={after}").json()
        seen += [one["offer_id"] for one in page["offers"]]
        if page["next"] is None:
            break
        after = page["next"]

    assert len(seen) == 5
    assert set(seen) == known


@pytest.mark.parametrize(
    "query",
    ["?nis=99999", "?programme=workfare", "?daypart=night", "?language=klingon", "?limit=0"],
)
def test_a_wrong_filter_is_named(interface: Interface, query: str) -> None:
    """An empty answer would look like no places."""
    response = interface.client.call("GET", f"/v1/offers{query}")

    assert response.status_code == 400
    assert response.json()["invalidParams"][0]["name"] == query[1:].partition("=")[0]


def test_an_unchanged_answer_is_304(hub: Hub) -> None:
    """Whoever asks again with the tag gets nothing, until something changed."""
    offer_id = publish(hub)
    first = hub.client.call("GET", "/v1/offers")
    tag = {"if-none-match": first.headers["etag"]}
    again = hub.client.call("GET", "/v1/offers", headers=tag)
    send(hub, "offer.capacity_changed", {"free_places": 1}, subject=offer_id)
    later = hub.client.call("GET", "/v1/offers", headers=tag)

    assert first.headers["cache-control"] == "public, no-cache"
    assert (again.status_code, again.content) == (304, b"")
    assert later.json()["offers"][0]["free_places"] == 1


def test_an_address_that_asks_too_often_waits(interface: Interface) -> None:
    """After the burst 429 says when to ask again."""
    answers = [interface.client.call("GET", "/v1/offers") for _ in range(200)]
    refused = [one for one in answers if one.status_code == 429]

    assert refused
    assert refused[0].json()["code"] == "too_many_calls"
    assert int(refused[0].headers["retry-after"]) >= 1


def test_calls_come_back_with_time() -> None:
    """One address does not use up another's, and waiting gives calls back."""
    moment = [0.0]
    throttle = Throttle(lambda: moment[0], burst=2, per_second=1.0)
    for address in ("a", "a", "b"):
        throttle.take(address)
    with pytest.raises(TooManyCalls):
        throttle.take("a")
    moment[0] = 1.0

    throttle.take("a")
    with pytest.raises(TooManyCalls):
        throttle.take("a")


def test_a_referral_that_names_an_offer_is_found_by_its_owner(hub: Hub) -> None:
    """The owner claims the open referral, its acceptance is counted, and it is told when full."""
    offer_id = publish(hub, places=1)
    data = {
        "programme": "wijk_werken",
        "reason_codes": ["work_rhythm"],
        "person": {"given_name": "Amina", "family_name": "Testers", "postcode": "3300"},
        "contact_person": {"name": "Onthaal"},
        "informed": {
            "on": "2026-05-20",
            "channel": "oral",
            "notice_version": "1",
            "language": "nl",
            "by_role": "welfare_centre",
        },
        "offer_id": offer_id,
    }
    for number, expected in ((1, None), (2, "no_free_places")):
        made = send(hub, "referral.created", data, by=OCMW, key=f"r-{number}").json()
        subject = {"subject": made["aggregate_id"], "trajectoryid": made["trajectory_id"]}
        claimed = send(hub, "referral.claimed", {}, key=f"c-{number}", **subject)
        accepted = send(
            hub, "referral.accepted", {"offer_id": offer_id}, key=f"a-{number}", **subject
        )
        assert (claimed.status_code, accepted.status_code) == (201, 201), accepted.text
        told = [one["code"] for one in accepted.json().get("warnings", ())]
        assert told == ([] if expected is None else [expected])


def test_a_referral_to_no_offer_is_refused(hub: Hub) -> None:
    """An id that is no offer's is named with the fix."""
    response = hub.refer(offer_id=cast.FRESH)

    assert response.status_code == 422
    assert response.json()["invalidParams"][0]["code"] == "unknown_offer"
