"""Random actors on a small exchange: whatever they do, no invariant breaks."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from consumers.clock import date_of
from gateway.api.next_events import Viewer, creatable, next_events
from gateway.exchange.decision import Accepted, Refused
from gateway.exchange.relations import members
from schemas.catalogue import catalogue
from tests.gateway.exchange import cast
from tests.histories.book import Book
from tests.histories.invariants import Checker
from tests.histories.statements import EVERYBODY, statement

if TYPE_CHECKING:
    from gateway.exchange.state import Trajectory

PERSONAL = tuple(sorted(one.name for one in catalogue().all() if one.personal and not one.hub_only))
OFFERS = tuple(sorted(one.name for one in catalogue().all() if one.aggregate_type == "offer"))
REFERRERS = (cast.RELATED["V"], cast.RELATED["O"], cast.RELATED["W"], cast.RELATED["P"])

WEIGHTS: dict[str, float] = {
    "referral": 2,
    "placement": 4,
    "outcome": 2,
    "guidance": 0.3,
    "trajectory": 0.5,
    "transition": 0.3,
    "subject": 0.05,
    "referral.created": 0.05,
    "referral.endorsed": 8,
    "referral.accepted": 12,
    "referral.redirected": 0.3,
    "referral.withdrawn": 0.3,
    "referral.voided": 0.2,
    "placement.planned": 8,
    "placement.started": 16,
    "placement.hours_reported": 12,
    "placement.cancelled": 1,
    "placement.voided": 0.4,
    "outcome.recorded": 0.3,
    "trajectory.case_holder_assigned": 12,
    "trajectory.handover_offered": 2,
    "trajectory.case_holder_changed": 6,
    "trajectory.territory_changed": 0.1,
    "trajectory.viewing_right_granted": 0.1,
    "trajectory.viewing_right_ended": 0.1,
}
"""How often somebody chooses an event over others: by its name, else by its kind."""

FITTING = {
    ("placement.planned", "O"): "art60_7",
    ("placement.planned", "S"): "maatwerk_collectief",
}
"""Programmes under which a role may plan; a statement does not know who says it."""

chances = st.integers(0, 2**32 - 1).map(Random)


def _has_reason(case: Trajectory, who: str, name: str) -> bool:
    """Planning is mostly done by those who took a referral up; `meddle` has the others."""
    if name != "placement.planned":
        return True
    taken = (one for one in case.referrals.values() if one.state == "accepted")
    return any(who in (one.handler, one.organiser) for one in taken)


class Exchange(RuleBasedStateMachine):
    """What the actors may do; each step is one transaction."""

    def __init__(self) -> None:
        super().__init__()
        self.book = Book()
        self.checker = Checker()
        self.seen = 0
        self.accepted = 0

    @rule(chance=chances, sender=st.sampled_from(REFERRERS))
    def refer(self, chance: Random, sender: str) -> None:
        """A first referral of somebody new."""
        data = statement("referral.created", None, None, self.book, chance)
        data.pop("predecessor_referral_id", None)
        data.pop("parent_referral_id", None)
        self._after(self.book.send(sender, "referral.created", data))

    @rule(chance=chances)
    def go_on(self, chance: Random) -> None:
        """Somebody sends what they may send now."""
        case = self._some_case(chance)
        if case is None:
            return
        options: list[tuple[str, str, str | None]] = [
            (who, name, one.aggregate_id)
            for who in EVERYBODY
            for one in next_events(case, self._viewer(who))
            for name in one.events
        ]
        for who in sorted(members(case)):
            names = creatable(case, self._viewer(who))
            options += [(who, name, None) for name in names if _has_reason(case, who, name)]
        if options:
            weights = [WEIGHTS.get(name, WEIGHTS[name.partition(".")[0]]) for _, name, _ in options]
            (chosen,) = chance.choices(options, weights)
            self._say(case, *chosen, chance)

    @rule(chance=chances)
    def meddle(self, chance: Random) -> None:
        """Anybody sends anything about anything."""
        case = self._some_case(chance)
        if case is None:
            return
        kinds = (case.referrals, case.placements, case.outcomes, case.rights)
        parts = [None, case.id, *(one for kind in kinds for one in kind)]
        self._say(
            case, chance.choice(EVERYBODY), chance.choice(PERSONAL), chance.choice(parts), chance
        )

    @rule(chance=chances)
    def offer(self, chance: Random) -> None:
        """Somebody publishes, changes or contests an offer."""
        name = chance.choice((*OFFERS, "offer.published", "offer.published"))
        if catalogue().event(name).hub_only:
            return
        known = list(self.book.offers)
        subject = None if name == "offer.published" or not known else chance.choice(known)
        data = statement(name, subject, None, self.book, chance)
        self._after(self.book.send(chance.choice(EVERYBODY), name, data, subject=subject))

    @rule(days=st.sampled_from((1, 3, 8, 15, 40, 200)))
    def wait(self, days: int) -> None:
        """Time passes, and the hub does what it promised."""
        self.book.now += days * cast.DAY
        self.book.work_off()
        self._look()

    def _some_case(self, chance: Random) -> Trajectory | None:
        cases = list(self.book.trajectories.values())
        return chance.choice(cases[-3:]) if cases else None

    def _viewer(self, participant: str) -> Viewer:
        known = cast.registry().participant(participant)
        assert known is not None
        return Viewer(known, cast.registry(), date_of(self.book.now))

    def _say(self, case: Trajectory, who: str, name: str, part: str | None, chance: Random) -> None:
        subject = None if part == case.id and chance.random() < 0.5 else part
        data = statement(name, part, case, self.book, chance)
        fitting = FITTING.get((name, self._viewer(who).participant.role))
        if fitting is not None:
            data["programme"] = fitting
        self._after(self.book.send(who, name, data, trajectory=case.id, subject=subject))

    def _after(self, decided: Accepted | Refused) -> None:
        self.accepted += isinstance(decided, Accepted)
        self._look()

    def _look(self) -> None:
        events, self.seen = self.book.history[self.seen :], len(self.book.history)
        self.checker.see(events)

    @invariant()
    def states_hold(self) -> None:
        """Every case and every person is as their events say."""
        for case in self.book.trajectories.values():
            self.checker.see_case(case)
            self.checker.see_next_step(case, self.book.clocks(case))
        for person in self.book.subjects.values():
            self.checker.see_hours(person)
