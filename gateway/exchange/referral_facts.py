"""What referrals count: inflow, answers and when benefits end. Called by `facts.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.exchange.counting import Count, Counting
    from gateway.exchange.draft import Pending


def referred(counting: Counting, pending: Pending) -> None:
    """A redirection's child is the same person passed on: it waits anew, and is no new inflow."""
    referral = counting.draft.case.referrals[pending.aggregate_id]
    counting.dates[f"{referral.id}/asked"] = counting.draft.occurred_on.isoformat()
    if referral.parent_id is None:
        counting.put(f"{referral.id}/inflow", counting.of_referral("referral_inflow", referral))
    _benefit(counting, pending)


def corrected(counting: Counting, pending: Pending) -> None:
    """The programme may be another one, and the day on which a benefit ends."""
    referral = counting.draft.case.referrals[pending.aggregate_id]
    for name in ("inflow", "answer"):
        counting.change(f"{referral.id}/{name}", programme=referral.programme)
    if "benefit_ends_on" in pending.data.get("cleared", ()):
        counting.put(f"{referral.id}/benefit", None)
    _benefit(counting, pending)


def _benefit(counting: Counting, pending: Pending) -> None:
    """One forecast a case: the last that was told, in the month in which the benefit ends."""
    ends_on = pending.data.get("benefit_ends_on")
    if ends_on is None:
        return
    for key in [one for one in counting.counted if one.endswith("/benefit")]:
        if key != f"{pending.aggregate_id}/benefit":
            counting.put(key, None)
    counting.put(f"{pending.aggregate_id}/benefit", counting.fact("benefit_end", ends_on))


def answered(code: str) -> Count:
    """Somebody answered, or nobody did: the code says which, the detail why."""

    def count(counting: Counting, pending: Pending) -> None:
        referral = counting.draft.case.referrals[pending.aggregate_id]
        counting.change(f"{referral.id}/inflow", programme=referral.programme)
        fact = counting.of_referral(
            "referral_answer",
            referral,
            code=code,
            detail=pending.data.get("reason"),
            days=counting.days_since(f"{referral.id}/asked"),
        )
        counting.put(f"{referral.id}/answer", fact)
        counting.dates[f"{referral.id}/answered"] = counting.draft.occurred_on.isoformat()

    return count


def reopened(counting: Counting, pending: Pending) -> None:
    """What was answered is open again, unless it had been accepted and only was closed."""
    if counting.draft.case.referrals[pending.aggregate_id].state != "accepted":
        counting.put(f"{pending.aggregate_id}/answer", None)
