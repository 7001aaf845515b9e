"""Which acquired right counts for a person on a day, and what it lifts (R10; `domain.md` §3.4).

Pure. A verified right counts; a claimed one counts as verified while the rules say so, with a
warning, so that nobody loses work at the change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from gateway.exchange.decision import Warning as Notice
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from gateway.exchange.draft import Draft
    from gateway.exchange.state import Right
    from schemas.rule_set import RuleSet

Standing = Literal["verified", "claimed", "none"]

VERIFIED = frozenset({"active", "dormant"})
CLAIMED_COUNTS = "claimed_right_counts"


def standing(rights: Iterable[Right], rules: RuleSet, on: date) -> Standing:
    """How far an unlimited right counts on a day under the rules of a programme."""
    if rules.acquired_right is None:
        return "none"
    states = {one.state for one in rights}
    if states & VERIFIED:
        return "verified"
    until = rules.claimed_counts_until
    return "claimed" if "claimed" in states and until is not None and on <= until else "none"


def is_unlimited(draft: Draft, programme: str) -> bool:
    """Whether the length of a placement is not limited for this person."""
    right = draft.rules(programme).acquired_right
    return right is not None and bool(right.is_duration_unlimited) and _counts(draft, programme)


def lifts_year_cap(draft: Draft, programme: str) -> bool:
    """Whether the hours of a year are not limited for this person; those of a month always are."""
    right = draft.rules(programme).acquired_right
    return right is not None and bool(right.is_year_cap_lifted) and _counts(draft, programme)


def _counts(draft: Draft, programme: str) -> bool:
    found = standing(draft.case.rights.values(), draft.rules(programme), draft.today)
    if found == "claimed" and all(one.code != CLAIMED_COUNTS for one in draft.warnings):
        draft.warnings.append(
            Notice(
                CLAIMED_COUNTS,
                Message(
                    nl="Het verworven recht is nog niet door VDAB nagekeken; het telt voorlopig.",
                    en="VDAB has not verified the acquired right yet; it counts for now.",
                ),
            )
        )
    return found != "none"
