"""The life of an agreement: proposed, signed by all, ended; each act with its proof."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from consumers.clock import FixedClock
from consumers.database import Stores
from gateway.errors import (
    AgreementExists,
    AgreementRefused,
    AgreementStands,
    NotAParty,
    SignatureRefused,
    TooManyCalls,
    UnknownRecord,
)
from gateway.exchange import agreement_store, records
from gateway.exchange import registry_tables as tables
from gateway.exchange.agreement_expiry import AgreementExpiry
from gateway.exchange.agreement_law import Ground, check
from gateway.exchange.agreement_store import AgreementStore, Caller
from gateway.exchange.registry import Organisation
from gateway.exchange.registry_document import parse
from gateway.exchange.registry_live import LiveRegistry
from gateway.exchange.registry_store import RegistryStore
from schemas import codec
from schemas.agreement import document_hash, parse_agreement
from schemas.documents import Faults
from schemas.errors import InvalidAgreement
from tests.agreement_parties import OCMW, ORGANISER, PRIVATE, VDAB, Signers, draft
from tests.store_fixtures import engine_of, migrated, opened, stores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy.engine import Engine

__all__ = ["engine_of", "stores"]

START = int(datetime(2026, 5, 28, 12, tzinfo=UTC).timestamp()) * 1_000_000
PATIENCE_SECONDS = 30
OURS, THEIRS = Caller(OCMW, "ocmw-client"), Caller(ORGANISER, "organiser-client")


class Desk:
    """A store of agreements with the demonstration's organisations and their keys."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.signers = Signers()
        self.clock = FixedClock(START)
        self.registry = RegistryStore(engine, environment="test")
        self.registry.apply(parse(self.signers.content(), "test"), "test")
        self.store = AgreementStore(engine, engine, environment="test", clock=self.clock)

    def act(self, document: dict[str, Any], act: str, caller: Caller, **changes: Any) -> bool:
        """One party's signed act."""
        jws = self.signers.signed(document, act, caller.organisation, **changes)
        return self.store.act(document["agreement_id"], act, jws, caller)

    def agree(self, document: dict[str, Any]) -> None:
        """Proposed by one party and accepted by both."""
        self.store.propose(document, OURS)
        self.act(document, "accept", OURS)
        self.act(document, "accept", THEIRS)

    def status(self, agreement_id: str = "test-2026-001") -> str:
        """The state of an agreement."""
        found = self.registry.load().agreement(agreement_id)
        assert found is not None
        return found.status

    def grants(self) -> list[str]:
        """The agreements that count."""
        return [one.agreement_id for one in self.registry.load().grants.grants_from(OCMW)]

    def events(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Name, agreement and data of what the ledger tells, in order."""
        query = "select event_id from ledger order by seq"
        with self.engine.connect() as connection:
            ids = connection.exec_driver_sql(query).scalars().all()
            found = records.rows_by_ids(connection, ids)
        rows = [found[one] for one in ids]
        return [
            (row.event_name.partition(".")[2], row.aggregate_id, codec.decode_record(row.record)[2])
            for row in rows
        ]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk on SQLite."""
    with opened(migrated(Stores.sqlite(tmp_path)).ledger) as engine:
        yield Desk(engine)


@pytest.fixture
def either(engine_of: Callable[..., Engine]) -> Desk:
    """A desk on either database, where locks and rows are the point."""
    return Desk(engine_of("ledger"))


def test_it_counts_once_all_have_accepted(either: Desk) -> None:
    """Proposed grants nothing, one signature neither; with both it counts and the version rose."""
    desk = either
    document = draft()
    before = desk.registry.version()
    assert desk.store.propose(document, OURS)
    assert (desk.status(), desk.grants()) == ("proposed", [])
    assert desk.act(document, "accept", OURS)
    assert (desk.status(), desk.grants()) == ("proposed", [])
    assert desk.act(document, "accept", THEIRS)

    assert (desk.status(), desk.grants()) == ("active", ["test-2026-001"])
    assert desk.registry.version() == before + 3
    grant = desk.registry.load().grants.grants_from(OCMW)[0]
    assert grant.activated_at == START
    assert grant.agreement_hash == document_hash(document)
    told = desk.events()
    assert [name for name, _, _ in told] == ["proposed", "accepted", "accepted"]
    assert [data.get("party") for _, _, data in told] == [None, OCMW, ORGANISER]
    kept = desk.store.acts("test-2026-001")
    references = [data["signature_ref"] for _, _, data in told[1:]]
    assert references == [f"/v1/agreements/test-2026-001#{one.id}" for one in kept]


def test_doing_it_twice_changes_nothing(desk: Desk) -> None:
    """The same document and the same signed act again are no second event."""
    document = draft()
    assert desk.store.propose(document, OURS)
    assert not desk.store.propose(document, THEIRS)
    assert desk.act(document, "accept", OURS)
    version = desk.registry.version()
    assert not desk.act(document, "accept", OURS)

    assert desk.registry.version() == version
    assert len(desk.events()) == 2


def test_content_is_never_edited(desk: Desk) -> None:
    """The same id with other content is refused in every state."""
    desk.store.propose(draft(), OURS)
    with pytest.raises(AgreementExists):
        desk.store.propose(draft(validity={"from": "2026-01-01"}), OURS)
    assert desk.store.document("test-2026-001") == draft()


@pytest.mark.parametrize("by", [OURS, THEIRS])
def test_any_party_rejects_and_it_is_over(desk: Desk, by: Caller) -> None:
    """A rejected one is accepted by nobody any more."""
    document = draft()
    desk.store.propose(document, OURS)
    desk.act(document, "reject", by, reason="terms_not_accepted")
    with pytest.raises(AgreementStands) as refused:
        desk.act(document, "accept", THEIRS)

    assert refused.value.facts == {"state": "rejected", "allowed": []}
    assert desk.status() == "rejected"
    assert desk.events()[-1][2]["reason"] == "terms_not_accepted"


@pytest.mark.parametrize("by", [OURS, THEIRS])
def test_any_party_revokes_and_it_grants_no_more(desk: Desk, by: Caller) -> None:
    """Revoked at once, for good, with the party and the last day."""
    document = draft()
    desk.agree(document)
    desk.act(document, "revoke", by)

    assert (desk.status(), desk.grants()) == ("revoked", [])
    name, _, data = desk.events()[-1]
    assert (name, data["party"], data["effective"]) == ("revoked", by.organisation, "2026-05-28")
    with pytest.raises(AgreementStands):
        desk.act(document, "reject", OURS)


def test_what_is_not_active_is_not_revoked(desk: Desk) -> None:
    """A proposal is rejected, not revoked; the refusal says so."""
    desk.store.propose(draft(), OURS)
    with pytest.raises(AgreementStands) as refused:
        desk.act(draft(), "revoke", OURS)
    assert refused.value.facts["allowed"] == ["accept", "reject"]


def test_a_new_one_replaces_an_old_one_at_once(either: Desk) -> None:
    """The successor's activation ends the older one in the same transaction."""
    desk = either
    desk.agree(draft())
    later = draft("test-2026-002", supersedes="test-2026-001")
    desk.store.propose(later, OURS)
    desk.act(later, "accept", OURS)
    assert desk.grants() == ["test-2026-001"]
    version = desk.registry.version()
    desk.act(later, "accept", THEIRS)

    assert desk.registry.version() == version + 1
    assert desk.grants() == ["test-2026-002"]
    assert desk.status() == "revoked"
    assert [(name, one) for name, one, _ in desk.events()[-2:]] == [
        ("accepted", "test-2026-002"),
        ("revoked", "test-2026-001"),
    ]


def test_a_new_one_that_begins_later_leaves_no_gap(desk: Desk) -> None:
    """The older one counts until the first day of the newer one, and ends on it, once."""
    desk.agree(draft())
    validity = {"from": "2026-05-30", "to": "2028-12-31"}
    desk.agree(draft("test-2026-002", supersedes="test-2026-001", validity=validity))
    assert (desk.status(), desk.status("test-2026-002")) == ("active", "active")
    chore = AgreementExpiry(desk.store, LiveRegistry(desk.registry))
    for day, ended, counting in (
        (28, False, "test-2026-001"),
        (29, False, "test-2026-001"),
        (30, True, "test-2026-002"),
        (31, False, "test-2026-002"),
    ):
        grant = desk.registry.load().grants.applicable(
            from_org=OCMW,
            to_org=ORGANISER,
            to_role="W",
            event="referral.created",
            territory="24107",
            on=date(2026, 5, day),
        )
        assert grant is not None
        assert grant.agreement_id == counting
        assert chore.when_due(desk.clock.now_us()) is ended
        desk.clock.advance(86_400)

    assert [(name, one) for name, one, _ in desk.events()[-1:]] == [("revoked", "test-2026-001")]
    assert [name for name, _, _ in desk.events()].count("revoked") == 1


def test_other_processes_see_an_end_by_themselves(desk: Desk) -> None:
    """A process that polls the registry's version has no grant left after a revocation."""
    desk.agree(draft())
    live = LiveRegistry(desk.registry, poll_seconds=0.05)
    seen = threading.Event()
    live.on_change(lambda registry: seen.set() if not registry.grants.grants_from(OCMW) else None)
    live.start()
    try:
        assert live.current().grants.grants_from(OCMW)
        desk.act(draft(), "revoke", THEIRS)
        assert seen.wait(PATIENCE_SECONDS)
    finally:
        live.stop()


def test_only_what_all_its_parties_sign_is_replaced(desk: Desk) -> None:
    """Two parties cannot end an agreement of three by agreeing among themselves."""
    three = draft(parties=[OCMW, ORGANISER, VDAB])
    desk.store.propose(three, OURS)
    for replaced in ("test-2026-001", "no-such-agreement"):
        with pytest.raises(AgreementRefused) as refused:
            desk.store.propose(draft("test-2026-002", supersedes=replaced), OURS)
        assert [one.code for one in refused.value.invalid] == ["unknown_agreement"]


def test_it_expires_by_the_hubs_clock_once(either: Desk) -> None:
    """On the day after the last it denies before anything ran, and the event comes once."""
    desk = either
    desk.agree(draft(validity={"from": "2026-01-01", "to": "2026-05-29"}))
    desk.clock.advance(86_400)
    assert desk.store.expire() == ()
    desk.clock.advance(86_400)
    grant = desk.registry.load().grants.grants_from(OCMW)[0]
    assert not grant.is_valid_on(datetime.fromtimestamp(desk.clock.now_us() / 1e6, tz=UTC).date())

    twin = AgreementStore(desk.engine, desk.engine, environment="test", clock=desk.clock)
    ended: list[tuple[str, ...]] = []
    hubs = [
        threading.Thread(target=lambda hub=hub: ended.append(hub.expire()))
        for hub in (desk.store, twin)
    ]
    for hub in hubs:
        hub.start()
    for hub in hubs:
        hub.join()

    assert sorted(ended) == [(), ("test-2026-001",)]
    assert desk.status() == "expired"
    assert [name for name, _, _ in desk.events()].count("expired") == 1
    assert desk.events()[-1][2]["effective"] == "2026-05-29"
    with pytest.raises(AgreementStands):
        desk.act(draft(validity={"from": "2026-01-01", "to": "2026-05-29"}), "revoke", OURS)


def test_one_organisation_cannot_flood_the_registry(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past its number of a day it is told to wait; others go on, and so does it a day later."""
    monkeypatch.setattr(agreement_store, "PROPOSALS_A_DAY", 2)
    for number in range(2):
        desk.store.propose(draft(f"test-{number}"), OURS)
    with pytest.raises(TooManyCalls):
        desk.store.propose(draft("test-2"), OURS)
    assert not desk.store.propose(draft("test-1"), OURS)
    assert desk.store.propose(draft("test-3"), THEIRS)
    desk.clock.advance(86_401)
    assert desk.store.propose(draft("test-2"), OURS)


def test_a_stranger_meets_nothing(desk: Desk) -> None:
    """A third organisation's good signature gets the answer of an unknown id."""
    document = draft()
    desk.store.propose(document, OURS)
    stranger = Caller(VDAB, "vdab-client")
    jws = desk.signers.signed(document, "accept", VDAB)
    answers = []
    for agreement_id in ("test-2026-001", "no-such-agreement"):
        with pytest.raises(UnknownRecord) as refused:
            desk.store.act(agreement_id, "accept", jws, stranger)
        answers.append((refused.value.code, refused.value.detail, refused.value.facts))

    assert answers[0] == answers[1]
    with pytest.raises(NotAParty):
        desk.store.propose(draft("test-2026-003"), stranger)


def test_the_other_partys_signature_is_not_ours(desk: Desk) -> None:
    """The organiser cannot accept in the name of the OCMW, nor with its own key for it."""
    document = draft()
    desk.store.propose(document, OURS)
    theirs = desk.signers.signed(document, "accept", OCMW, key=desk.signers.private[ORGANISER])
    for caller in (OURS, THEIRS):
        with pytest.raises(SignatureRefused):
            desk.store.act("test-2026-001", "accept", theirs, caller)
    assert desk.store.acts("test-2026-001") == ()


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({"parties": [OCMW, ORGANISER, PRIVATE]}, ["protocol_with_private_party"]),
        ({"parties": [OCMW, ORGANISER, "urn:be:kbo:1999010840"]}, ["unknown_organisation"]),
        ({"validity": {"from": "2025-01-01", "to": "2026-05-27"}}, ["past"]),
        (
            {"legal": {"instrument": "processor_art28", "ref": "x"},
             "parties": [OCMW, ORGANISER, VDAB]},
            ["processor_needs_two"],
        ),
    ],
)  # fmt: skip
def test_the_law_is_asked_at_proposal(desk: Desk, change: Any, codes: list[str]) -> None:
    """What these parties cannot agree is refused with every fault, and nothing is kept."""
    with pytest.raises(AgreementRefused) as refused:
        desk.store.propose(draft(**change), OURS)

    assert [one.code for one in refused.value.invalid] == codes
    assert desk.registry.load().agreement("test-2026-001") is None


@pytest.mark.parametrize(
    ("legal", "fieldsets", "names"),
    [
        ({"instrument": "data_sharing_agreement", "ref": "x"}, ["core"], ["legal.instrument"]),
        (
            {"instrument": "joint_controller_art26", "ref": "x"},
            ["core", "work_limits"],
            ["legal.art9_ground"],
        ),
        (
            {"instrument": "joint_controller_art26", "ref": "x", "art9_ground": "care_9_2_h"},
            ["core", "work_limits"],
            [],
        ),
    ],
)
def test_production_asks_a_fitting_instrument_and_ground(
    legal: dict[str, str], fieldsets: list[str], names: list[str]
) -> None:
    """No ordinary agreement between authorities; no health without its ground."""
    document = draft(legal=legal)
    document["grants"][0]["fieldsets"] = fieldsets
    known = {one: Organisation(one, one) for one in document["parties"]}
    faults = Faults()
    check(parse_agreement(document), Ground("production", known.get, lambda _: frozenset()), faults)

    assert [one.name for one in faults.found] == names


def test_production_asks_publication_advice_and_a_strong_instrument(desk: Desk) -> None:
    """The same document is proposed in test and refused in production, with all that lacks."""
    document = draft(parties=[OCMW, VDAB], legal={"instrument": "protocol_art8", "ref": "x"})
    document["grants"][0] |= {"to_role": "pes", "fieldsets": ["core", "status"]}
    production = AgreementStore(
        desk.engine, desk.engine, environment="production", clock=desk.clock
    )
    with pytest.raises(AgreementRefused) as refused:
        production.propose(document, OURS)

    assert [one.name for one in refused.value.invalid] == [
        "legal.publication",
        "legal.dpo_advice",
        "grants[0].fieldsets",
    ]
    assert desk.store.propose(document, OURS)


def test_an_unknown_key_is_refused_and_would_deny(desk: Desk) -> None:
    """Not proposed; and one that got into the store all the same grants nothing, visibly."""
    with pytest.raises(InvalidAgreement):
        desk.store.propose(draft(only_on_tuesdays=True), OURS)
    desk.agree(draft())
    assert desk.grants() == ["test-2026-001"]
    odd = draft()
    odd["grants"][0]["only_on_tuesdays"] = True
    with desk.engine.begin() as connection:
        connection.execute(tables.AGREEMENTS.update().values(document=odd))

    registry = desk.registry.load()
    found = registry.agreement("test-2026-001")
    assert found is not None
    assert (found.status, found.is_evaluable) == ("active", False)
    assert registry.grants.grants_from(OCMW) == ()
    assert desk.act(draft(), "revoke", THEIRS)


def test_a_rotated_key_signs_no_more_and_what_it_signed_stays(desk: Desk) -> None:
    """After a key left the registry its old signatures are still shown with the key."""
    document = draft()
    desk.store.propose(document, OURS)
    desk.act(document, "accept", OURS)
    old = desk.signers.private.pop(OCMW)
    desk.registry.apply(parse(desk.signers.content(), "test"), "test")
    with pytest.raises(SignatureRefused) as refused:
        desk.act(document, "reject", OURS, key=old)

    assert [one.name for one in refused.value.invalid] == ["jws.kid"]
    (kept,) = desk.store.acts("test-2026-001")
    assert kept.key["kid"] == old["kid"]
    assert "d" not in kept.key


def test_the_chore_ends_what_is_past_and_sees_it(desk: Desk) -> None:
    """It asks the database only when something is past, and its own process knows at once."""
    desk.agree(draft(validity={"from": "2026-01-01", "to": "2026-05-28"}))
    live = LiveRegistry(desk.registry)
    chore = AgreementExpiry(desk.store, live)
    before = desk.registry.version()
    assert not chore.when_due(desk.clock.now_us())
    desk.clock.advance(86_400)
    assert chore.when_due(desk.clock.now_us())

    found = live.current().agreement("test-2026-001")
    assert found is not None
    assert (found.status, desk.registry.version()) == ("expired", before + 1)
    assert not chore.when_due(desk.clock.now_us())
