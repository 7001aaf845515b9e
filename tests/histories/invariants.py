"""What may never be true of a history, said a second time and apart from the tables.

The checker folds the events themselves and compares the states with them. It reads no lifecycle
table and no rule, so that a fault there cannot hide here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from gateway.exchange.decision import HUB

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.exchange.state import Trajectory
    from gateway.exchange.subject_state import Subject
    from tests.histories.book import Recorded

ENDS = {
    "referral.endorsement_refused": "declined",
    "referral.declined": "declined",
    "referral.redirected": "redirected",
    "referral.withdrawn": "withdrawn",
    "referral.expired": "expired",
    "referral.closed": "closed",
    "referral.voided": "voided",
    "placement.ended": "ended",
    "placement.cancelled": "cancelled",
    "placement.voided": "voided",
    "outcome.confirmed": "confirmed",
    "outcome.voided": "voided",
    "transition.right_refused": "refused",
    "transition.right_lapsed": "lapsed",
    "transition.right_closed": "closed",
    "trajectory.closed": "closed",
    "trajectory.joined": "joined",
    "offer.withdrawn": "withdrawn",
    "offer.lapsed": "lapsed",
}
"""Events that end something, and how it is called from then on."""

BEGINS_AGAIN = frozenset(
    {
        "referral.reopened",
        "placement.end_revoked",
        "outcome.corrected",
        "outcome.disputed",
        "transition.right_reinstated",
        "trajectory.reopened",
    }
)

AFTER: dict[tuple[str, str], frozenset[str]] = {
    ("referral", "declined"): frozenset({"referral.reopened", "referral.voided"}),
    ("referral", "redirected"): frozenset({"referral.voided"}),
    ("referral", "withdrawn"): frozenset({"referral.reopened", "referral.voided"}),
    ("referral", "expired"): frozenset({"referral.reopened", "referral.voided"}),
    ("referral", "closed"): frozenset({"referral.reopened", "referral.voided"}),
    ("placement", "ended"): frozenset(
        {
            "placement.start_confirmed",
            "placement.hours_stated",
            "placement.hours_reported",
            "placement.end_revoked",
            "placement.corrected",
            "placement.voided",
        }
    ),
    ("placement", "cancelled"): frozenset({"placement.voided"}),
    ("outcome", "confirmed"): frozenset(
        {
            "outcome.corrected",
            "outcome.disputed",
            "outcome.follow_up_recorded",
            "outcome.voided",
        }
    ),
    ("right", "refused"): frozenset({"transition.right_reinstated"}),
    ("right", "lapsed"): frozenset({"transition.right_reinstated"}),
    ("right", "closed"): frozenset({"transition.right_reinstated"}),
}
"""What may still happen to something that ended (`domain.md` §3.4); nothing when not listed."""

OBJECTION = "decide_objection"
"""What is asked when a person objects, also about a case that closed before."""
AFTER_CLOSING = ("trajectory.reopened", "trajectory.reminder_due", "guidance.", "subject.")
"""A right lives longer than its case, and so do the reminders about it."""
ADVERTISING = "referral.advertised"
"""The hub's note to the candidates that a referral is open no more; it follows the end."""

UNANSWERED = frozenset({"referral.declined", "referral.endorsement_refused", "referral.expired"})
OPEN_STATES = frozenset({"unassigned", "held", "handing_over"})


class Violation(AssertionError):  # noqa: N818 - the word of the field
    """An invariant does not hold."""


@dataclass
class Checker:
    """Reads a history once, in order, and complains at the first event that breaks it."""

    versions: dict[str, int] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)
    mentors: dict[str, dict[str, bool]] = field(default_factory=dict)
    declared_offers: set[str] = field(default_factory=set)
    reports: dict[tuple[str, str, str], tuple[str, Decimal]] = field(default_factory=dict)
    closing: set[str] = field(default_factory=set)
    objections: set[str] = field(default_factory=set)
    holders: dict[str, bool] = field(default_factory=dict)

    def see(self, events: Iterable[Recorded]) -> None:
        """The events of one transaction.

        Raises:
            Violation: one of them may not be there.
        """
        batch = list(events)
        self.closing = {one.aggregate_id for one in batch if one.name == "trajectory.closed"}
        for event in batch:
            self._version(event)
            self._objection(event)
            self._after_the_end(event)
            self._holder(event)
            self._placement(event)
            self._hours(event)
        self._nobody_falls_out(batch)

    def _version(self, event: Recorded) -> None:
        wanted = self.versions.get(event.aggregate_id, 0) + 1
        if event.version != wanted:
            raise Violation(f"{event.name} has version {event.version}, not {wanted}")
        self.versions[event.aggregate_id] = wanted

    def _after_the_end(self, event: Recorded) -> None:
        state = self.ended.get(event.aggregate_id)
        if state is not None and event.name != ADVERTISING:
            self._may_follow(event, state)
        if event.name in ENDS:
            self.ended[event.aggregate_id] = ENDS[event.name]
        elif event.name in BEGINS_AGAIN:
            self.ended.pop(event.aggregate_id, None)
        elif event.name == "offer.displacement_resolved" and event.data["decision"] == "withdrawn":
            self.ended[event.aggregate_id] = "withdrawn"

    def _may_follow(self, event: Recorded, state: str) -> None:
        if event.kind == "trajectory":
            is_fine = state == "closed" and event.name.startswith(AFTER_CLOSING)
            is_fine = is_fine or event.name == "subject.erased"
            # With the case the hub closes its open tasks, in the same transaction.
            with_it = event.name == "trajectory.task_answered" and event.producer == HUB
            is_fine = is_fine or (with_it and event.aggregate_id in self.closing)
            is_fine = is_fine or self._decides(event, state)
        else:
            is_fine = event.name in AFTER.get((event.kind, state), frozenset())
        if not is_fine:
            raise Violation(f"{event.name} after {state}")

    def _objection(self, event: Recorded) -> None:
        if event.name == "trajectory.task_raised" and event.data.get("what") == OBJECTION:
            self.objections.add(event.data["task_id"])

    def _decides(self, event: Recorded, state: str) -> bool:
        """Whoever still has data of a case that closed is asked about an objection, and answers."""
        names = {"trajectory.task_answered"} if event.producer == HUB else set[str]()
        if state == "closed":
            names = {"trajectory.task_raised", "trajectory.task_answered"}
        return event.name in names and event.data.get("task_id") in self.objections

    def _holder(self, event: Recorded) -> None:
        """Whether somebody holds each case, by its own events."""
        case = event.trajectory_id or ""
        if event.name == "trajectory.opened":
            self.holders[case] = "proposed_holder" not in event.data
        elif event.name == "trajectory.case_holder_assigned":
            self.holders[case] = True
        elif event.name == "placement.started" and not self.holders.get(case, False):
            raise Violation("a placement started while nobody holds the case")

    def _placement(self, event: Recorded) -> None:
        if event.name in ("offer.published", "offer.updated"):
            if event.data.get("non_displacement", {}).get("declared") is True:
                self.declared_offers.add(event.aggregate_id)
            elif "non_displacement" in event.data:
                self.declared_offers.discard(event.aggregate_id)
        if event.kind != "placement":
            return
        self._mentors(event)
        if event.name == "placement.started":
            self._start(event)

    def _mentors(self, event: Recorded) -> None:
        before = self.mentors.get(event.aggregate_id, {})
        known = {} if "assignments" in event.data else before
        self.mentors[event.aggregate_id] = known
        rows = [*event.data.get("assignments", ())]
        rows += [event.data["assignment"]] if isinstance(event.data.get("assignment"), dict) else []
        for row in rows:
            one = row["assignment_id"]
            known[one] = before.get(one, False) or "mentor" in row or "household" in row
        if event.name == "placement.mentor_assigned":
            one = event.data.get("assignment_id")
            for assignment in [one] if one is not None else list(known):
                known[assignment] = True
        if event.name == "placement.assignment_ended":
            known.pop(event.data.get("assignment_id", ""), None)

    def _start(self, event: Recorded) -> None:
        if not all(self.mentors[event.aggregate_id].values()):
            raise Violation("a placement started without a mentor")
        if event.data.get("insured") is not True:
            raise Violation("a placement started uninsured")
        declared = event.data.get("declaration", {})
        offers = {declared.get("offer_id"), event.data.get("offer_id")} & self.declared_offers
        if declared.get("declared") is not True and not offers:
            raise Violation("a placement started without a declaration")

    def _hours(self, event: Recorded) -> None:
        if event.name != "placement.hours_reported":
            return
        data = event.data
        key = (event.aggregate_id, data["assignment_id"], data["period"])
        known = self.reports.get(key)
        if known is not None and data.get("correction_of") != known[0]:
            raise Violation("a second report that corrects nothing")
        self.reports[key] = (event.event_id, Decimal(data["hours"]))

    def hours_of(self, placement_id: str) -> dict[str, int]:
        """The valid reports of a placement by month, in hundredths of an hour."""
        found: dict[str, int] = {}
        for (placement, _, period), (_, hours) in self.reports.items():
            if placement == placement_id:
                found[period] = found.get(period, 0) + int(hours * 100)
        return found

    @staticmethod
    def _nobody_falls_out(batch: list[Recorded]) -> None:
        if not UNANSWERED & {event.name for event in batch}:
            return
        raised = [event for event in batch if event.name == "trajectory.task_raised"]
        if not any(event.data.get("addressee") for event in raised):
            raise Violation("a referral ended without answer and nobody was asked to go on")

    def see_case(self, case: Trajectory) -> None:
        """The state of a case between two transactions.

        Raises:
            Violation: it says something that may not be.
        """
        if case.state in ("held", "handing_over") and case.holder is None:
            raise Violation(f"a case is {case.state} and nobody holds it")
        if case.state == "unassigned":
            if case.holder is not None:
                raise Violation("a case is unassigned and has a holder")
            if case.proposed_holder is None or case.holder_due is None:
                raise Violation("a case without holder, proposed holder and due date")
        if case.state == "handing_over" and case.offered_holder is None:
            raise Violation("a hand-over to nobody")

    @staticmethod
    def see_next_step(case: Trajectory, clocks: list[str]) -> None:
        """What the hub will do on a case when nobody does anything.

        Raises:
            Violation: nothing, and the case is not over.
        """
        if case.state in OPEN_STATES and not clocks:
            raise Violation(f"a case is {case.state} and nothing is ever due on it")

    def see_hours(self, person: Subject) -> None:
        """The hours that the rules over a person count.

        Raises:
            Violation: they are not the sum of the valid reports.
        """
        for one in person.work.values():
            wanted = self.hours_of(one.placement_id)
            if {month: hours for month, hours in one.hours.items() if hours} != {
                month: hours for month, hours in wanted.items() if hours
            }:
                raise Violation(f"hours are {one.hours}, the valid reports say {wanted}")
