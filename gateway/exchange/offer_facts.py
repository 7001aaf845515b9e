"""What offers count: places, and reports of displacement. Called by `facts.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.exchange.counting import Count, Counting
    from gateway.exchange.draft import Pending


LISTED = frozenset({"published", "under_review"})
"""States in which an offer's places count."""


def offered(counting: Counting, pending: Pending) -> None:
    """Places that can be filled now; a draft, and what was withdrawn or lapsed, has none."""
    offer, data, levels = counting.draft.offer, pending.data, counting.levels
    if offer is None:
        return
    if "places" in data:
        taken = levels.get("places", 0) - levels.get("free", 0)
        levels["places"] = data["places"]
        levels["free"] = max(0, data["places"] - taken)
    if "free_places" in data:
        levels["free"] = data["free_places"]
    listed = offer.state in LISTED
    places = levels.get("places", 0) if listed else 0
    free = levels.get("free", 0) if listed else 0
    for code, value in (("free", free), ("used", max(0, places - free))):
        key = f"{offer.id}/{code}"
        fact = counting.fact("places", code=code, value=value, concerned=(offer.owner,))
        counting.stock(key, fact if value else None)


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
