"""Plays a world on a running test installation, as each participant's own client.

The hub's clock goes from day to day; what happens on a day goes out in waves (`waves.py`), in
batches over a few connections. Whatever the hub does that the world did not intend is reported.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from itertools import groupby
from typing import TYPE_CHECKING, Any, Protocol

from connectors.errors import HubRefused
from connectors.publishing import Publisher
from connectors.world.inboxes import Inboxes, at
from connectors.world.script import (
    ACCEPTED,
    CASE,
    DUPLICATE,
    GIVEN,
    REFERENCE,
    Change,
    Order,
    Sending,
    Sight,
)
from connectors.world.waves import lane, waves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from connectors.answers import ItemAnswer
    from connectors.client import HubClient
    from connectors.world.script import Step

CONNECTIONS = 4
EVENING = time(20, tzinfo=UTC)
GIVE_UP_SECONDS = 120.0
REASON = "asked in this world"


class Clock(Protocol):
    """Moves the hub's business time; `HubClock` is the real one."""

    def begin_at(self, when: datetime) -> None:
        """Set the time."""
        ...

    def move_to(self, when: datetime) -> None:
        """Let time pass until then; the hub has done what was due."""
        ...


@dataclass(frozen=True, slots=True)
class Surprise:
    """What the world did not intend. It names no person: cases and events have numbers.

    Attributes:
        wanted: the answer or sight that the world says.
        got: what the hub answered, a stable code.
    """

    case: str
    who: str
    event: str
    on: str
    wanted: str
    got: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """One event as it went out, and what became of it."""

    step: Sending
    event: Mapping[str, Any]
    answer: ItemAnswer


@dataclass(slots=True)
class Played:
    """What became of a play.

    Attributes:
        counts: of answers, by status.
        given_up: steps left out of cases that had a surprise.
    """

    counts: Counter[str] = field(default_factory=Counter)
    surprises: list[Surprise] = field(default_factory=list)
    given_up: int = 0
    sights: int = 0
    cases: dict[str, str] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)


class Player:
    """Plays steps.

    Args:
        client: the client of a participant; called from several threads, each participant's from
            one at a time.
        clock: moves the hub's time.
        apply: applies a registry file's content.
        pause: waits that many seconds.
        report: takes the day that begins and the number of events that were sent.
        remembers: of which cases what was sent is kept, for the story.
    """

    def __init__(
        self,
        client: Callable[[str], HubClient],
        clock: Clock,
        apply: Callable[[Mapping[str, Any]], object],
        pause: Callable[[float], None],
        *,
        report: Callable[[str, int], None] = lambda _day, _sent: None,
        remembers: Callable[[str], bool] = lambda _case: True,
    ) -> None:
        self._client = client
        self._clock = clock
        self._apply = apply
        self._pause = pause
        self._report = report
        self._remembers = remembers
        self._known: set[str] = set()
        self._failed: set[str] = set()
        self.played = Played()
        self.inboxes = Inboxes(client, self._known.__contains__)

    def play(self, steps: Iterable[Step]) -> Played:
        """Play steps in order; returns when the last one has its answer.

        Raises:
            HubUnavailable: the hub gave no answer for two minutes.
            InvalidCredentials: the hub does not take a client's credentials.
        """
        is_first = True
        with ThreadPoolExecutor(CONNECTIONS) as threads:
            for day, todays in groupby(steps, key=lambda one: one.at.date()):
                self._report(day.isoformat(), self.played.counts.total())
                evening = datetime.combine(day, EVENING)
                if is_first:
                    self._clock.begin_at(evening)
                    is_first = False
                self._clock.move_to(evening)
                for wave in waves(todays, self.played.cases):
                    self._wave(wave, threads)
        return self.played

    def _wave(self, wave: Sequence[Step], threads: ThreadPoolExecutor) -> None:
        going = [one for one in wave if lane(one.case) not in self._failed]
        self.played.given_up += len(wave) - len(going)
        by_sender: dict[str, list[Sending]] = defaultdict(list)
        for step in going:
            if isinstance(step, Sending):
                by_sender[step.who].append(step)
        for sent in threads.map(self._send, by_sender.values()):
            for one in sent:
                self._note(one)
        for step in going:
            if isinstance(step, Change):
                self._apply(step.document)
            elif isinstance(step, Sight):
                self._look(step)
            elif isinstance(step, Order):
                self._order(step)

    def _send(self, steps: Sequence[Sending]) -> list[Sent]:
        """One participant's events of a wave, in batches; runs on a thread of its own."""
        events = [self._resolved(one) for one in steps]
        hub = self._client(steps[0].who)
        publisher = Publisher(hub, self._pause, give_up_seconds=GIVE_UP_SECONDS)
        answers = publisher.send(events)
        return [
            Sent(step, event, answers[str(event["id"])])
            for step, event in zip(steps, events, strict=True)
        ]

    def _resolved(self, step: Sending) -> dict[str, Any]:
        """The event with its references filled in."""
        found: dict[str, Any] = self._filled(step.event, step)
        return found

    def _filled(self, value: Any, step: Sending) -> Any:
        if isinstance(value, dict):
            return {name: self._filled(one, step) for name, one in value.items()}
        if isinstance(value, list):
            return [self._filled(one, step) for one in value]
        if not (isinstance(value, str) and value.startswith(REFERENCE)):
            return value
        if value.startswith(GIVEN):
            return self._given(value, step)
        return self.played.cases.get(value.removeprefix(CASE).lstrip(":") or step.case, value)

    def _given(self, reference: str, step: Sending) -> Any:
        _, name, path = reference.split(":")
        event = self.inboxes.last(step.who, self.played.cases.get(step.case), name)
        return reference if event is None else at(event, path)

    def _note(self, sent: Sent) -> None:
        step, answer = sent.step, sent.answer
        self.played.counts[answer.status] += 1
        if answer.receipt is not None and answer.receipt.trajectory_id is not None:
            trajectory = answer.receipt.trajectory_id
            self.played.cases.setdefault(step.case, trajectory)
            if self._remembers(step.case):
                self._known.add(trajectory)
        if self._remembers(step.case):
            self.played.sent.append(sent)
        if not _as_wanted(step, answer):
            got = " ".join(_codes(answer))
            self._surprise(step, step.answer, got, answer.detail or "")

    def _look(self, sight: Sight) -> None:
        self.played.sights += 1
        seen = self.inboxes.has(sight, self.played.cases.get(sight.case))
        if seen == sight.never:
            wanted = "never" if sight.never else "seen"
            self._surprise(sight, wanted, "seen" if seen else "not_seen")

    def _order(self, step: Order) -> None:
        """Give an order to erase; the same one again when a world is played once more."""
        case = self.played.cases.get(step.case, "")
        key = f"{step.case}-{step.who}-{step.at.date()}"
        got = ACCEPTED
        try:
            self._client(step.who).erase(case, step.ground, reason=REASON, key=key)
        except HubRefused as refused:
            got = refused.problem_code
        if got != step.answer:
            self._surprise(step, step.answer, got)

    def _surprise(
        self, step: Sending | Sight | Order, wanted: str, got: str, detail: str = ""
    ) -> None:
        """Note it, and leave the rest of that case out: it would only surprise again."""
        on = step.at.date().isoformat()
        found = Surprise(step.case, step.who, step.name, on, wanted, got, detail)
        self.played.surprises.append(found)
        self._failed.add(lane(step.case))


def _as_wanted(step: Sending, answer: ItemAnswer) -> bool:
    """Whether it is the answer the world says; what a first play recorded is a duplicate now."""
    if step.answer == ACCEPTED:
        return answer.status in (ACCEPTED, DUPLICATE)
    return step.answer in _codes(answer)


def _codes(answer: ItemAnswer) -> list[str]:
    """The status, the code, and what is wrong with each field."""
    codes = [answer.status, answer.code or "", *(one.code for one in answer.invalid)]
    return [one for one in dict.fromkeys(codes) if one]
