"""Scopes: every call that the description names asks for exactly the scopes that it tells.

Each is asked with every scope but its own, and with each of its own alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.api.call_scopes import NEEDED
from gateway.exchange.scopes import LABEL, SCOPES
from schemas.catalogue import catalogue
from tests.isolation.calls import call
from tests.isolation.ways import PUBLISH, WAYS
from tests.letter.partners import OCMW
from tests.letter.region import PREFIX, region

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    import httpx

    from tests.letter.region import Region

NONE = "sj_none"
"""A token that spells no scope has them all, and this one is none."""
THING = "01890000-0000-7000-8000-000000000001"
SENT = sorted({one.scope: one.name for one in catalogue().all() if not one.hub_only}.items())


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    """One hub for every call; none of them changes anything that another sees."""
    with region(tmp_path_factory.mktemp("scopes") / "hub") as found:
        yield found


@pytest.fixture(scope="module")
def document(around: Region) -> dict[str, Any]:
    """The served description."""
    found: dict[str, Any] = around.client.call("GET", "/openapi.json").json()
    return found


def missing_scope(response: httpx.Response) -> str | None:
    """The scope that the answer says is missing, if it says so."""
    if response.status_code != 403 or response.json().get("leg") != "scope":
        return None
    return str(response.json()["requiredScope"])


def asked(around: Region, operation: str, scopes: Collection[str]) -> str | None:
    """The scope that a call lacks, asked by a client that has these."""
    method, path = operation.split(" ")
    way = WAYS[method, path][0]
    things = dict.fromkeys(
        ("trajectory_id", "event_id", "referral_id", "agreement_id", "order_id"), THING
    ) | {"subscription_id": THING, "letter_id": THING}
    token = "+".join([OCMW, NONE, *sorted(scopes)])
    return missing_scope(call(around, token, (method, path), way, things))


@pytest.mark.parametrize("operation", sorted(NEEDED.keys() - {" ".join(PUBLISH)}))
def test_a_call_needs_what_is_told(around: Region, operation: str) -> None:
    """Without its scopes it is refused and names the first, with any one of them it is not."""
    needed = NEEDED[operation]

    lacking = asked(around, operation, SCOPES - set(needed))
    given = [asked(around, operation, {one}) for one in needed]

    assert lacking == (needed[0] if needed else None)
    assert given == [None] * len(needed)


@pytest.mark.parametrize(("scope", "name"), SENT)
def test_an_event_needs_the_scope_of_its_type(around: Region, scope: str, name: str) -> None:
    """Publishing asks for the scope of what is published, which the description tells too."""
    event = {
        "specversion": "1.0",
        "id": "scopes",
        "source": f"urn:schakel:participant:{OCMW}",
        "type": PREFIX + name,
        "time": "2026-03-02T09:00:00Z",
        "data": {},
    }
    lacking, given = (
        missing_scope(
            around.call(
                "+".join([OCMW, NONE, *sorted(scopes)]),
                *PUBLISH,
                json=event,
                headers={"content-type": "application/cloudevents+json"},
            )
        )
        for scopes in (SCOPES - {scope}, {scope})
    )

    assert (lacking, given) == (scope, None)
    assert scope in NEEDED[" ".join(PUBLISH)]


def test_the_description_tells_them(document: dict[str, Any]) -> None:
    """Each call that needs a token names its scopes, bound to a key or to a certificate."""
    told = {
        f"{method.upper()} {path}": operation["security"]
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if operation["security"]
    }

    assert told.keys() == NEEDED.keys()
    for operation, scopes in NEEDED.items():
        choices = [[one] for one in scopes] or [[]]
        assert [one["oauth"] for one in told[operation] if "certificate" not in one] == choices
        assert [one["oauth"] for one in told[operation] if "certificate" in one] == choices


def test_the_description_lists_every_scope(document: dict[str, Any]) -> None:
    """As many as there are, in the words of the list of scopes."""
    flow = document["components"]["securitySchemes"]["oauth"]["flows"]["clientCredentials"]

    assert flow["scopes"] == {name: english for name, (_, english) in LABEL.items()}
    assert "sj_kafka_read" in flow["scopes"]
