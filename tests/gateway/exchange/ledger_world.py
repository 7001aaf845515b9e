"""A ledger with a small judgement of its own, so that these tests are about recording alone.

`judge` keeps versions contiguous as `decide` has to, and does what `actor_ref` says: `refuse`
refuses, `crash` fails as a defect would.
"""

from __future__ import annotations

import threading
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from consumers.clock import FixedClock
from gateway.errors import NotAllowedNow
from gateway.exchange.decision import Accepted, DecidedEvent, Recipient, Refused
from gateway.exchange.draft import unknown_case
from gateway.exchange.keys import KeyStore
from gateway.exchange.ledger import ItemOutcome, Ledger, PublishRequest
from gateway.exchange.offer_state import Offer
from gateway.exchange.registry import Registry
from gateway.exchange.state import Referral, Trajectory
from gateway.exchange.submission import Submission
from schemas.canonical import canonical
from schemas.catalogue import catalogue
from schemas.errors import Message, SchakelError
from schemas.facts import Fact
from tests.store_fixtures import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from consumers.database import Stores
    from consumers.wake import Listener
    from gateway.exchange.decision import Context

NIS = "24107"
ORGANISATION = "urn:schakel:org:test"
CANARY = "Kanarie"
REGISTRY = Registry.build(version=1, environment="test")
PERSON = {"given_name": "Amina", "family_name": CANARY, "phone": "+32000123456"}


def judge(submission: Submission, context: Context) -> Accepted | Refused:
    """A member may do anything once; a referral of a stranger begins a trajectory."""
    if submission.actor_ref == "crash":
        raise RuntimeError("a defect")
    if submission.actor_ref == "refuse":
        return Refused(NotAllowedNow(Message("Nu niet.", "Not now."), leg="lifecycle"), "lifecycle")
    if submission.event.aggregate_type == "offer":
        return _offer(submission, context)
    trajectory = context.trajectory
    if submission.event.name == "referral.created":
        return _referral(submission, context)
    if trajectory is None or submission.participant not in trajectory.members:
        return Refused(unknown_case(), "authorisation")
    changed = replace(trajectory, version=trajectory.version + 1, last_event_at=context.now)
    event = _decided(submission, context, changed.id, changed.version, changed)
    return Accepted((event,), changed)


def _referral(submission: Submission, context: Context) -> Accepted | Refused:
    trajectory = context.trajectory
    is_new = trajectory is None
    if trajectory is None:
        trajectory = Trajectory(
            context.new_id(), context.subject_id or "", "unassigned", 0, NIS,
            members={submission.participant: "P"},
        )  # fmt: skip
    elif submission.participant not in trajectory.members:
        return Refused(unknown_case(), "authorisation")
    referral = Referral(
        submission.subject or context.new_id(), "sent", 1, "wijk_werken", submission.participant
    )
    trajectory = replace(trajectory, referrals={**trajectory.referrals, referral.id: referral})
    events = [_decided(submission, context, referral.id, 1, trajectory)]
    if is_new:
        trajectory = replace(trajectory, version=1)
        opening = replace(
            submission, participant="hub", event=catalogue().event("trajectory.opened"), data={}
        )
        follow = _decided(opening, context, trajectory.id, 1, trajectory)
        events.append(replace(follow, causation_id=events[0].event_id))
    fact = Fact("inflow", "2026-03", NIS, programme="wijk_werken")
    return Accepted(tuple(events), trajectory, facts=(fact,))


def _offer(submission: Submission, context: Context) -> Accepted | Refused:
    offer = context.offer
    if offer is None:
        offer_id = submission.subject or context.new_id()
        offer = Offer(
            offer_id, "published", 0, submission.participant, NIS, programmes=("wijk_werken",)
        )
    elif offer.owner != submission.participant:
        return Refused(unknown_case(), "authorisation")
    offer = replace(offer, version=offer.version + 1)
    return Accepted((_decided(submission, context, offer.id, offer.version, None),), offer=offer)


def _decided(
    submission: Submission,
    context: Context,
    aggregate_id: str,
    version: int,
    trajectory: Trajectory | None,
) -> DecidedEvent:
    return DecidedEvent(
        event_id=context.new_id(),
        event=submission.event,
        aggregate_type=submission.event.aggregate_type,
        aggregate_id=aggregate_id,
        aggregate_version=version,
        trajectory_id=trajectory.id if trajectory is not None else None,
        subject_id=trajectory.subject_id if trajectory is not None else None,
        producer=submission.participant,
        producer_org=ORGANISATION,
        caused_by=submission.participant,
        actor_role="P" if submission.participant != "hub" else "HUB",
        purpose="activation_referral",
        legal_basis="public_task_6_1_e",
        agreement_id="prot-1",
        agreement_hash="ab" * 32,
        territory_nis=NIS,
        rule_set="2026-1",
        causation_id=submission.causation_id,
        occurred_at=submission.occurred_at,
        recorded_at=context.now,
        source_record_id=submission.source_record_id,
        actor_ref=submission.actor_ref,
        data=submission.data,
        programme="wijk_werken",
        recipients=(Recipient("ocmw-tienen", "O", ("target",), "prot-1"),),
        joined=("ocmw-tienen",),
    )


def submission(
    name: str = "referral.created", *, of: str = "partner-a", **given: Any
) -> Submission:
    """A submission with a fresh id unless one is given; `of` is its participant."""
    data = given.pop("data", None)
    if data is None:
        data = {"programme": "wijk_werken"} if name == "referral.created" else {}
    sender_id = given.pop("sender_event_id", None) or uuid.uuid4().hex
    named = {key: value for key, value in given.items() if key != "traceparent"}
    content = {"id": sender_id, "type": name, "data": data, **named}
    return Submission(
        participant=of,
        client_id=f"{of}-1",
        scopes=frozenset({"sj_referral_write"}),
        event=catalogue().event(name),
        sender_event_id=sender_id,
        occurred_at=1_772_000_000_000_000,
        data=data,
        canonical=canonical(content),
        **given,
    )


@dataclass
class Desk:
    """A running ledger and the answers it gave, by ticket."""

    ledger: Ledger
    keys: KeyStore
    clock: FixedClock
    commits: list[int] = field(default_factory=list)
    woken: int = 0
    _answers: dict[object, Any] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def complete(self, pairs: Sequence[tuple[object, Any]]) -> None:
        """What the ledger calls after a commit."""
        with self._changed:
            self.commits.append(len(pairs))
            self._answers.update(pairs)
            self._changed.notify_all()

    def wake(self) -> None:
        """What the ledger calls when there is something to relay."""
        self.woken += 1

    def answer(self, ticket: object, timeout_seconds: float = 30.0) -> Any:
        """The answer to a ticket, waited for."""
        with self._changed:
            if not self._changed.wait_for(lambda: ticket in self._answers, timeout_seconds):
                raise TimeoutError("no answer")
            return self._answers[ticket]

    def send(self, request: PublishRequest) -> object:
        """Submit without waiting; the ticket."""
        ticket = object()
        self.ledger.submit(request, ticket)
        return ticket

    def publish(self, *submissions: Submission, **options: Any) -> tuple[ItemOutcome, ...]:
        """Submit one request and wait; raises the error of a request refused as a whole."""
        answer = self.answer(self.send(PublishRequest(submissions, **options)))
        if isinstance(answer, SchakelError):
            raise answer
        outcomes: tuple[ItemOutcome, ...] = answer
        return outcomes

    def one(self, given: Submission, **options: Any) -> ItemOutcome:
        """Submit one submission and wait for what became of it."""
        (outcome,) = self.publish(given, **options)
        return outcome


@contextmanager
def desk(
    stores: Stores,
    folder: Path,
    *,
    decide: Callable[[Submission, Context], Accepted | Refused] = judge,
    published: Listener | None = None,
    wake: Callable[[], None] | None = None,
    start: bool = True,
    **options: Any,
) -> Iterator[Desk]:
    """A ledger on migrated stores, running for the length of the block."""
    with opened(stores.ledger) as engine, opened(stores.keys) as key_engine:
        keys, clock = KeyStore(key_engine, folder / "kek"), FixedClock()
        made: list[Desk] = []
        ledger = Ledger(
            engine,
            keys=keys,
            decide=decide,
            registry=lambda: REGISTRY,
            clock=clock,
            environment="test",
            complete=lambda pairs: made[0].complete(pairs),  # noqa: PLW0108 - made comes later
            wake=wake or (lambda: made[0].wake()),  # noqa: PLW0108 - made comes later
            published=published,
            **options,
        )
        made.append(Desk(ledger, keys, clock))
        if start:
            ledger.start()
        try:
            yield made[0]
        finally:
            if start:
                ledger.stop()
