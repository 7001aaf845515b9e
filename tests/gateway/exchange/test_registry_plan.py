"""Comparing a registry file with the registry: what it changes, and what it may not."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from gateway.errors import InvalidRegistry
from gateway.exchange.credentials import new_private_jwk, public_part
from gateway.exchange.registry_document import parse
from gateway.exchange.registry_plan import Change, plan
from tests.registry_fixtures import demo_content, demo_document, open_store, sqlite_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gateway.exchange.registry import Environment, Registry
    from gateway.exchange.registry_store import RegistryStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RegistryStore]:
    """A store with the demonstration's registry in it."""
    with open_store(sqlite_url(tmp_path)) as opened:
        opened.apply(demo_document(), "test")
        yield opened


def changed(spoil: Any) -> Any:
    """The demonstration's file with a change."""
    content = copy.deepcopy(demo_content())
    spoil(content)
    return content


def codes(registry: Registry, content: Any, environment: Environment = "test") -> list[str]:
    """What the registry does not allow."""
    with pytest.raises(InvalidRegistry) as refused:
        plan(registry, parse(content, environment))
    return [one.code for one in refused.value.invalid]


def first_participant(content: Any) -> Any:
    """OCMW Tienen."""
    return content["organisations"][0]["participants"][0]


def test_a_changed_field_is_named(store: RegistryStore) -> None:
    """A plan says which fields of what change."""
    content = changed(lambda c: first_participant(c).update(territory=["24107", "24059"]))
    changes = store.plan(parse(content, "test")).changes

    assert changes == (Change("participant", "ocmw-tienen", "change", ("territory",)),)


def test_what_is_left_out_stays(store: RegistryStore) -> None:
    """An empty file changes nothing."""
    assert store.plan(parse({}, "test")).is_empty


def test_clients_without_key_are_named(store: RegistryStore) -> None:
    """Whoever cannot ask for a token yet is named in the plan."""
    assert "vdab-connector" in store.plan(demo_document()).without_key


def test_revoking_is_said_and_stays(store: RegistryStore) -> None:
    """A revoked participant is not brought back by a file that does not say so."""
    revoked = changed(lambda c: first_participant(c).update(revoked=True))
    applied = store.apply(parse(revoked, "test"), "test")
    assert Change("participant", "ocmw-tienen", "revoke") in applied.changes
    assert store.apply(parse(revoked, "test"), "test").is_empty

    assert codes(store.load(), demo_content()) == ["was_revoked"]
    back = changed(lambda c: first_participant(c).update(revoked=False))
    assert Change("participant", "ocmw-tienen", "reinstate") in (
        store.apply(parse(back, "test"), "test").changes
    )


def test_a_revoked_organisation_takes_its_participants_along(store: RegistryStore) -> None:
    """Revoking an organisation revokes what takes part for it, listed or not."""
    whole = changed(lambda c: c["organisations"][0].update(revoked=True))
    alone = {
        "organisations": [
            {"urn": "urn:be:kbo:1999000249", "name": "Wijk-werk Hageland (voorbeeld)",
             "kbo": "1999000249", "revoked": True}
        ]
    }  # fmt: skip
    store.apply(parse(whole, "test"), "test")
    store.apply(parse(alone, "test"), "test")

    registry = store.load()
    for participant in ("ocmw-tienen", "wijkwerk-hageland"):
        found = registry.participant(participant)
        assert found is not None
        assert found.status == "revoked"
    assert store.apply(parse(alone, "test"), "test").is_empty


def test_a_revoked_client_stays_revoked(store: RegistryStore) -> None:
    """A file that still lists a client revoked by hand is refused, not obeyed."""
    store.revoke_client("vdab-connector", "test")
    assert codes(store.load(), demo_content()) == ["stays_revoked"]

    told = changed(
        lambda c: c["organisations"][2]["participants"][0]["clients"][0].update(revoked=True)
    )
    assert store.plan(parse(told, "test")).is_empty


def test_identities_do_not_move(store: RegistryStore) -> None:
    """A participant keeps organisation and role, a client its participant."""

    def swap(content: Any) -> None:
        """Give the first organisation's participant another role, its client another owner."""
        first_participant(content)["role"] = "host"
        clients = first_participant(content)["clients"]
        content["organisations"][1]["participants"][0]["clients"] += clients
        first_participant(content)["clients"] = []

    assert codes(store.load(), changed(swap)) == ["identity_moved", "identity_moved"]


def test_an_agreement_is_never_edited(store: RegistryStore) -> None:
    """The same id with other content is refused; revoked it stays revoked."""
    edited = changed(lambda c: c["agreements"][0]["grants"][0].update(onward=True))
    assert codes(store.load(), edited) == ["agreement_immutable"]

    revoked = changed(lambda c: c["agreements"][0].update(status="revoked"))
    store.apply(parse(revoked, "test"), "test")
    assert codes(store.load(), demo_content()) == ["stays_revoked"]


def test_parties_have_to_be_registered(store: RegistryStore) -> None:
    """An agreement with a stranger is refused."""

    def stranger(content: Any) -> None:
        """Put in an agreement with an organisation that nobody registered."""
        agreement = copy.deepcopy(content["agreements"][6])
        agreement["agreement_id"] = "with-a-stranger"
        agreement["parties"].append("urn:be:kbo:1999010840")
        content["agreements"].append(agreement)

    assert codes(store.load(), changed(stranger)) == ["unknown_organisation"]


def test_a_protocol_binds_no_private_party(store: RegistryStore) -> None:
    """Article 8 protocols are between authorities."""

    def protocol(content: Any) -> None:
        """Turn the partner's agreement into a new one that calls itself a protocol."""
        agreement = content["agreements"][3]
        agreement["agreement_id"] = "protocol-with-a-vzw"
        agreement["legal"]["instrument"] = "protocol_art8"

    assert codes(store.load(), changed(protocol)) == ["protocol_with_private_party"]


def test_a_file_brings_no_agreement_into_production(tmp_path: Path) -> None:
    """There the parties sign; a file can only end what they signed."""
    content = changed(lambda c: c.pop("environment"))
    content["agreements"] = content["agreements"][:1]
    with open_store(sqlite_url(tmp_path), "production") as production:
        found = codes(production.load(), content, "production")

    assert "needs_signatures" in found


def test_keys_of_an_organisation_are_registered_and_stay(store: RegistryStore) -> None:
    """A file that does not name them leaves them; one that does replaces them, with their ends."""
    first, second = (public_part(new_private_jwk()) for _ in range(2))
    ends = {"jwk": first, "not_after": "2026-12-31T00:00:00Z"}

    def keyed(*keys: Any) -> Any:
        return changed(lambda c: c["organisations"][0].update(keys=list(keys)))

    applied = store.apply(parse(keyed(ends, {"jwk": second}), "test"), "test")
    assert applied.changes == (
        Change("organisation", "urn:be:kbo:1999000150", "change", ("keys",)),
    )
    assert store.plan(demo_document()).is_empty
    found = store.load().organisation("urn:be:kbo:1999000150")
    assert found is not None
    assert [(one.jwk, one.not_after) for one in found.keys] == [
        (first, 1_798_675_200),
        (second, None),
    ]
    for spoiled, code in (
        (keyed({"jwk": new_private_jwk()}), "key_invalid"),
        (keyed({"jwk": first}, {"jwk": first}), "duplicate"),
        (keyed({"jwk": first, "not_after": "soon"}), "invalid_format"),
        (keyed({"jwk": first, "colour": "red"}), "unknown_key"),
        (keyed(*({"jwk": public_part(new_private_jwk())} for _ in range(5))), "too_many"),
    ):
        with pytest.raises(InvalidRegistry) as refused:
            parse(spoiled, "test")
        assert [one.code for one in refused.value.invalid] == [code]
