"""Trusted issuers, delegations and budgets in the registry file, from the file to the snapshot."""

from __future__ import annotations

import copy
import re
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from consumers.database import Stores
from gateway.errors import InvalidClient, InvalidRegistry
from gateway.exchange.budgets import Budget, Limits, Rate
from gateway.exchange.credentials import new_private_jwk, public_part, secret_hash
from gateway.exchange.registry import Credential, Registry
from gateway.exchange.registry_clients import with_credential
from gateway.exchange.registry_document import parse
from gateway.exchange.registry_plan import plan
from tests.registry_fixtures import DEMO, demo_content, open_store, sqlite_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gateway.exchange.registry import Environment
    from gateway.exchange.registry_store import RegistryStore

ISSUER = "https://authenticatie.example.org/op"
DAY = date(2026, 6, 1)


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RegistryStore]:
    """An empty store on each database."""
    if request.param == "sqlite":
        url = sqlite_url(tmp_path)
    else:
        url = Stores.postgres(request.getfixturevalue("migrated_postgres_url")).ledger
    with open_store(url) as opened:
        yield opened


def content() -> Any:
    """The demonstration's registry with one of each."""
    found = demo_content()
    member, agent = (found["organisations"][place]["urn"] for place in (0, 1))
    participant = found["organisations"][0]["participants"][0]
    found["organisations"][0]["ovo"] = "OVO002949"
    participant["budget"] = {"events_per_second": 5, "concurrent": 3}
    participant["clients"].append(
        {
            "id": "by-acm",
            "scopes": ["sj_feed_read"],
            "auth": "external",
            "external": {"issuer": ISSUER, "client_id": "4711"},
        }
    )
    found["issuers"] = [
        {
            "issuer": ISSUER,
            "audiences": ["https://hub.example.org"],
            "algorithms": ["RS256"],
            "types": ["JWT"],
            "jwks_uri": f"{ISSUER}/v1/keys",
            "scopes": {"schakel_lezen": ["sj_feed_read"]},
        }
    ]
    found["delegations"] = [
        {
            "id": "for-a-member",
            "from": member,
            "to": agent,
            "events": ["referral.*", "guidance.contact_recorded"],
            "territory": ["24107"],
            "valid_from": "2026-01-01",
            "valid_to": "2026-12-31",
        }
    ]
    return found


def faults(found: Any, environment: Environment = "test") -> set[tuple[str, str]]:
    """Paths and codes of what the file or the registry refuses."""
    registry = Registry.build(version=1, environment=environment)
    with pytest.raises(InvalidRegistry) as refused:
        plan(registry, parse(found, environment))
    assert all(one.reason.nl and one.reason.en for one in refused.value.invalid)
    return {(one.name, one.code) for one in refused.value.invalid}


def test_what_the_file_says_is_in_the_snapshot(
    store: RegistryStore,
) -> None:
    """Applied, read back from the store, and applied again without a change."""
    store.apply(parse(content(), "test"), "test")
    registry = store.load()

    issuer = registry.issuers[ISSUER]
    assert (issuer.algorithms, issuer.types) == (("RS256",), frozenset({"JWT"}))
    assert issuer.ours("schakel_lezen other") == {"sj_feed_read"}
    client = registry.external_client(ISSUER, "4711")
    assert client is not None
    assert client.id == "by-acm"
    participant = registry.participants[client.participant]
    assert participant.budget == Budget(events_per_second=5, concurrent=3)
    assert registry.organisations[participant.organisation].ovo == "OVO002949"
    assert registry.delegations.by_id["for-a-member"].territory == frozenset({"24107"})
    assert store.plan(parse(content(), "test")).is_empty


def test_what_is_revoked_stays_in_sight_and_comes_back_when_said(store: RegistryStore) -> None:
    """An issuer and a delegation are revoked in the file, and reinstated only when it says so."""
    store.apply(parse(content(), "test"), "test")
    ended = content()
    ended["issuers"][0]["revoked"] = ended["delegations"][0]["revoked"] = True
    changes = store.apply(parse(ended, "test"), "test")

    assert {(one.kind, one.action) for one in changes.changes} == {
        ("issuer", "revoke"),
        ("delegation", "revoke"),
    }
    assert store.load().issuers[ISSUER].status == "revoked"
    with pytest.raises(InvalidRegistry):
        store.plan(parse(content(), "test"))
    ended["issuers"][0]["revoked"] = False
    assert [one.action for one in store.plan(parse(ended, "test")).changes] == ["reinstate"]


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda c: c["issuers"][0].pop("jwks_uri"), ("issuers[0]", "one_way")),
        (lambda c: c["issuers"][0].update(jwks={"keys": []}), ("issuers[0]", "one_way")),
        (
            lambda c: c["issuers"][0].update(jwks_uri="http://keys.example.org"),
            ("issuers[0].jwks_uri", "invalid_address"),
        ),
        (
            lambda c: c["issuers"][0].update(jwks_uri="https://u:p@keys.example.org"),
            ("issuers[0].jwks_uri", "invalid_address"),
        ),
        (
            lambda c: c["issuers"][0].update(algorithms=["none"]),
            ("issuers[0].algorithms[0]", "unknown_value"),
        ),
        (
            lambda c: c["issuers"][0].update(algorithms=["HS256"]),
            ("issuers[0].algorithms[0]", "unknown_value"),
        ),
        (lambda c: c["issuers"][0].pop("algorithms"), ("issuers[0].algorithms", "missing")),
        (lambda c: c["issuers"][0].pop("audiences"), ("issuers[0].audiences", "missing")),
        (
            lambda c: c["issuers"][0].update(scopes={"x": ["sj_everything"]}),
            ("issuers[0].scopes.x[0]", "unknown_value"),
        ),
        (lambda c: c["issuers"].append(c["issuers"][0]), ("issuers[1].issuer", "duplicate")),
        (lambda c: c["delegations"][0].pop("valid_from"), ("delegations[0].valid_from", "missing")),
        (
            lambda c: c["delegations"][0].update(events=["nothing.*"]),
            ("delegations[0].events[0]", "unknown_value"),
        ),
        (
            lambda c: c["delegations"][0].update(events=["referral.expired"]),
            ("delegations[0].events[0]", "unknown_value"),
        ),
        (
            lambda c: c["delegations"][0].update(to=c["delegations"][0]["from"]),
            ("delegations[0].to", "same_organisation"),
        ),
        (
            lambda c: c["delegations"][0].update(to="urn:schakel:org:nobody"),
            ("delegations[0].to", "unknown_organisation"),
        ),
        (
            lambda c: c["delegations"][0].update(territory=["99999"]),
            ("delegations[0].territory[0]", "unknown_value"),
        ),
        (
            lambda c: c["organisations"][0]["participants"][0]["budget"].update(concurrent=0),
            ("organisations[0].participants[0].budget.concurrent", "out_of_range"),
        ),
        (
            lambda c: c["organisations"][0]["participants"][0]["clients"][-1].pop("external"),
            ("organisations[0].participants[0].clients[1].external", "external"),
        ),
        (
            lambda c: c["organisations"][0]["participants"][0]["clients"][-1].pop("auth"),
            ("organisations[0].participants[0].clients[1].external", "external"),
        ),
        (
            lambda c: c.pop("issuers"),
            ("organisations[0].participants[0].clients[1].external.issuer", "unknown_issuer"),
        ),
    ],
)
def test_a_fault_is_named_with_its_place(
    spoil: Callable[[Any], object], expected: tuple[str, str]
) -> None:
    """Each fault has its path and code."""
    spoiled = copy.deepcopy(content())
    spoil(spoiled)

    assert expected in faults(spoiled)


def test_production_takes_no_address_on_this_machine() -> None:
    """A loopback address is for test installations."""
    found = {"issuers": content()["issuers"]}
    found["issuers"][0]["jwks_uri"] = "http://127.0.0.1:9/keys"
    plan(Registry.build(version=1, environment="test"), parse(found, "test"))

    assert ("issuers[0].jwks_uri", "invalid_address") in faults(found, "production")


def test_one_issuer_at_most_is_asked() -> None:
    """An opaque token names no issuer, so it may go to one only."""
    found: Any = {"issuers": []}
    for name in ("https://a.example.org", "https://b.example.org"):
        asked = {"endpoint": f"{name}/introspect", "client_id": "hub"}
        found["issuers"].append({"issuer": name, "audiences": ["x"], "introspection": asked})

    assert ("issuers", "two_introspections") in faults(found)


def test_a_delegation_holds_for_its_events_days_and_places() -> None:
    """Everything outside is refused, by the leg that fails."""
    document = parse(content(), "test")
    changes = plan(Registry.build(version=1, environment="test"), document)
    registry = Registry.build(
        version=2,
        environment="test",
        delegations=[one.delegation for one in changes.delegations],
    )
    one = registry.delegations.by_id["for-a-member"]
    ask = registry.delegations.failing

    assert ask(one.agent, one.principal, "referral.created", "24107", DAY) is None
    assert ask(one.agent, one.principal, "guidance.contact_recorded", None, DAY) is None
    assert ask(one.agent, one.principal, "referral.created", "24062", DAY) == "territory"
    assert ask(one.agent, one.principal, "outcome.recorded", "24107", DAY) == "delegation"
    assert ask(one.principal, one.agent, "referral.created", "24107", DAY) == "delegation"
    for day in (date(2025, 12, 31), date(2027, 1, 1)):
        assert ask(one.agent, one.principal, "referral.created", "24107", day) == "delegation"


def test_a_budget_replaces_only_what_it_names() -> None:
    """The rest stays the installation's, and each of several gateways gives its part."""
    usual = Limits(events=Rate(100, 10), concurrent=8)
    own = usual.under(Budget(events_per_second=20))

    assert (own.events, own.content, own.concurrent) == (Rate(100, 20), usual.content, 8)
    assert own.shared(2).events == Rate(50, 10)
    assert own.shared(100).concurrent == 1


def test_a_client_of_another_issuer_gets_no_key_or_secret_here() -> None:
    """Its proof is at its issuer; rotating it in the hub is refused."""
    document = parse(content(), "test")
    changes = plan(Registry.build(version=1, environment="test"), document)
    client = next(one for one in changes.clients if one.id == "by-acm")

    for credential in (
        Credential(secret_hash=secret_hash("x" * 40)),
        Credential(jwk=public_part(new_private_jwk())),
    ):
        with pytest.raises(InvalidClient):
            with_credential(client, credential, now_seconds=0, overlap_seconds=0)


def test_the_operators_example_can_be_applied() -> None:
    """The file in deploy/README.md is right, for a production installation too."""
    text = (DEMO.parents[1] / "README.md").read_text("utf-8")
    (example,) = re.findall(r"```yaml\n(issuers:.*?)```", text, re.DOTALL)
    document = parse(yaml.safe_load(example), "production")

    assert [one.issuer.jwks_uri for one in document.issuers] == [
        "https://authenticatie.example.org/op/v1/keys"
    ]
    assert [one.delegation.events for one in document.delegations] == [("referral.*",)]
    assert document.participants[0].participant.budget == Budget(
        events_per_second=2000, concurrent=256
    )
