"""The ledger without its stores: decide, take over what was accepted, remember every event."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from consumers.clock import date_of
from gateway.exchange.clock import Ground, key_of
from gateway.exchange.clocks import all_clocks, first_due
from gateway.exchange.decide import decide
from gateway.exchange.decision import HUB, Accepted, Context, Refused
from gateway.exchange.firing import for_clock, for_errand
from gateway.exchange.locating import creating_events
from gateway.exchange.submission import Submission
from schemas import codec
from schemas.catalogue import catalogue
from schemas.errors import SchakelError
from tests.gateway.exchange import cast

if TYPE_CHECKING:
    from gateway.exchange.decision import Decide, DecidedEvent, Errand
    from gateway.exchange.firing import Firing
    from gateway.exchange.offer_state import Offer
    from gateway.exchange.state import Trajectory
    from gateway.exchange.subject_state import Subject


MOST_AT_ONCE = 200


class Recorded(NamedTuple):
    """One accepted event as the checker reads it: what was said, and the states around it."""

    name: str
    kind: str
    aggregate_id: str
    version: int
    trajectory_id: str | None
    event_id: str
    producer: str
    data: dict[str, Any]


@dataclass
class Book:
    """All cases and offers of one small Flanders, and its history.

    `decide` is the judgement under test; a test of the checker plants another one here.
    """

    judge: Decide = decide
    now: int = cast.NOW
    trajectories: dict[str, Trajectory] = field(default_factory=dict)
    subjects: dict[str, Subject] = field(default_factory=dict)
    offers: dict[str, Offer] = field(default_factory=dict)
    history: list[Recorded] = field(default_factory=list)
    errands: list[Errand] = field(default_factory=list)
    put_off: dict[str, dict[str, int]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    _numbers: Any = field(default_factory=count)

    def fresh(self) -> str:
        """A predictable UUID, of version 7 by its shape."""
        return f"0195a000-0000-7000-8000-{next(self._numbers):012d}"

    def send(
        self,
        participant: str,
        name: str,
        data: dict[str, Any],
        *,
        trajectory: str | None = None,
        subject: str | None = None,
        acts_for: str | None = None,
    ) -> Accepted | Refused:
        """One event through the schema and the judgement; taken over when it is accepted."""
        event = catalogue().event(name)
        try:
            data = data if participant == HUB else codec.parse(event, data, environment="test")
        except SchakelError as error:
            return Refused(error, "rules")
        if subject is not None and name in creating_events():
            # The ledger asks for a fresh id before anything is decided.
            subject = self.fresh()
        submission = Submission(
            participant=participant,
            client_id=f"{participant}-client",
            scopes=frozenset({event.scope}),
            event=event,
            sender_event_id=self.fresh(),
            occurred_at=self.now,
            data=data,
            canonical=b"{}",
            subject=subject,
            trajectory_id=trajectory,
            territory_nis=cast.NIS,
            on_behalf_of=acts_for,
        )
        decided = self.judge(submission, self._context(submission))
        if isinstance(decided, Accepted):
            self._take(decided)
        return decided

    def _context(self, submission: Submission) -> Context:
        case = self.trajectories.get(submission.trajectory_id or "")
        offered = submission.event.aggregate_type == "offer"
        person = None if offered else (case.subject_id if case else self.fresh())
        return Context(
            registry=cast.registry(),
            trajectory=case,
            offer=self.offers.get(submission.subject or "") if offered else None,
            named_offer=self.offers.get(submission.data.get("offer_id", "")),
            find_offer=self.offers.get,
            offers_at=lambda _nis: tuple(
                one for one in self.offers.values() if one.state == "published"
            ),
            subject_id=person,
            now=self.now,
            new_id=self.fresh,
            environment="test",
            offer_owners=self._owners,
            subject=self.subjects.get(person or ""),
        )

    def _owners(self, programme: str, _nis: str) -> frozenset[str]:
        return frozenset(
            one.owner
            for one in self.offers.values()
            if one.state == "published" and programme in one.programmes
        )

    def _take(self, accepted: Accepted) -> None:
        self.history += [self._recorded(event) for event in accepted.events]
        if accepted.trajectory is not None:
            self.trajectories[accepted.trajectory.id] = accepted.trajectory
        if accepted.subject is not None:
            self.subjects[accepted.subject.id] = accepted.subject
        if accepted.offer is not None:
            self.offers[accepted.offer.id] = accepted.offer
        self.errands.extend(accepted.errands)

    def _recorded(self, event: DecidedEvent) -> Recorded:
        return Recorded(
            name=event.event.name,
            kind=event.aggregate_type,
            aggregate_id=event.aggregate_id,
            version=event.aggregate_version,
            trajectory_id=event.trajectory_id,
            event_id=event.event_id,
            producer=event.producer,
            data=event.data,
        )

    def work_off(self) -> None:
        """Do what the hub promised itself and what its clocks say, as its timers do."""
        for _ in range(MOST_AT_ONCE):
            due = sorted((one for one in self.errands if one.due_at <= self.now), key=_due)
            self.errands = [one for one in self.errands if one.due_at > self.now]
            sent = [for_errand(one, self.now) for one in due]
            states: list[Trajectory | Offer] = [*self.trajectories.values(), *self.offers.values()]
            for state in states:
                waits = self.put_off.get(state.id, {})
                clock = first_due(state, self.ground(), self.now, waits)
                if clock is not None:
                    sent.append(for_clock(state.id, clock, self.now))
            if not sent:
                return
            for firing in sent:
                self._fire(firing)
        raise AssertionError("the hub's clocks never come to rest")

    def _fire(self, firing: Firing) -> None:
        submission = firing.submission
        decided = self.judge(submission, self._context(submission))
        if isinstance(decided, Accepted):
            self._take(decided)
        elif submission.clock is not None:
            self.refused[submission.event.name] = decided.error.code
            _, kind, aggregate_id, _ = submission.clock.split(":")
            waits = self.put_off.setdefault(firing.target_id, {})
            waits[key_of(kind, aggregate_id)] = self.now + cast.DAY

    def ground(self) -> Ground:
        """What the clocks read beside the state."""
        return Ground(cast.registry(), date_of(self.now))

    def clocks(self, case: Trajectory) -> list[str]:
        """What the hub will come back to this case for by itself."""
        return [one.event for one in all_clocks(case, self.ground())]


def _due(errand: Errand) -> tuple[int, str]:
    return errand.due_at, errand.id
