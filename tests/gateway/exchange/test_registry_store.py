"""The registry's store, on both databases."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from consumers.database import Stores
from gateway.errors import ClientExists, InvalidClient, RegistryChanged, UnknownRecord
from gateway.exchange.credentials import new_private_jwk, new_secret, public_part, secret_hash
from gateway.exchange.registry import Client, Credential
from gateway.exchange.registry_document import parse
from tests.registry_fixtures import (
    demo_content,
    demo_document,
    open_store,
    sqlite_url,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gateway.exchange.registry_store import RegistryStore


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RegistryStore]:
    """An empty store on each database."""
    if request.param == "sqlite":
        url = sqlite_url(tmp_path)
    else:
        url = Stores.postgres(request.getfixturevalue("migrated_postgres_url")).ledger
    with open_store(url) as opened:
        yield opened


def a_key() -> Credential:
    """A fresh public key."""
    return Credential(jwk=public_part(new_private_jwk()))


def a_client(**changes: Any) -> Client:
    """A client of the demonstration's OCMW that does not exist yet."""
    client = Client(
        id="ocmw-tienen-second",
        participant="ocmw-tienen",
        auth="private_key_jwt",
        scopes=frozenset({"sj_feed_read"}),
        credentials=(a_key(),),
        name="second",
    )
    return replace(client, **changes)


def test_an_empty_registry_has_a_version(store: RegistryStore) -> None:
    """A fresh store loads as an empty snapshot at version 1."""
    registry = store.load()

    assert (registry.version, registry.participants, store.version()) == (1, {}, 1)


def test_applying_writes_what_the_file_says(store: RegistryStore) -> None:
    """What is loaded after applying equals what the file holds."""
    document = demo_document()
    plan = store.apply(document, "tester")

    registry = store.load()
    assert {change.action for change in plan.changes} == {"add"}
    assert registry.version == 2
    assert set(registry.participants.values()) == {
        entry.participant for entry in document.participants
    }
    assert {one.id for one in registry.agreements.values()} == {
        entry.agreement.agreement_id for entry in document.agreements
    }


def test_applying_twice_changes_nothing(store: RegistryStore) -> None:
    """The second time the plan is empty and the version stays."""
    store.apply(demo_document(), "tester")
    second = store.apply(demo_document(), "tester")

    assert second.is_empty
    assert store.version() == 2


def test_a_plan_writes_nothing(store: RegistryStore) -> None:
    """Planning leaves the version and the tables alone."""
    assert not store.plan(demo_document()).is_empty
    assert store.version() == 1


def test_a_plan_of_an_older_version_is_not_applied(store: RegistryStore) -> None:
    """Whoever agreed to a plan gets that plan or nothing."""
    planned = store.plan(demo_document())
    store.apply(demo_document(), "somebody else")

    with pytest.raises(RegistryChanged):
        store.apply(demo_document(), "tester", expected_version=planned.version)


def test_keys_survive_applying_the_file_again(store: RegistryStore) -> None:
    """A file that does not mention keys leaves them as they are."""
    store.apply(demo_document(), "tester")
    credential = a_key()
    store.rotate_client("vdab-connector", credential, "tester", overlap_seconds=0)

    plan = store.apply(demo_document(), "tester")
    client = store.load().client("vdab-connector")
    assert plan.is_empty
    assert client is not None
    assert client.credentials == (credential,)


def test_an_agreement_counts_from_its_activation(store: RegistryStore) -> None:
    """The hub adds when an agreement became active; its hash stays what the parties signed."""
    document = demo_document()
    store.apply(document, "tester")

    stored = store.load().agreement("demo-caw-2026")
    (written,) = [
        entry.agreement
        for entry in document.agreements
        if entry.agreement.agreement_id == "demo-caw-2026"
    ]
    assert stored is not None
    assert stored.hash == written.document_hash
    assert stored.agreement.activated_at > written.activated_at


def test_a_revoked_agreement_grants_nothing(store: RegistryStore) -> None:
    """Revoking an agreement by its status takes its grants away."""
    store.apply(demo_document(), "tester")
    content = demo_content()
    content["agreements"][1]["status"] = "revoked"
    plan = store.apply(parse(content, "test"), "tester")

    registry = store.load()
    revoked = registry.agreement("demo-ocmw-organiser-2026")
    assert [(one.kind, one.action) for one in plan.changes] == [("agreement", "revoke")]
    assert revoked is not None
    assert revoked.revoked_at is not None
    assert all(
        grant.agreement_id != "demo-ocmw-organiser-2026"
        for grant in registry.grants.grants_from("urn:be:kbo:1999000150")
    )


def test_a_client_is_made_once(store: RegistryStore) -> None:
    """A client can authenticate after it was made, and its id is taken for ever."""
    store.apply(demo_document(), "tester")
    store.create_client(a_client(), "tester")
    store.revoke_client("ocmw-tienen-second", "tester")

    with pytest.raises(ClientExists):
        store.create_client(a_client(), "tester")


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"id": "CN=admin"}, "id"),
        ({"id": "ANONYMOUS"}, "id"),
        ({"id": "admin"}, "id"),
        ({"id": "ab"}, "id"),
        ({"participant": "nobody"}, "participant"),
        ({"scopes": frozenset({"sj_admin"})}, "scopes"),
        ({"scopes": frozenset()}, "scopes"),
    ],
)
def test_an_unfit_client_is_refused(
    store: RegistryStore, changes: dict[str, Any], name: str
) -> None:
    """Ids that a super user could have, foreign scopes and unknown participants are refused."""
    store.apply(demo_document(), "tester")
    version = store.version()

    with pytest.raises(InvalidClient) as refused:
        store.create_client(a_client(**changes), "tester")
    assert [one.name for one in refused.value.invalid] == [name]
    assert store.version() == version


def test_rotating_keeps_the_old_key_for_the_overlap(store: RegistryStore) -> None:
    """Both keys count during the overlap, the new one first."""
    store.apply(demo_document(), "tester")
    old, new = a_key(), a_key()
    store.rotate_client("vdab-connector", old, "tester", overlap_seconds=60)
    client = store.rotate_client("vdab-connector", new, "tester", overlap_seconds=60)

    assert [one.jwk for one in client.credentials] == [new.jwk, old.jwk]
    assert client.credentials[0].not_after is None
    assert client.credentials[1].not_after is not None


def test_a_secret_is_no_key(store: RegistryStore) -> None:
    """A client keeps its way of authenticating."""
    store.apply(demo_document(), "tester")
    secret = Credential(secret_hash=secret_hash(new_secret()))

    with pytest.raises(InvalidClient):
        store.rotate_client("vdab-connector", secret, "tester", overlap_seconds=0)


def test_revoking_is_for_ever(store: RegistryStore) -> None:
    """A revoked client has no keys, gets no new one, and is revoked once only."""
    store.apply(demo_document(), "tester")
    store.rotate_client("vdab-connector", a_key(), "tester", overlap_seconds=0)
    store.revoke_client("vdab-connector", "tester")
    version = store.version()
    client = store.revoke_client("vdab-connector", "tester")

    assert (client.status, client.credentials, store.version()) == ("revoked", (), version)
    with pytest.raises(InvalidClient):
        store.rotate_client("vdab-connector", a_key(), "tester", overlap_seconds=0)
    with pytest.raises(UnknownRecord):
        store.revoke_client("no-such-client", "tester")
