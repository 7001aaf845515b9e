"""What offers count: places, and reports of displacement. Called by `facts.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.exchange.counting import Count, Counting
    from gateway.exchange.draft import Pending


LISTED = frozenset({"published", "under_review"})
"""States in which an offer's places count."""


def offered(counting: Counting, _pending: Pending) -> None:
    """Places, free as their owner stated last; a draft, and what ended, has none."""
    offer = counting.draft.offer
    if offer is None:
        return
    listed = offer.state in LISTED
    free = offer.free_places if listed else 0
    used = max(0, offer.places - free) if listed else 0
    for code, value in (("free", free), ("used", used)):
        fact = counting.fact("places", code=code, value=value, concerned=(offer.owner,))
        counting.stock(f"{offer.id}/{code}", fact if value else None)


def escalated(counting: Counting, _pending: Pending) -> None:
    """A report that stayed without an answer, with the days since."""
    offer = counting.draft.offer
    if offer is not None:
        fact = counting.fact(
            "displacement",
            code="escalated",
            days=counting.days_since("reported"),
            concerned=(offer.owner,),
        )
        counting.add(fact)


def displacement(code: str, detail: str) -> Count:
    """A report, or what came of it, with the days between; the code says which."""

    def count(counting: Counting, pending: Pending) -> None:
        offer = counting.draft.offer
        if offer is None:
            return
        fact = counting.fact(
            "displacement",
            code=code,
            detail=pending.data.get(detail),
            days=counting.days_since("reported"),
            concerned=(offer.owner,),
        )
        counting.add(fact)
        if code == "reported":
            counting.dates.setdefault("reported", counting.draft.occurred_on.isoformat())
        else:
            counting.dates.pop("reported", None)
        offered(counting, pending)

    return count
