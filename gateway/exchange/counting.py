"""The working copy of a tally inside one decision: facts that come, change or are taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from gateway.exchange.state import Trajectory
from gateway.exchange.tally import Course, Tally
from schemas.facts import Fact

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft, Pending
    from gateway.exchange.state import Placement, Referral

OWN_COUNTS = frozenset({"V", "O", "W", "S"})
"""Roles that may see their own cases uncounted with others; no fact of a person names another."""
UNDETERMINED = "to_be_determined"


@dataclass(slots=True)
class Counting:
    """Counts for one draft. `facts` is what has to be published, in order."""

    draft: Draft
    counted: dict[str, Fact]
    courses: dict[str, Course]
    dates: dict[str, str]
    levels: dict[str, int]
    rhythm: str | None
    facts: list[Fact] = field(default_factory=list)

    @classmethod
    def of(cls, draft: Draft) -> Counting:
        """A working copy of the tally of the draft's case or offer."""
        state = draft.trajectory or draft.offer
        found = Tally() if state is None else state.tally
        return cls(
            draft,
            dict(found.counted),
            dict(found.courses),
            dict(found.dates),
            dict(found.levels),
            found.rhythm,
        )

    def tally(self) -> Tally:
        """What has to be remembered."""
        return Tally(self.counted, self.courses, self.dates, self.levels, self.rhythm)

    def add(self, fact: Fact) -> None:
        """Count something that nothing ever takes back."""
        self.facts.append(fact)

    def put(self, key: str, fact: Fact | None) -> None:
        """Let a fact stand under this name; the one that stood there is taken back."""
        old = self.counted.get(key)
        if old == fact:
            return
        if old is not None:
            self.facts.append(replace(old, count=-old.count))
        self._stand(key, fact)

    def change(self, key: str, **fields: Any) -> None:
        """Change what is counted under a name, if anything is, in its own month."""
        old = self.counted.get(key)
        if old is not None:
            self.put(key, replace(old, **fields))

    def stock(self, key: str, fact: Fact | None) -> None:
        """Let a stock move: what was is taken away in this month, what is now is added."""
        old = self.counted.get(key)
        if old is not None and fact is not None and _moved(old) == _moved(fact):
            return
        if old is not None:
            self.facts.append(replace(old, month=self.month(), count=-old.count))
        self._stand(key, fact)

    def stands(self, key: str, code: str) -> bool:
        """Whether a stock of the case stands as `fact` would make it now: it need not be made.

        Most events move none, and a fact costs more than the rest of counting.
        """
        old = self.counted.get(key)
        if old is None or old.code != code or old.nis != self.draft.nis:
            return False
        return old.concerned == self._own((self._holder(),))

    def drop(self, aggregate_id: str) -> None:
        """Take back all that is counted of an aggregate: it never was."""
        for key in [one for one in self.counted if one.startswith(f"{aggregate_id}/")]:
            self.put(key, None)
        self.courses.pop(aggregate_id, None)

    def month(self, on: str | None = None) -> str:
        """The month of a day in the data, else the one in which the event happened."""
        return (on or self.draft.occurred_on.isoformat())[:7]

    def day(self, pending: Pending) -> str:
        """The day that an event's data name, else the one on which it happened."""
        return str(pending.data.get("on") or self.draft.occurred_on.isoformat())

    def fact(
        self,
        indicator: str,
        on: str | None = None,
        *,
        programme: str | None = None,
        concerned: tuple[str | None, ...] = (),
        **fields: Any,
    ) -> Fact:
        """A fact of this case or offer, in its municipality and under the rules of today."""
        return Fact(
            indicator=indicator,
            month=self.month(on),
            nis=self.draft.nis,
            programme=programme,
            rule_set=self.draft.rules(programme or UNDETERMINED).version,
            concerned=self._own((*concerned, self._holder())),
            **fields,
        )

    def of_referral(self, indicator: str, referral: Referral, **fields: Any) -> Fact:
        """A fact of a referral, by the channel it came through."""
        return self.fact(
            indicator,
            programme=referral.programme,
            channel=self.channel(referral),
            concerned=(referral.referrer, referral.handler, referral.endorser),
            **fields,
        )

    def of_placement(
        self, indicator: str, placement: Placement, on: str | None = None, **fields: Any
    ) -> Fact:
        """A fact of a placement, by the channel of its referral."""
        referral = self.draft.case.referrals.get(placement.referral_id or "")
        parties = () if referral is None else (referral.referrer, referral.handler)
        return self.fact(
            indicator,
            on,
            programme=placement.programme,
            channel=None if referral is None else self.channel(referral),
            concerned=(placement.organiser, *parties),
            **fields,
        )

    def channel(self, referral: Referral) -> str | None:
        """The role letter of the referrer."""
        found = self.draft.context.registry.participant(referral.referrer)
        return None if found is None else found.role

    def days_since(self, name: str, on: str | None = None) -> int | None:
        """Days from a remembered day; None when it is not known, or lies later."""
        start = self.dates.get(name)
        if start is None:
            return None
        end = date.fromisoformat(on) if on else self.draft.occurred_on
        passed = (end - date.fromisoformat(start)).days
        return passed if passed >= 0 else None

    def _stand(self, key: str, fact: Fact | None) -> None:
        if fact is None:
            self.counted.pop(key, None)
        else:
            self.counted[key] = fact
            self.facts.append(fact)

    def _holder(self) -> str | None:
        case = self.draft.trajectory
        return case.holder or case.proposed_holder if isinstance(case, Trajectory) else None

    def _own(self, parties: tuple[str | None, ...]) -> tuple[str, ...]:
        registry = self.draft.context.registry
        found = (registry.participant(one) for one in dict.fromkeys(parties) if one is not None)
        return tuple(sorted(one.id for one in found if one is not None and one.role in OWN_COUNTS))


Count = Callable[[Counting, "Pending"], None]
"""What one event counts."""


def _moved(fact: Fact) -> Fact:
    """What of a stock says that it moved: neither the month nor the version of the rules."""
    return replace(fact, month="", rule_set=None)
