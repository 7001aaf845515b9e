"""Acting for another organisation: whose the event is, and what is refused without a delegation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec.structs
import pytest
import sqlalchemy as sa

from gateway.exchange.decide import decide
from gateway.exchange.decision import Accepted, Refused
from gateway.exchange.delegations import Delegations
from tests.gateway.api.conftest import PARTNER
from tests.gateway.api.samples import MANY, ONE, body, event, referral_data
from tests.gateway.exchange import cast

if TYPE_CHECKING:
    import httpx

    from gateway.exchange.delegations import Delegation
    from tests.gateway.api.whole_hub import Hub

AGENT, PRINCIPAL = cast.OFFERED, cast.RELATED["O"]
URN = cast.urn_of(PRINCIPAL)


def sent(event_id: str = "r-1", **changes: Any) -> dict[str, Any]:
    """A referral that the agent sends for the principal."""
    data = referral_data(target_org=cast.urn_of(cast.RELATED["W"]))
    attributes = {"onbehalfof": URN, "territorynis": cast.NIS, "data": data, **changes}
    return event(AGENT, event_id, **attributes)


def publish(hub: Hub, content: Any, content_type: str = ONE) -> httpx.Response:
    """Publish as the agent."""
    headers = {"content-type": content_type, "accept-language": "en"}
    return hub.call(AGENT, "POST", "/v1/events", content=body(content), headers=headers)


def test_the_event_is_the_principals_and_the_ledger_keeps_who_acted(hub: Hub) -> None:
    """Producer, organisation and keys are the principal's; client and own id are the agent's."""
    answer = publish(hub, sent())

    assert answer.status_code == 201, answer.text
    trajectory = answer.json()["trajectory_id"]
    with hub.route.ledger.connect() as connection:
        row = connection.execute(
            sa.text(
                "select participant, producer_org, client_id, sender_key, on_behalf_of"
                " from ledger where event_id = :id"
            ),
            {"id": answer.json()["event_id"]},
        ).one()
    assert tuple(row) == (PRINCIPAL, URN, f"{AGENT}-client", f"{AGENT}/r-1", URN)
    assert hub.call(PRINCIPAL, "GET", f"/v1/trajectories/{trajectory}").status_code == 200
    assert hub.call(AGENT, "GET", f"/v1/trajectories/{trajectory}").status_code == 404


def test_the_same_event_again_is_the_agents_duplicate(hub: Hub) -> None:
    """Own ids belong to who sends: the principal may use the same one for its own event."""
    first, again = publish(hub, sent()), publish(hub, sent())
    own = event(PRINCIPAL, territorynis=cast.NIS, data=sent()["data"])
    headers = {"content-type": ONE}
    mine = hub.call(PRINCIPAL, "POST", "/v1/events", content=body(own), headers=headers)

    assert (first.status_code, again.status_code, mine.status_code) == (201, 200, 201)
    assert first.json()["event_id"] == again.json()["event_id"] != mine.json()["event_id"]


@pytest.mark.parametrize(
    ("who", "changes"),
    [
        (AGENT, {"territorynis": "24062"}),
        (AGENT, {"onbehalfof": cast.urn_of(cast.RELATED["V"])}),
        (AGENT, {"onbehalfof": "urn:schakel:org:nobody-at-all"}),
        (PARTNER, {"source": f"urn:schakel:participant:{PARTNER}"}),
    ],
)
def test_without_a_delegation_it_is_refused_with_the_leg(
    hub: Hub, who: str, changes: dict[str, Any]
) -> None:
    """Another place, another principal, nobody, another agent: all 403, and nothing is told."""
    content = body(sent(**changes))
    answer = hub.call(who, "POST", "/v1/events", content=content, headers={"content-type": ONE})

    assert answer.status_code == 403
    problem = answer.json()
    assert (problem["code"], problem["leg"]) == ("no_delegation", "delegation")
    assert problem["step"] == "authorisation"


def test_in_a_batch_each_event_says_for_whom_it_is(hub: Hub) -> None:
    """One of its own, one of the principal, one that it may not send."""
    own = sent("own", onbehalfof=cast.urn_of(AGENT))
    foreign = sent("foreign", onbehalfof=cast.urn_of(cast.STRANGERS["O"]))
    items = publish(hub, [own, sent("for"), foreign], MANY).json()["items"]

    assert [one["status"] for one in items] == ["accepted", "accepted", "rejected"]
    assert items[2]["code"] == "no_delegation"


def decided(name: str, *delegations: Delegation, **changes: Any) -> Accepted | Refused:
    """The decision on an event of the agent for the principal, under these delegations."""
    registry = replace(cast.registry(), delegations=Delegations(delegations))
    context = msgspec.structs.replace(cast.context(), registry=registry)
    data = referral_data(target_org=cast.urn_of(cast.RELATED["W"]))
    made = cast.submission(
        name, PRINCIPAL, data, agent=AGENT, on_behalf_of=URN, territory_nis=cast.NIS, **changes
    )
    return decide(made, context)


def test_the_decision_asks_the_registry_of_that_moment() -> None:
    """Revoked between the gateway and the ledger's writer: refused all the same."""
    assert isinstance(decided("referral.created", cast.DELEGATION), Accepted)
    for ended in ((), (replace(cast.DELEGATION, status="revoked"),)):
        refused = decided("referral.created", *ended)
        assert isinstance(refused, Refused)
        assert (refused.error.code, refused.step) == ("no_delegation", "authorisation")


def test_nobody_moves_a_mandate_for_another() -> None:
    """Whatever a delegation says, a whole territory is moved by its own organisation."""
    wide = replace(
        cast.DELEGATION,
        principal=cast.urn_of(cast.RELATED["V"]),
        events=("transition.*",),
        territory=None,
    )
    registry = replace(cast.registry(), delegations=Delegations([wide]))
    data = {
        "role": "organiser",
        "nis": [cast.NIS],
        "old_org": cast.urn_of(cast.RELATED["W"]),
        "new_org": cast.urn_of(cast.STRANGERS["W"]),
        "effective": "2026-08-01",
        "reason": "new_mandate",
    }
    made = cast.submission("transition.organiser_mandate_changed", cast.RELATED["V"], data)
    context = msgspec.structs.replace(cast.context(), registry=registry)
    refused = decide(msgspec.structs.replace(made, agent=AGENT), context)

    assert isinstance(refused, Refused)
    assert refused.error.code == "no_delegation"


def test_both_sides_see_the_delegation(hub: Hub) -> None:
    """Who acts and who is acted for read it at `/v1/me`; nobody else does."""
    shown = {
        who: hub.call(who, "GET", "/v1/me").json()["delegations"]
        for who in (AGENT, PRINCIPAL, PARTNER)
    }

    assert shown[AGENT] == shown[PRINCIPAL]
    (one,) = shown[AGENT]
    assert (one["from"], one["to"]) == (URN, cast.urn_of(AGENT))
    assert (one["territory"], one["valid_to"]) == ([cast.NIS], None)
    assert shown[PARTNER] == []
