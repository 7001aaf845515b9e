"""A placement under test: events sent to it one after another, each through the judgement."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from gateway.exchange.decide import decide
from gateway.exchange.decision import Accepted, Refused
from gateway.exchange.state_rows import dumps, loads_subject, loads_trajectory
from gateway.exchange.subject_state import Subject
from tests.gateway.exchange import cast

if TYPE_CHECKING:
    from gateway.exchange.decision import Context
    from gateway.exchange.registry import Registry
    from gateway.exchange.state import Trajectory

W, H, V = cast.RELATED["W"], cast.RELATED["H"], cast.RELATED["V"]
DAY = cast.DAY


@dataclass
class Placing:
    """One case and its person; states go through their rows' JSON between events."""

    case: Trajectory = field(default_factory=lambda: cast.case_with("placement", "active"))
    person: Subject = field(default_factory=lambda: Subject("subject-1", 0))
    linked: tuple[Subject, ...] = ()
    now: int = cast.NOW
    numbers: Any = field(default_factory=cast.ids)
    last: Accepted | None = None
    known: Registry | None = None

    def judge(
        self, name: str, data: dict[str, Any], who: str = W, **more: Any
    ) -> Accepted | Refused:
        """What becomes of an event; nothing is taken over."""
        more.setdefault("subject", cast.PLACEMENT)
        sent = cast.submission(
            name, who, data, trajectory_id=self.case.id, occurred_at=self.now, **more
        )
        return decide(sent, self._context())

    def send(self, name: str, data: dict[str, Any], who: str = W, **more: Any) -> Accepted:
        """One event that is accepted, and taken over."""
        decided = self.judge(name, data, who, **more)
        assert isinstance(decided, Accepted), decided.error.detail.en
        assert decided.trajectory is not None
        assert decided.subject is not None
        self.case = loads_trajectory(dumps(decided.trajectory))
        self.person = loads_subject(dumps(decided.subject))
        self.last = decided
        return decided

    def refused(
        self, name: str, data: dict[str, Any], who: str = W, **more: Any
    ) -> tuple[str, str]:
        """The code and the field of a refusal that says in both languages what to do."""
        decided = self.judge(name, data, who, **more)
        assert isinstance(decided, Refused), f"{name} was accepted"
        assert decided.error.detail.nl
        assert decided.error.detail.en
        fields = [one.name for one in decided.error.invalid]
        return str(decided.error.facts.get("rule", decided.error.code)), "".join(fields)

    def report(self, period: str, hours: str, **more: Any) -> Accepted:
        """The hours of a month at the first assignment."""
        return self.send("placement.hours_reported", hours_of(period, hours, **more))

    def _context(self) -> Context:
        return replace(
            cast.context(self.case, known=self.known),
            subject=self.person,
            linked=self.linked,
            now=self.now,
            new_id=self.numbers,
        )


def hours_of(period: str, hours: str, **more: Any) -> dict[str, Any]:
    """A report of hours."""
    return {"assignment_id": cast.ASSIGNMENT, "period": period, "hours": hours, **more}


def warned(decided: Accepted) -> list[str]:
    """The codes of what the sender is told, the rule's own where there is one."""
    return [one.rules[0] if one.rules else one.code for one in decided.warnings]


def raised(decided: Accepted) -> list[tuple[str, str]]:
    """Kind and detail of the warnings that the hub sends."""
    return [
        (one.data["kind"], one.data["detail_code"])
        for one in decided.events
        if one.event.name == "trajectory.warning_raised"
    ]
