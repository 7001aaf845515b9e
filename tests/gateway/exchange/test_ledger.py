"""The ledger records what is accepted, once, and answers after the commit; on both databases."""

from __future__ import annotations

import hashlib
import threading
import uuid
from typing import TYPE_CHECKING

import pytest

from gateway.errors import IdempotencyKeyReused, LedgerUnavailable, Overloaded
from gateway.exchange import records, sealing
from gateway.exchange.answers import KEPT_SECONDS
from gateway.exchange.ledger import PublishRequest
from gateway.exchange.publication import Unread
from tests.gateway.exchange.ledger_world import CANARY, PERSON, Desk, desk, judge, submission
from tests.store_fixtures import opened, stores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consumers.database import Stores
    from gateway.exchange.decision import Accepted, Context, Refused
    from gateway.exchange.ledger import ItemOutcome
    from gateway.exchange.records import LedgerRow
    from gateway.exchange.submission import Submission

__all__ = ["stores"]


@pytest.fixture
def at(stores: Stores, tmp_path: Path) -> Iterator[Desk]:
    """A running ledger."""
    with desk(stores, tmp_path) as made:
        yield made


def row_of(stores: Stores, outcome: ItemOutcome) -> LedgerRow:
    """The ledger row of an outcome."""
    assert outcome.receipt is not None
    with opened(stores.ledger, read_only=True) as engine, engine.connect() as connection:
        row = records.row_of(connection, outcome.receipt.event_id)
    assert row is not None
    return row


def count(stores: Stores, table: str) -> int:
    """How many rows a table of the ledger has."""
    with opened(stores.ledger, read_only=True) as engine, engine.connect() as connection:
        found = connection.exec_driver_sql(f"select count(*) from {table}")  # noqa: S608
        return int(found.scalar() or 0)


def codes(outcomes: tuple[ItemOutcome, ...]) -> list[str]:
    """Statuses, or the code of the refusal."""
    return [one.status if one.error is None else one.error.code for one in outcomes]


def test_an_accepted_event_is_recorded_with_its_receipt(at: Desk, stores: Stores) -> None:
    """The row holds the whole leaf, and the salt is only in the sealed record."""
    sent = submission(data={"programme": "wijk_werken", "person": PERSON}, source_record_id="D-7")

    outcome = at.one(sent)

    row = row_of(stores, outcome)
    receipt = outcome.receipt
    assert receipt is not None
    assert (outcome.status, row.sender_event_id) == ("accepted", sent.sender_event_id)
    assert receipt.record_sha256 == hashlib.sha256(row.record).digest() == row.record_sha256
    assert receipt.commitment == sealing.commit_to(receipt.salt, sent.canonical)
    assert row.salt is None
    assert CANARY.encode() not in row.record
    opened_row = sealing.open_row(row, at.keys)
    assert opened_row.data == sent.data
    assert (opened_row.salt, opened_row.source_record_id) == (receipt.salt, "D-7")
    assert [one.participant for one in row.recipients] == ["ocmw-tienen"]
    assert row.joined == ("ocmw-tienen",)


def test_hub_events_follow_in_the_same_transaction(at: Desk, stores: Stores) -> None:
    """The hub's own event has a row, a leaf and an outbox row of its own, after its cause."""
    outcome = at.one(submission())

    assert outcome.receipt is not None
    assert [one.event.name for one in outcome.follow] == ["trajectory.opened"]
    with opened(stores.ledger, read_only=True) as engine, engine.connect() as connection:
        rows = records.trajectory_rows(connection, outcome.receipt.trajectory_id or "")
    assert [row.event_name for row in rows] == ["referral.created", "trajectory.opened"]
    assert rows[1].causation_id == rows[0].event_id
    assert count(stores, "outbox") == 3  # two events and a fact


def test_the_same_event_again_gives_the_same_receipt(at: Desk, stores: Stores) -> None:
    """Sending again is harmless, also when the time or the trace differs."""
    sent = submission()
    first = at.one(sent)

    again = at.one(sent)

    assert (again.status, again.receipt) == ("duplicate", first.receipt)
    assert count(stores, "ledger") == 2


def test_the_same_event_twice_in_one_request(at: Desk) -> None:
    """The second is a duplicate of the first although neither is recorded yet."""
    sent = submission()

    first, second = at.publish(sent, sent)

    assert (first.status, second.status) == ("accepted", "duplicate")
    assert first.receipt == second.receipt


def test_an_event_id_with_other_content_is_refused(at: Desk) -> None:
    """The sender hears that the id is taken, and the first event stands."""
    sent = submission()
    at.one(sent)

    other = at.one(submission(sender_event_id=sent.sender_event_id, source_record_id="other"))

    assert (other.status, other.step, codes((other,))) == (
        "rejected",
        "ledger",
        ["event_id_reused"],
    )


def test_participants_have_event_ids_of_their_own(at: Desk) -> None:
    """Two senders may use the same event id."""
    first = at.one(submission(sender_event_id="1"))

    second = at.one(submission(sender_event_id="1", of="partner-b"))

    assert (first.status, second.status) == ("accepted", "accepted")


def test_a_refusal_blocks_the_rest_of_its_case_only(at: Desk) -> None:
    """Later events of that case are blocked, by whatever name they call it; others go on."""
    case = at.one(submission(source_record_id="A")).receipt
    assert case is not None
    name = "guidance.contact_recorded"

    outcomes = at.publish(
        submission(name, source_record_id="A", actor_ref="refuse"),
        submission(name, trajectory_id=case.trajectory_id),
        submission(name, subject=case.aggregate_id),
        submission(source_record_id="B"),
        submission(name, source_record_id="B"),
    )

    assert codes(outcomes) == ["not_allowed_now", "blocked", "blocked", "accepted", "accepted"]


def test_what_was_refused_unread_blocks_the_rest_of_its_case(at: Desk) -> None:
    """Whatever it called the case, and whatever later events call it; those before it go on."""
    case = at.one(submission(source_record_id="A")).receipt
    assert case is not None
    named = {
        "trajectory_id": str(case.trajectory_id),
        "subject": case.aggregate_id,
        "source_record_id": "A",
    }
    for said in (
        Unread(1, (named["trajectory_id"],)),
        Unread(1, (named["subject"],)),
        Unread(1, number="A"),
    ):
        for name, value in named.items():
            contacted = submission("guidance.contact_recorded", **{name: value})
            outcomes = at.publish(
                submission("guidance.contact_recorded", **{name: value}),
                contacted,
                submission(),
                unread=(said,),
            )
            assert codes(outcomes) == ["accepted", "blocked", "accepted"], (said, name)


def test_what_was_refused_unread_is_known_by_an_earlier_event_too(at: Desk) -> None:
    """A number that an event of the same request brought, or another one of its sender's."""
    case = at.one(submission(source_record_id="A")).receipt
    assert case is not None
    outcomes = at.publish(
        submission(trajectory_id=str(case.trajectory_id), source_record_id="B"),
        submission("guidance.contact_recorded", source_record_id="A"),
        unread=(Unread(1, number="B"), Unread(2, number="C")),
    )

    assert codes(outcomes) == ["accepted", "blocked"]


def test_a_refused_beginning_blocks_what_would_follow_it(at: Desk) -> None:
    """Events of a case that was refused its beginning are blocked, not unknown."""
    outcomes = at.publish(
        submission(source_record_id="N", actor_ref="refuse"),
        submission("guidance.contact_recorded", source_record_id="N"),
    )

    assert codes(outcomes) == ["not_allowed_now", "blocked"]


def test_events_of_one_request_build_on_each_other(at: Desk) -> None:
    """Versions are contiguous within one transaction."""
    name = "guidance.contact_recorded"
    first, *more = at.publish(
        submission(source_record_id="A"), *(submission(name, source_record_id="A") for _ in "abc")
    )

    assert first.receipt is not None
    assert [one.receipt.aggregate_version for one in more if one.receipt] == [2, 3, 4]


def test_a_dry_run_decides_everything_and_writes_nothing(at: Desk, stores: Stores) -> None:
    """Later submissions of the dry run see the earlier ones; nobody else ever does."""
    outcomes = at.publish(
        submission(source_record_id="A"),
        submission("guidance.contact_recorded", source_record_id="A"),
        dry_run=True,
    )

    assert codes(outcomes) == ["accepted", "accepted"]
    assert outcomes[0].event is not None
    assert outcomes[0].receipt is not None
    assert outcomes[0].receipt.commitment == b""
    assert [count(stores, one) for one in ("ledger", "outbox", "trajectories")] == [0, 0, 0]
    after = at.one(submission("guidance.contact_recorded", source_record_id="A"))
    assert codes((after,)) == ["not_found"]


def test_a_defect_fails_its_own_request_only(at: Desk) -> None:
    """The other requests of the shared commit are recorded."""
    tickets = [
        at.send(PublishRequest((one,)))
        for one in (submission(), submission(actor_ref="crash"), submission())
    ]

    first, broken, last = (at.answer(ticket) for ticket in tickets)

    assert (codes(first), broken.code, codes(last)) == (
        ["accepted"],
        "internal_error",
        ["accepted"],
    )


def test_requests_that_wait_share_a_commit(stores: Stores, tmp_path: Path) -> None:
    """Everything that waited is answered by one call."""
    with desk(stores, tmp_path, start=False) as at:
        tickets = [at.send(PublishRequest((submission(),))) for _ in range(50)]
        at.ledger.start()
        for ticket in tickets:
            assert codes(at.answer(ticket)) == ["accepted"]
        at.ledger.stop()
        assert at.commits == [50]
        assert at.woken == 1
        with pytest.raises(LedgerUnavailable):
            at.send(PublishRequest((submission(),)))


def test_too_much_waiting_is_refused_at_once(stores: Stores, tmp_path: Path) -> None:
    """Over the bound a caller gets 503 without waiting."""
    with desk(stores, tmp_path, start=False, max_waiting=2) as at:
        at.send(PublishRequest((submission(), submission())))
        with pytest.raises(Overloaded):
            at.send(PublishRequest((submission(),)))


def test_an_idempotency_key_gives_the_stored_answer(at: Desk, stores: Stores) -> None:
    """Accepted, rejected and blocked items come back as they were answered first."""
    sent = (
        submission(source_record_id="A"),
        submission("guidance.contact_recorded", source_record_id="A", actor_ref="refuse"),
        submission("guidance.contact_recorded", source_record_id="A"),
    )
    first = at.publish(*sent, idempotency_key="k", request_hash=b"1")

    again = at.publish(*sent, idempotency_key="k", request_hash=b"1")

    assert codes(again) == codes(first) == ["accepted", "not_allowed_now", "blocked"]
    assert [one.receipt for one in again] == [one.receipt for one in first]
    assert again[1].error is not None
    assert (again[1].error.status, again[1].error.facts) == (409, {"leg": "lifecycle"})
    assert count(stores, "ledger") == 2


def test_an_idempotency_key_with_another_body_is_refused(at: Desk) -> None:
    """422, whether the first came long ago or in the same commit."""
    at.publish(submission(), idempotency_key="k", request_hash=b"1")

    with pytest.raises(IdempotencyKeyReused):
        at.publish(submission(), idempotency_key="k", request_hash=b"2")


def test_concurrent_twins_are_one(stores: Stores, tmp_path: Path) -> None:
    """Twins with one key in one commit get one answer, and one event is recorded."""
    with desk(stores, tmp_path, start=False) as at:
        sent = PublishRequest((submission(),), idempotency_key="k", request_hash=b"1")
        other = PublishRequest((submission(),), idempotency_key="k", request_hash=b"2")
        tickets = [at.send(one) for one in (sent, sent, other)]
        at.ledger.start()
        first, twin, odd = (at.answer(ticket) for ticket in tickets)
        at.ledger.stop()
    assert first == twin
    assert odd.code == "idempotency_key_reused"
    assert count(stores, "idempotency") == 1


def test_a_wholly_refused_request_keeps_no_answer(at: Desk, stores: Stores) -> None:
    """A 4xx is never written, so the same key may succeed later."""
    at.publish(submission(actor_ref="refuse"), idempotency_key="k", request_hash=b"1")

    assert count(stores, "idempotency") == 0


def test_causation_by_the_senders_own_id_is_resolved(at: Desk, stores: Stores) -> None:
    """Others never see what a sender called its event."""
    first = at.one(submission(sender_event_id="mine", source_record_id="A"))
    name = "guidance.contact_recorded"

    second = at.one(submission(name, source_record_id="A", causation_id="mine"))
    third = at.one(submission(name, source_record_id="A", causation_id="never-sent"))

    assert first.receipt is not None
    assert row_of(stores, second).causation_id == first.receipt.event_id
    assert row_of(stores, third).causation_id is None


def test_offers_are_recorded_open(at: Desk, stores: Stores) -> None:
    """An offer is about nobody: its typed record needs no key, and its salt is in the row."""
    offer_id = str(uuid.uuid4())
    sent = submission("offer.published", subject=offer_id, data={"title": "Fietsatelier"})

    outcome = at.one(sent)

    row = row_of(stores, outcome)
    assert (row.trajectory_id, row.aggregate_id, row.subject_id) == (None, offer_id, None)
    assert row.salt is not None
    assert sealing.open_row(row, at.keys).data == sent.data
    again = at.one(sent)
    assert (again.status, again.receipt) == ("duplicate", outcome.receipt)
    assert codes(at.publish(submission("offer.updated", subject=offer_id))) == ["accepted"]


def test_offer_owners_are_read_when_asked(stores: Stores, tmp_path: Path) -> None:
    """The decision may ask who has a published offer of a programme in a municipality."""
    asked = []

    def curious(given: Submission, context: Context) -> Accepted | Refused:
        asked.append(context.offer_owners("wijk_werken", "24107"))
        asked.append(context.offer_owners("art60", "24107"))
        return judge(given, context)

    with desk(stores, tmp_path) as at:
        at.one(submission("offer.published", of="host-1"))
    with desk(stores, tmp_path, decide=curious) as at:
        at.one(submission())
    assert asked == [frozenset({"host-1"}), frozenset()]


def test_answers_from_many_threads(at: Desk) -> None:
    """Every caller gets its own answer, and versions of a shared case are contiguous."""
    case = at.one(submission(source_record_id="A")).receipt
    assert case is not None
    versions: list[int] = []

    def work() -> None:
        for _ in range(20):
            name = "guidance.contact_recorded"
            receipt = at.one(submission(name, trajectory_id=case.trajectory_id)).receipt
            assert receipt is not None
            versions.append(receipt.aggregate_version)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(versions) == list(range(2, 162))


def test_old_idempotency_keys_go_though_nothing_was_published(
    stores: Stores, tmp_path: Path
) -> None:
    """The purge waits for no published rows, which PostgreSQL never has; newer keys stay."""
    with desk(stores, tmp_path) as first:
        first.publish(submission(), idempotency_key="old", request_hash=b"1")
    with desk(stores, tmp_path, start=False) as later:
        later.clock.advance(KEPT_SECONDS + 1)
        later.ledger.start()
        later.publish(submission(), idempotency_key="new", request_hash=b"1")
        later.ledger.stop()

    with opened(stores.ledger, read_only=True) as engine, engine.connect() as connection:
        keys = connection.exec_driver_sql("select key from idempotency").scalars().all()
    assert keys == ["partner-a/new"]


def test_nobody_is_woken_for_what_wrote_nothing(at: Desk) -> None:
    """A refusal and a repeat leave nothing to publish; an accepted event does."""
    sent = submission()
    at.one(submission(actor_ref="refuse"))
    assert at.woken == 0

    at.one(sent)
    at.one(sent)

    assert at.woken == 1


def test_a_noisy_sender_does_not_put_another_back(stores: Stores, tmp_path: Path) -> None:
    """A hundred requests wait, then one of another comes: it is decided second."""
    decided: list[str] = []

    def noting(one: Submission, context: Context) -> Accepted | Refused:
        decided.append(one.participant)
        return judge(one, context)

    with desk(stores, tmp_path, start=False, decide=noting) as at:
        for _ in range(100):
            at.send(PublishRequest((submission(of="noisy"),)))
        ticket = at.send(PublishRequest((submission(of="quiet"),)))
        at.ledger.start()
        assert codes(at.answer(ticket)) == ["accepted"]
        at.ledger.stop()

    assert decided.index("quiet") == 1
    assert len(decided) == 101
