"""Which acquired right counts for a person on a day, and what it lifts (R10; `domain.md` §3.4).

Pure. A verified right counts until its lapse takes effect; a claimed one counts as verified while
the rules say so, with a warning, so that nobody loses work at the change.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gateway.exchange.draft import Draft
    from gateway.exchange.state import Right
    from schemas.rule_set import RuleSet

Standing = Literal["verified", "claimed", "none"]

VERIFIED = frozenset({"active", "dormant"})
OVER = frozenset({"lapsed", "closed"})
CLAIMED_COUNTS = "claimed_right_counts"


def standing(rights: Iterable[Right], rules: RuleSet, on: date) -> Standing:
    """Whether an unlimited right counts on a day under a programme's rules, and how far."""
    if rules.acquired_right is None:
        return "none"
    found = {_standing(one, rules, on) for one in rights}
    if "verified" in found:
        return "verified"
    return "claimed" if "claimed" in found else "none"


def _standing(right: Right, rules: RuleSet, on: date) -> Standing:
    if right.state == "refused" or _is_over(right, on):
        return "none"
    if right.verified or right.state in VERIFIED:
        return "verified"
    until = rules.claimed_counts_until
    return "claimed" if until is not None and on <= until else "none"


def _is_over(right: Right, on: date) -> bool:
    if right.state not in OVER:
        return False
    return right.ends_on is None or on.isoformat() >= right.ends_on


def of_person(draft: Draft) -> Iterator[Right]:
    """Every acquired right that the hub knows of the person, whatever case it is kept on."""
    own = draft.case.rights
    yield from own.values()
    for subject in (draft.person, *draft.context.linked):
        for right_id, held in subject.rights.items():
            if right_id not in own:
                yield held.right


def is_unlimited(draft: Draft, programme: str, begun: str | None = None) -> bool:
    """Whether the length of a placement is not limited for this person.

    Args:
        draft: the decision.
        programme: of the placement.
        begun: its first day, on which the right has to count; a placement that began before a
            right lapsed goes on under it. Today when None.
    """
    right = draft.rules(programme).acquired_right
    return (
        right is not None and bool(right.is_duration_unlimited) and _counts(draft, programme, begun)
    )


def lifts_year_cap(draft: Draft, programme: str, begun: str | None = None) -> bool:
    """Whether the hours of a year are not limited for this person; those of a month always are."""
    right = draft.rules(programme).acquired_right
    return right is not None and bool(right.is_year_cap_lifted) and _counts(draft, programme, begun)


def month_cap(draft: Draft, rules: RuleSet, begun: str | None = None) -> int | None:
    """Most hours of a month: the programme's, or what a right that counts was registered with."""
    on = draft.today if begun is None else date.fromisoformat(begun)
    own = (one.hours_cap_month for one in of_person(draft) if standing([one], rules, on) != "none")
    known = (rules.hours_per_month_max, *own)
    return min((one for one in known if one is not None), default=None)


def _counts(draft: Draft, programme: str, begun: str | None) -> bool:
    on = draft.today if begun is None else date.fromisoformat(begun)
    found = standing(of_person(draft), draft.rules(programme), on)
    if found == "claimed" and all(one.code != CLAIMED_COUNTS for one in draft.warnings):
        draft.warn(
            CLAIMED_COUNTS,
            "Het verworven recht is nog niet door VDAB nagekeken; het telt voorlopig.",
            "VDAB has not verified the acquired right yet; it counts for now.",
        )
    return found != "none"
