"""The checker catches a planted violation of each invariant, and nothing in a good history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from gateway.exchange.subject_state import Subject, Work
from tests.gateway.exchange import cast
from tests.histories.book import Recorded
from tests.histories.invariants import Checker, Violation

if TYPE_CHECKING:
    from gateway.exchange.state import Trajectory

CASE, REFERRAL, PLACEMENT = "case-1", "referral-1", "placement-1"
KINDS = {"transition": "right", "guidance": "trajectory", "subject": "trajectory"}
ASSIGNMENT = {"assignment_id": "a-1", "host_org": "urn:x", "mentor": {"name": "Noor Proefman"}}
START = {
    "assignments": [ASSIGNMENT],
    "insured": True,
    "declaration": {"declared": True},
}


class Story:
    """A history in the making: versions count by themselves unless one is planted."""

    def __init__(self) -> None:
        self.versions: dict[str, int] = {}
        self.events: list[Recorded] = []

    def then(self, name: str, of: str, data: dict[str, Any] | None = None) -> Story:
        """The same history with one more event."""
        kind = KINDS.get(name.partition(".")[0], name.partition(".")[0])
        self.versions[of] = self.versions.get(of, 0) + 1
        event_id = f"event-{len(self.events) + 1}"
        self.events.append(
            Recorded(name, kind, of, self.versions[of], CASE, event_id, "somebody", data or {})
        )
        return self

    def check(self) -> Checker:
        """Each event a transaction of its own, but a task with the answer before it."""
        checker = Checker()
        for event in self.events:
            if event.name != "trajectory.task_raised":
                following = self.events.index(event) + 1
                task = [one for one in self.events[following : following + 1] if _is_task(one)]
                checker.see([event, *task])
        return checker


def _is_task(event: Recorded) -> bool:
    return event.name == "trajectory.task_raised"


def held() -> Story:
    """A referral of VDAB, whose case it holds, with a placement planned."""
    story = Story().then("referral.created", REFERRAL).then("trajectory.opened", CASE)
    return story.then("placement.planned", PLACEMENT, {"assignments": [ASSIGNMENT]})


def report(hours: str, correction_of: str | None = None) -> dict[str, Any]:
    """The hours of May at the one assignment."""
    data = {"assignment_id": "a-1", "period": "2026-05", "hours": hours}
    return data if correction_of is None else {**data, "correction_of": correction_of}


ASKED = {"task_id": "task-1", "what": "decide_objection"}
OTHER_TASK = {"task_id": "task-2", "what": "declined_referral"}


def test_an_objection_is_decided_on_after_the_case_closed() -> None:
    """By whoever still has data of it; any other task is not raised any more."""
    checker = held().then("trajectory.closed", CASE).check()
    story = Story()
    story.versions[CASE] = 2
    story.then("trajectory.task_raised", CASE, ASKED)
    story.then("trajectory.task_answered", CASE, ASKED)

    checker.see(story.events)

    story.then("trajectory.task_raised", CASE, OTHER_TASK)
    with pytest.raises(Violation):
        checker.see(story.events[-1:])


def test_good_history() -> None:
    """An ordinary history breaks nothing."""
    story = held().then("placement.started", PLACEMENT, START)
    story.then("referral.closed", REFERRAL)
    story.then("placement.hours_reported", PLACEMENT, report("12.50"))
    story.then("placement.hours_reported", PLACEMENT, report("10.00", "event-6"))
    story.then("placement.ended", PLACEMENT).then("outcome.recorded", "outcome-1")
    story.then("trajectory.closed", CASE).then("guidance.contact_recorded", CASE)

    checker = story.check()

    assert checker.hours_of(PLACEMENT) == {"2026-05": 1000}


@pytest.mark.parametrize(
    "planted",
    [
        pytest.param(
            held().then(
                "placement.started",
                PLACEMENT,
                {**START, "assignments": [{"assignment_id": "a-2", "host_org": "urn:x"}]},
            ),
            id="no mentor",
        ),
        pytest.param(
            held().then("placement.started", PLACEMENT, {**START, "insured": False}),
            id="not insured",
        ),
        pytest.param(
            held().then("placement.started", PLACEMENT, {**START, "declaration": {}}),
            id="no declaration",
        ),
        pytest.param(
            Story()
            .then("trajectory.opened", CASE, {"proposed_holder": "urn:o"})
            .then("placement.planned", PLACEMENT, {"assignments": [ASSIGNMENT]})
            .then("placement.started", PLACEMENT, START),
            id="nobody holds the case",
        ),
        pytest.param(
            held().then("referral.voided", REFERRAL).then("referral.reopened", REFERRAL),
            id="after voided",
        ),
        pytest.param(
            held().then("trajectory.closed", CASE).then("trajectory.task_answered", CASE, ASKED),
            id="answer after closed",
        ),
        pytest.param(
            held()
            .then("trajectory.task_answered", CASE, ASKED)
            .then("trajectory.joined", CASE)
            .then("trajectory.task_answered", CASE, ASKED),
            id="answer after joined",
        ),
        pytest.param(
            held().then("placement.cancelled", PLACEMENT).then("placement.started", PLACEMENT),
            id="start after cancelled",
        ),
        pytest.param(
            held().then("trajectory.closed", CASE).then("trajectory.handover_offered", CASE),
            id="hand-over after closing",
        ),
        pytest.param(
            held().then("offer.lapsed", "offer-1").then("offer.updated", "offer-1"),
            id="offer after its end",
        ),
        pytest.param(held().then("referral.declined", REFERRAL), id="declined without a task"),
        pytest.param(
            held()
            .then("placement.hours_reported", PLACEMENT, report("12.50"))
            .then("placement.hours_reported", PLACEMENT, report("10.00")),
            id="second report",
        ),
    ],
)
def test_planted_event(planted: Story) -> None:
    """A history with a planted event is caught."""
    with pytest.raises(Violation):
        planted.check()


def test_planted_gap() -> None:
    """A version that is left out, or given twice, is caught."""
    for versions in ((1, 3), (1, 1), (2,)):
        events = [
            Recorded("referral.corrected", "referral", REFERRAL, one, CASE, f"e-{one}", "x", {})
            for one in versions
        ]
        with pytest.raises(Violation):
            Checker().see(events)


def case(**changes: Any) -> Trajectory:
    """A case that VDAB holds."""
    return replace(cast.case(), **changes)


@pytest.mark.parametrize(
    "planted",
    [
        pytest.param(case(holder=None), id="held by nobody"),
        pytest.param(case(state="handing_over", offered_holder=None), id="handed to nobody"),
        pytest.param(
            case(state="unassigned", holder=None, proposed_holder=None, holder_due="2026-06-11"),
            id="nobody proposed",
        ),
        pytest.param(
            case(state="unassigned", holder=None, proposed_holder="o", holder_due=None),
            id="no due date",
        ),
        pytest.param(
            case(state="unassigned", proposed_holder="o", holder_due="2026-06-11"),
            id="two who hold it",
        ),
    ],
)
def test_planted_state(planted: Trajectory) -> None:
    """A case without a holder, a proposal or a date is caught."""
    with pytest.raises(Violation):
        Checker().see_case(planted)


def test_good_states() -> None:
    """A held case, and one that waits for its holder, are as they should be."""
    checker = Checker()

    checker.see_case(case())
    checker.see_case(
        case(state="unassigned", holder=None, proposed_holder="o", holder_due="2026-06-11")
    )


@pytest.mark.parametrize("counted", [{}, {"2026-05": 1251}, {"2026-05": 1250, "2026-06": 100}])
def test_planted_hours(counted: dict[str, int]) -> None:
    """Hours that differ from the valid reports are caught."""
    checker = held().then("placement.hours_reported", PLACEMENT, report("12.50")).check()

    with pytest.raises(Violation):
        checker.see_hours(_person(counted))


def test_good_hours() -> None:
    """Hours that equal the valid reports are fine."""
    checker = held().then("placement.hours_reported", PLACEMENT, report("12.50")).check()

    checker.see_hours(_person({"2026-05": 1250}))


def _person(hours: dict[str, int]) -> Subject:
    work = Work(PLACEMENT, CASE, "wijk_werken", "w", "active", hours)
    return Subject("subject-1", 0, work={PLACEMENT: work})


def test_planted_silence() -> None:
    """An open case on which nothing is ever due is caught; a closed one may rest."""
    with pytest.raises(Violation):
        Checker().see_next_step(case(), [])

    Checker().see_next_step(case(), ["trajectory.closed"])
    Checker().see_next_step(case(state="closed"), [])
