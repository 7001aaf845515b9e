"""A sealed record opens by its keys alone, part by part, and only as it was sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import asdict, replace

from gateway.errors import KeysUnusable
from gateway.exchange.decision import DecidedEvent
from gateway.exchange.keys import KeyNeed, KeyStore
from gateway.exchange.sealing import (
    ERASED,
    MAIN,
    STAFF,
    Prepared,
    commit_to,
    prepare,
    seal,
    unseal,
)
from schemas import codec
from schemas.catalogue import catalogue
from schemas.identifiers import uuid7
from tests.store_fixtures import opened, stores

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumers.database import Stores

__all__ = ["stores"]

CANARY = "Kanarie"
CANONICAL = b'{"id":"1"}'
DATA: dict[str, Any] = {
    "programme": "wijk_werken",
    "person": {"given_name": "Amina", "family_name": CANARY, "phone": "+32000123456"},
    "contact_person": {"name": "Onthaal", "phone": "+32000160001"},
}
A, B = "urn:schakel:org:a", "urn:schakel:org:b"


@pytest.fixture
def keys(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeyStore]:
    """A key store."""
    with opened(stores.keys) as engine:
        yield KeyStore(engine, tmp_path_factory.mktemp("kek") / "kek")


def decided(**given: Any) -> DecidedEvent:
    """A referral about a person."""
    fields: dict[str, Any] = {
        "event_id": uuid7(),
        "event": catalogue().event("referral.created"),
        "aggregate_type": "referral",
        "aggregate_id": "01950000-0000-7000-8000-000000000001",
        "aggregate_version": 1,
        "trajectory_id": "01950000-0000-7000-8000-000000000002",
        "subject_id": "01950000-0000-7000-8000-000000000003",
        "producer": "partner-a",
        "producer_org": A,
        "caused_by": "partner-a",
        "actor_role": "P",
        "purpose": "activation_referral",
        "legal_basis": "public_task_6_1_e",
        "agreement_id": "prot-1",
        "agreement_hash": "ab" * 32,
        "territory_nis": "24107",
        "rule_set": "2026-1",
        "causation_id": None,
        "occurred_at": 1_772_000_000_000_000,
        "recorded_at": 1_772_000_000_000_001,
        "source_record_id": "D-7",
        "actor_ref": "staff-9",
        "data": DATA,
        "programme": "wijk_werken",
        "recipients": (),
    }
    return DecidedEvent(**{**fields, **given})


def sealed(keys: KeyStore, event: DecidedEvent) -> tuple[Prepared, bytes]:
    """The event, and its record."""
    prepared = prepare(event, CANONICAL)
    return prepared, seal(prepared, keys.data_keys(prepared.needs()))


def again(record: codec.SealedEvent) -> bytes:
    """A record that was taken apart, as bytes again."""
    return codec.encode_sealed(asdict(record.routing), record.parts)


def test_what_was_sealed_opens_whole(keys: KeyStore) -> None:
    """Data, staff contacts, the sender's number, who acted, and the receipt's salt."""
    prepared, record = sealed(keys, decided())

    found = unseal(record, keys)

    assert found.data == DATA
    assert (found.source_record_id, found.actor_ref) == ("D-7", "staff-9")
    assert found.salt is not None
    assert commit_to(found.salt, CANONICAL) == prepared.commitment


def test_the_record_shows_nothing_of_what_it_seals(keys: KeyStore) -> None:
    """The routing header is readable; who it is about, and who sent it from where, is not."""
    _, record = sealed(keys, decided())

    routing = codec.decode_sealed(record).routing
    hidden = (CANARY, "Amina", "32000123456", "Onthaal", "D-7", "staff-9", "wijk_werken")
    assert (routing.event_type, routing.territory_nis) == ("referral.created", "24107")
    assert not [one for one in hidden if one.encode() in record]


def test_main_and_staff_are_sealed_under_keys_of_their_own(keys: KeyStore) -> None:
    """A reader that asks for one part opens no other; an event without contacts has no staff."""
    prepared, record = sealed(keys, decided())
    without = prepare(decided(data={"programme": "wijk_werken"}), CANONICAL)

    main, staff = codec.decode_sealed(record).parts
    opened_main = unseal(record, keys, (MAIN,)).data
    assert (main.part, staff.part) == (MAIN, STAFF)
    assert main.key_id != staff.key_id
    assert opened_main is not None
    assert "contact_person" not in opened_main
    assert unseal(record, keys, (STAFF,)) == ERASED
    assert [need.part for need in prepared.needs()] == [MAIN, STAFF]
    assert [need.part for need in without.needs()] == [MAIN]


def test_equal_events_make_different_records(keys: KeyStore) -> None:
    """Salt, nonce and so commitment and ciphertext are new each time."""
    event = decided()
    (first, one), (second, two) = sealed(keys, event), sealed(keys, event)

    assert first.commitment != second.commitment
    assert one != two


def test_an_erased_organisation_leaves_the_others_readable(keys: KeyStore, stores: Stores) -> None:
    """Its records stay shut, salt included, while the other organisation's open."""
    _, ours = sealed(keys, decided())
    _, theirs = sealed(keys, decided(producer_org=B, producer="partner-b"))
    erase(stores, f"producer_org = '{A}'")
    keys.forget_cached()

    assert unseal(ours, keys) == ERASED
    assert unseal(theirs, keys).data == DATA


def test_erased_staff_contacts_leave_the_rest_readable(keys: KeyStore, stores: Stores) -> None:
    """They have a lifetime of their own."""
    _, record = sealed(keys, decided())
    erase(stores, "part = 'staff'")
    keys.forget_cached()

    found = unseal(record, keys)
    assert found.data == {name: DATA[name] for name in ("programme", "person")}
    assert found.salt is not None


def erase(stores: Stores, where: str) -> None:
    """Delete wrapped data keys, as erasure will."""
    with opened(stores.keys) as engine, engine.begin() as connection:
        connection.exec_driver_sql(f"delete from data_keys where {where}")  # noqa: S608


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("event_id", "01950000-0000-7000-8000-00000000dead"),
        ("event_type", "referral.sent"),
        ("subject_ref", "01950000-0000-7000-8000-00000000dead"),
        ("subject_ref", None),
        ("aggregate_id", "01950000-0000-7000-8000-00000000dead"),
        ("producer", "partner-b"),
    ],
)
def test_a_record_under_another_header_is_refused(
    keys: KeyStore, name: str, value: str | None
) -> None:
    """Nobody can pass one person's or organisation's data off as another's."""
    _, record = sealed(keys, decided())
    found = codec.decode_sealed(record)
    changes: dict[str, Any] = {name: value}
    moved = replace(found, routing=replace(found.routing, **changes))

    with pytest.raises(KeysUnusable) as refused:
        unseal(again(moved), keys)

    assert refused.value.code == "keys_unusable"


@pytest.mark.parametrize("part", [0, 1])
@pytest.mark.parametrize("change", ["flipped", "cut", "emptied", "nonce", "short_nonce"])
def test_a_changed_part_is_refused(keys: KeyStore, part: int, change: str) -> None:
    """A bit is enough, in the ciphertext, its tag or its nonce."""
    _, record = sealed(keys, decided())
    found = codec.decode_sealed(record)
    parts = list(found.parts)
    one = parts[part]
    parts[part] = {
        "flipped": replace(one, bytes=bytes([one.bytes[0] ^ 1]) + one.bytes[1:]),
        "cut": replace(one, bytes=one.bytes[:-1]),
        "emptied": replace(one, bytes=b""),
        "nonce": replace(one, nonce=bytes(len(one.nonce))),
        "short_nonce": replace(one, nonce=b"1"),
    }[change]

    with pytest.raises(KeysUnusable):
        unseal(again(replace(found, parts=tuple(parts))), keys)


def test_parts_cannot_change_places_or_records(keys: KeyStore) -> None:
    """Staff contacts do not pass as main, nor one event's data as another's of the same case."""
    event = decided()
    _, record = sealed(keys, event)
    _, later = sealed(keys, replace(event, event_id=uuid7(), aggregate_version=2))
    found, other = codec.decode_sealed(record), codec.decode_sealed(later)
    main, staff = found.parts

    for parts in (
        (replace(main, part=STAFF), replace(staff, part=MAIN)),
        (replace(main, key_id=staff.key_id), staff),
        (other.parts[0], staff),
    ):
        with pytest.raises(KeysUnusable):
            unseal(again(replace(found, parts=parts)), keys)


def test_what_is_about_nobody_is_not_sealed(keys: KeyStore) -> None:
    """An offer asks for no key, and its record can be read by everybody inside."""
    offer = decided(
        event=catalogue().event("offer.published"),
        aggregate_type="offer",
        trajectory_id=None,
        subject_id=None,
        data={"title": "Fietsatelier"},
    )

    prepared, record = sealed(keys, offer)

    assert prepared.needs() == ()
    _, _, data = codec.decode_record(record)
    assert data == {"title": "Fietsatelier"}


def test_the_key_is_of_the_organisation_that_produced_it(keys: KeyStore) -> None:
    """Not of the participant: two systems of one organisation share its keys on an aggregate."""
    event = decided(producer="partner-a-2")

    (main, _) = prepare(event, CANONICAL).needs()

    assert main == KeyNeed(str(event.subject_id), event.aggregate_id, A, MAIN)
    assert keys.data_keys([main]) == keys.data_keys(prepare(decided(), CANONICAL).needs()[:1])
