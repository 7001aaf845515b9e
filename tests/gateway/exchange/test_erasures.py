"""One controller's data about one person go, everybody is told, and nobody else loses anything."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from consumers.database import Stores
from consumers.tables import disclosures
from gateway.errors import DutyToKeep, UnknownCase
from gateway.exchange import audit
from gateway.exchange.authorise import Stopped
from gateway.exchange.keys import KeyStore
from gateway.exchange.publication import PublishRequest
from gateway.exchange.records import trajectory_rows
from gateway.exchange.render import Rendered
from gateway.exchange.sealing import open_row
from tests.gateway.exchange.erasure_world import (
    CAW_URN,
    GROUND,
    INSZ,
    NUMBER,
    PHONE,
    ErasureWorld,
    erasing,
)
from tests.gateway.exchange.exchange_world import (
    CANARY,
    CAW,
    OCMW,
    OCMW_URN,
    ORGANISER,
    REFERRAL,
    VDAB,
    VDAB_URN,
    rebuilt,
    submitted,
)
from tests.store_fixtures import opened, stores

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.exchange.records import LedgerRow

__all__ = ["stores"]

SQLITE = pytest.mark.parametrize("stores", ["sqlite"], indirect=True)
ROOT = Path(__file__).parents[3]
SECRETS = (CANARY.encode(), PHONE.encode(), NUMBER.encode(), b"Amina")


@pytest.fixture
def world(stores: Stores, tmp_path: Path) -> Iterator[ErasureWorld]:
    """A case of a CAW that an OCMW holds."""
    with erasing(stores, tmp_path) as made:
        yield made


def opens(world: ErasureWorld) -> dict[str, set[bool]]:
    """Of each organisation, whether its events in the case open."""
    found: dict[str, set[bool]] = {}
    for row in world.world.rows(world.case):
        if row.event_name != "subject.erased":
            is_open = open_row(row, world.world.keys).data is not None
            found.setdefault(row.producer_org, set()).add(is_open)
    return found


def test_the_controllers_data_go_and_the_others_stay(world: ErasureWorld) -> None:
    """Also the hub's events under the controller; in this process and in a new one."""
    assert opens(world) == {CAW_URN: {True}, OCMW_URN: {True}}
    order = world.order()
    world.settle()

    assert opens(world) == {CAW_URN: {False}, OCMW_URN: {True}}
    fresh = KeyStore(world.world.engines["keys"], world.kek)
    rows = [row for row in world.world.rows(world.case) if row.producer_org == CAW_URN]
    sealed = [row for row in rows if row.event_name != "subject.erased"]
    assert {open_row(row, fresh).salt for row in sealed} == {None}
    assert world.found(order).stage == "waiting"


def test_everybody_who_received_something_is_told(world: ErasureWorld) -> None:
    """Whatever the agreements say by then; and nobody who received nothing."""
    world.world.registry = rebuilt(world.world.registry, agreements=())
    world.order()
    world.settle()

    assert world.world.names(OCMW)[-1] == "subject.erased"
    assert "subject.erased" not in world.world.names(VDAB)
    (copy,) = [
        one.event
        for one in world.world.fetch(OCMW)
        if isinstance(one, Rendered) and one.row.event_name == "subject.erased"
    ]
    assert copy.data == {
        "ordered_by": CAW_URN,
        "legal_ground": GROUND,
        "scope": {"organisation": CAW_URN},
    }
    assert copy.subjectref is not None


def test_a_replay_brings_nothing_back(world: ErasureWorld) -> None:
    """Who reads its inbox from the start gets what the others sent, and is told why no more."""
    assert all(isinstance(one, Rendered) for one in world.world.fetch(OCMW))
    world.order()
    world.settle()

    found = {
        entry.event_name: outcome
        for entry, outcome in zip(world.world.inbox(OCMW), world.world.fetch(OCMW), strict=True)
    }
    assert found["referral.created"] == found["trajectory.opened"] == Stopped("erased")
    assert isinstance(found["subject.erased"], Rendered)


def test_the_notice_outlives_the_last_key_of_the_person(world: ErasureWorld) -> None:
    """Somebody who reads late learns of it all the same."""
    world.order()
    world.settle()
    world.eraser.erase(world.store.person_of(world.case), OCMW_URN, 1)
    world.world.keys.forget_cached()

    names = [one.row.event_name for one in world.world.fetch(OCMW) if isinstance(one, Rendered)]
    assert names == ["subject.erased"]


def test_nothing_finds_the_person_for_the_controller_any_more(world: ErasureWorld) -> None:
    """Neither its own number, nor a trait, nor a kept answer; another's answer is kept."""
    change = {"person": {"phone": PHONE}}
    for who in (CAW, OCMW):
        _sent_with_key(world, "subject.details_changed", who, change)
    queries = (
        f"select count(*) from blind_index where participant = '{CAW}'",  # noqa: S608
        "select count(*) from likeness",
        f"select count(*) from idempotency where key = '{CAW}/k-1'",  # noqa: S608
        f"select count(*) from idempotency where key = '{OCMW}/k-1'",  # noqa: S608
    )
    assert 0 not in _counted(world, queries)
    world.order()
    world.settle()

    assert _counted(world, queries) == [0, 0, 0, 1]


def _sent_with_key(world: ErasureWorld, name: str, who: str, data: dict[str, Any]) -> None:
    submission = submitted(name, who, data, trajectory_id=world.case, subject=world.case)
    ticket = object()
    request = PublishRequest((submission,), idempotency_key="k-1")
    world.world.ledger.submit(request, ticket)
    assert world.world.answer(ticket).status == "accepted"


def _counted(world: ErasureWorld, queries: tuple[str, ...]) -> list[int]:
    with world.world.engines["ledger_read"].connect() as connection:
        return [connection.execute(sa.text(one)).scalar_one() for one in queries]


def test_a_new_referral_is_of_somebody_new(world: ErasureWorld) -> None:
    """The same person comes back: another case, another pseudonym, and keys of its own."""
    world.order()
    world.settle()
    again = world.refer()

    assert again != world.case
    assert world.store.person_of(again) != world.store.person_of(world.case)
    row: LedgerRow = world.world.rows(again)[0]
    opened_data = open_row(row, world.world.keys).data
    assert opened_data is not None
    assert opened_data["person"]["family_name"] == CANARY


def test_the_controller_is_out_of_the_case(world: ErasureWorld) -> None:
    """It sends nothing more to it, and others go on."""
    world.order()
    world.settle()
    change = {"person": {"phone": PHONE}}
    refused = world.world.try_send(
        "subject.details_changed", CAW, change, trajectory_id=world.case, subject=world.case
    )
    assert refused.error is not None
    assert refused.error.code == "erased"
    world.world.send(
        "subject.details_changed", OCMW, change, trajectory_id=world.case, subject=world.case
    )


def test_a_duty_to_keep_is_named(world: ErasureWorld) -> None:
    """The holder of an open case and the handler of a referral are told what and until when."""
    with pytest.raises(DutyToKeep) as refused:
        world.order(OCMW)

    assert {one.code for one in refused.value.invalid} == {"case_holder", "open_referral"}
    assert refused.value.code == "duty_to_keep"
    assert opens(world) == {CAW_URN: {True}, OCMW_URN: {True}}


def test_a_stranger_orders_nothing(world: ErasureWorld) -> None:
    """Who has nothing of the person is told what is told of a case that does not exist."""
    for participant, case in ((VDAB, world.case), (CAW, "0195550e-7c00-7000-8000-000000000001")):
        with pytest.raises(UnknownCase):
            world.order(participant, case=case)


def test_an_order_is_taken_once_and_audited(world: ErasureWorld) -> None:
    """The same key is the same order; a dry run is none."""
    tried = world.order(dry_run=True)
    assert tried.events == {"referral.created": 1, "trajectory.opened": 1}
    assert world.store.find(tried.id) is None
    first, again = world.order(), world.order()
    world.settle()

    assert first.id == again.id
    assert world.world.names(OCMW).count("subject.erased") == 1
    with world.world.engines["ledger_read"].connect() as connection:
        (line,) = audit.lines(connection, act="subject.erase")
    assert (line.actor, line.target) == (f"{CAW}-connector", first.id)


def test_it_is_done_when_the_key_is_replaced_and_all_confirmed(world: ErasureWorld) -> None:
    """Complete with the rotation; done with the last receipt."""
    order = world.order()
    world.settle()
    assert world.found(order).completed_at is None
    world.rotate()
    assert world.found(order).completed_at is not None
    assert world.found(order).stage == "waiting"

    now = world.world.clock.now_us()
    assert not world.store.confirm(order.id, VDAB, now)
    assert world.store.confirm(order.id, OCMW, now)
    assert world.store.confirm(order.id, OCMW, now + 1)
    world.settle()
    assert world.found(order).stage == "done"
    assert [one.confirmed_at for one in world.store.told(order.id)] == [now]


def test_who_does_not_confirm_is_reminded_by_the_clock(world: ErasureWorld) -> None:
    """Every fortnight, three times; then the report says that it did not."""
    order = world.order()
    world.settle()
    world.rotate()
    for _ in range(5):
        world.world.pass_time(14)
        world.settle()

    assert world.world.names(OCMW).count("subject.erased") == 4
    assert world.found(order).stage == "done"
    assert [one.confirmed_at for one in world.store.told(order.id)] == [None]


def test_who_received_in_the_meantime_is_told_too(world: ErasureWorld) -> None:
    """A copy that left while the cases were told is not forgotten."""
    order = world.order()
    world.world.timers.step()
    with world.world.engines["consumers"].begin() as connection:
        lines = connection.execute(sa.select(disclosures)).mappings().all()
        late = [{**one, "participant": VDAB, "door": "kafka"} for one in lines]
        connection.execute(sa.insert(disclosures), late)
    world.settle()

    assert {one.participant for one in world.store.told(order.id)} == {OCMW, VDAB}
    assert world.world.names(VDAB) == ["subject.erased"]
    assert world.found(order).by_kafka


@SQLITE
def test_a_copy_from_before_yields_nothing_with_the_keys_of_after(
    world: ErasureWorld, tmp_path: Path
) -> None:
    """The data folder was copied before; the key store and its file are those of after."""
    before = tmp_path / "before"
    before.mkdir()
    for path in tmp_path.glob("*.db*"):
        shutil.copy(path, before / path.name)
    world.order()
    world.settle()
    world.rotate()
    assert b"".join(path.read_bytes() for path in before.iterdir())

    copied = Stores.sqlite(before)
    with (
        opened(copied.ledger) as ledger,
        opened(world.world.engines["keys"].url.render_as_string()) as keys,
    ):
        store = KeyStore(keys, world.kek)
        with ledger.connect() as connection:
            rows = trajectory_rows(connection, world.case)
        found = {(row.producer_org, open_row(row, store).data is not None) for row in rows}
    assert found == {(CAW_URN, False), (OCMW_URN, True)}


@SQLITE
def test_nothing_of_the_person_stands_in_any_file(world: ErasureWorld, tmp_path: Path) -> None:
    """Neither before nor after, in tables, logs or states; only ciphertext does."""
    for moment in ("before", "after"):
        if moment == "after":
            world.order()
            world.settle()
            world.rotate()
        content = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        assert not [one for one in SECRETS if one in content], moment


@SQLITE
@pytest.mark.parametrize("when", ["before", "after", "clearing"])
def test_a_killed_process_goes_on_where_it_was(
    world: ErasureWorld, stores: Stores, tmp_path: Path, when: str
) -> None:
    """Killed with no warning around the destruction; another process finishes the order."""
    order = world.order()
    while world.world.timers.step():
        pass
    urls = [stores.ledger, stores.keys, stores.consumers, str(tmp_path / "kek"), when]
    program = [sys.executable, "-m", "tests.gateway.exchange.dying_erasure", *urls]
    died = subprocess.run(program, check=False, capture_output=True, cwd=ROOT)

    assert died.returncode == -9, died.stderr
    assert world.found(order).stage in ("destroying", "clearing")
    world.settle()
    assert world.found(order).stage == "waiting"
    assert opens(world) == {CAW_URN: {False}, OCMW_URN: {True}}
    with world.world.engines["ledger_read"].connect() as connection:
        assert connection.execute(sa.text("select count(*) from likeness")).scalar_one() == 0


def test_the_national_number_leads_back_for_others_alone(world: ErasureWorld) -> None:
    """VDAB erased: to it the number is somebody new; to the OCMW still the person it knows."""
    send, data = world.world.send, {**REFERRAL, "insz": INSZ}
    cases = {}
    for who in (OCMW, VDAB):
        sent = send("referral.created", who, data)
        assert sent.receipt is not None
        cases[who] = str(sent.receipt.trajectory_id)
        if who == VDAB:
            taken_back = {"reason": "entered_elsewhere"}
            send("referral.withdrawn", VDAB, taken_back, trajectory_id=cases[VDAB])
            closed = {"reason": "other", "reason_text": "Loopt elders."}
            send("trajectory.closed", VDAB, closed, trajectory_id=cases[VDAB])
    person = world.store.person_of(cases[OCMW])
    assert world.store.person_of(cases[VDAB]) == person
    order = world.order(VDAB, case=cases[VDAB])
    world.settle()

    assert world.found(order).number_kept
    again = {who: _referred_again(world, who, data) for who in (VDAB, OCMW)}
    world.settle()
    assert set(person).isdisjoint(world.store.person_of(again[VDAB]))
    assert world.store.person_of(again[OCMW]) == person
    _number_reported_again(world, again[VDAB])
    assert set(person).isdisjoint(world.store.person_of(again[VDAB]))
    row = world.world.rows(again[VDAB])[0]
    assert open_row(row, world.world.keys).data is not None


def _number_reported_again(world: ErasureWorld, case: str) -> None:
    """An OCMW that takes VDAB's new case over says the number: VDAB would be led back by it."""
    offered = {"to": OCMW_URN, "reason": "agreement", "effective": "2026-06-02"}
    world.world.send("trajectory.handover_offered", VDAB, offered, trajectory_id=case, subject=case)
    taken = {
        "from": VDAB_URN,
        "to": OCMW_URN,
        "reason": "agreement",
        "effective": "2026-06-02",
        "contact": {"name": "Onthaal", "phone": "+32000160001"},
    }
    world.world.send(
        "trajectory.case_holder_changed", OCMW, taken, trajectory_id=case, subject=case
    )
    world.world.send(
        "subject.details_changed", OCMW, {"insz": INSZ}, trajectory_id=case, subject=case
    )
    world.settle()


def _referred_again(world: ErasureWorld, who: str, data: dict[str, Any]) -> str:
    sent = world.world.send("referral.created", who, data)
    assert sent.receipt is not None
    return str(sent.receipt.trajectory_id)


def test_whoever_erased_can_be_referred_to_as_to_somebody_new(world: ErasureWorld) -> None:
    """As target in the sender's own case, and as the desk that decides on a partner's referral."""
    case, person = _erased_by_its_target(world)
    data = {**REFERRAL, "insz": INSZ, "target_org": OCMW_URN}
    for who, answer in ((VDAB, "referral.accepted"), (ORGANISER, "referral.endorsed")):
        again = world.world.send("referral.created", who, data).receipt
        assert again is not None
        world.settle()

        found = str(again.trajectory_id)
        assert found != case
        assert set(person).isdisjoint(world.store.person_of(found))
        world.world.send(answer, OCMW, {}, trajectory_id=found, subject=again.aggregate_id)
        change = {"insz": INSZ, "person": {"phone": PHONE}}
        world.world.send(
            "subject.details_changed", OCMW, change, trajectory_id=found, subject=found
        )
        world.settle()
        assert set(person).isdisjoint(world.store.person_of(found))
    assert world.world.timers.figures()["timers_refused_total"] == 0


def test_a_named_case_takes_nobody_in_who_erased(world: ErasureWorld) -> None:
    """The sender said which case it means: it is told how a new one begins."""
    case, _ = _erased_by_its_target(world)
    data = {**REFERRAL, "insz": INSZ, "target_org": OCMW_URN}
    refused = world.world.try_send("referral.created", VDAB, data, trajectory_id=case)
    assert refused.error is not None
    assert (refused.error.status, refused.error.facts["rule"]) == (422, "party_erased")
    offered = {"to": OCMW_URN, "reason": "agreement", "effective": "2026-06-02"}
    refused = world.world.try_send(
        "trajectory.handover_offered", VDAB, offered, trajectory_id=case, subject=case
    )
    assert refused.error is not None
    assert refused.error.facts["rule"] == "party_erased"


def test_a_new_case_of_the_person_has_no_place_for_whoever_erased(world: ErasureWorld) -> None:
    """An organiser's referral that VDAB decides on: the OCMW is a candidate, and may not claim."""
    _, person = _erased_by_its_target(world)
    data = {key: value for key, value in REFERRAL.items() if key != "target_org"}
    data |= {"insz": INSZ, "known_at": "vdab"}
    sent = world.world.send("referral.created", ORGANISER, data).receipt
    assert sent is not None
    case, subject = str(sent.trajectory_id), sent.aggregate_id
    assert world.store.person_of(case) == person
    world.world.send("referral.endorsed", VDAB, {}, trajectory_id=case, subject=subject)
    claim = {"handled_by": {"name": "Onthaal"}, "answer_due": "2026-06-20"}
    refused = world.world.try_send(
        "referral.claimed", OCMW, claim, trajectory_id=case, subject=subject
    )
    assert refused.error is not None
    assert (refused.error.status, refused.error.code) == (409, "erased")


def _erased_by_its_target(world: ErasureWorld) -> tuple[str, tuple[str, ...]]:
    """A case of VDAB whose target declined and had its data erased; and the ids of the person."""
    data = {**REFERRAL, "insz": INSZ, "target_org": OCMW_URN}
    sent = world.world.send("referral.created", VDAB, data).receipt
    assert sent is not None
    case = str(sent.trajectory_id)
    declined = {"reason": "no_capacity"}
    world.world.send(
        "referral.declined", OCMW, declined, trajectory_id=case, subject=sent.aggregate_id
    )
    world.settle()
    order = world.order(OCMW, case=case)
    world.settle()
    assert world.found(order).destroyed_at is not None
    return case, world.store.person_of(case)
