"""What placements and outcomes count: starts, ends, exits, lasting work. Called by `facts.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from gateway.exchange import guidance_facts as guidance

if TYPE_CHECKING:
    from gateway.exchange.counting import Counting
    from gateway.exchange.draft import Pending
    from gateway.exchange.state import Outcome, Placement

FOLLOWED = (3, 6, 12)
"""Months after an outcome in which it is asked about."""


def started(counting: Counting, pending: Pending) -> None:
    """It started: how long after the answer, and whether with a mentor."""
    placement = counting.draft.case.placements[pending.aggregate_id]
    start = placement.start_date or counting.draft.occurred_on.isoformat()
    _start(counting, placement, start)
    guidance.begin(counting, placement.id, start)


def _start(counting: Counting, placement: Placement, start: str) -> None:
    fact = counting.of_placement(
        "placement_start",
        placement,
        start,
        code="mentor" if placement.mentored else "no_mentor",
        days=counting.days_since(f"{placement.referral_id}/answered", start),
    )
    counting.dates[f"{placement.id}/start"] = start
    counting.put(f"{placement.id}/start", fact)


def corrected(counting: Counting, pending: Pending) -> None:
    """Another first day changes when it started and how long it lasted."""
    placement = counting.draft.case.placements[pending.aggregate_id]
    start = pending.data.get("start_date")
    if start is None or not placement.started:
        return
    _start(counting, placement, start)
    ended_on = counting.dates.get(f"{placement.id}/end")
    if ended_on is not None:
        days = counting.days_since(f"{placement.id}/start", ended_on)
        counting.change(f"{placement.id}/end", days=days)
    guidance.restart(counting, placement.id, start)


def ended(counting: Counting, pending: Pending) -> None:
    """It ended: why, how long it lasted, and whether before its time."""
    placement = counting.draft.case.placements[pending.aggregate_id]
    ended_on = pending.data.get("end_date") or counting.draft.occurred_on.isoformat()
    counting.dates[f"{placement.id}/end"] = ended_on
    fact = counting.of_placement(
        "placement_end",
        placement,
        ended_on,
        code=pending.data.get("reason"),
        detail="early" if pending.data.get("early") else "planned",
        days=counting.days_since(f"{placement.id}/start", ended_on),
    )
    counting.put(f"{placement.id}/end", fact)
    guidance.sum_up(counting, placement, ended_on)


def end_revoked(counting: Counting, pending: Pending) -> None:
    """It did not end after all."""
    counting.dates.pop(f"{pending.aggregate_id}/end", None)
    for name in ("end", "guidance"):
        counting.put(f"{pending.aggregate_id}/{name}", None)


def exited(counting: Counting, pending: Pending) -> None:
    """Where somebody went; a correction changes it in its own month."""
    outcome = counting.draft.case.outcomes[pending.aggregate_id]
    key, data = f"{outcome.id}/exit", pending.data
    old = counting.counted.get(key)
    code = data.get("type") or (None if old is None else old.code)
    placement = _placement_of(counting, outcome)
    on = data.get("on")
    if placement is None:
        fact = counting.fact("exit", on, code=code, concerned=(outcome.recorder,))
    else:
        fact = counting.of_placement("exit", placement, on, code=code)
    if old is not None:
        fact = replace(old, code=code, month=old.month if on is None else fact.month)
    counting.put(key, fact)
    for months in FOLLOWED:
        counting.change(f"{outcome.id}/after_{months}", detail=code)


def _placement_of(counting: Counting, outcome: Outcome) -> Placement | None:
    """The placement that an outcome names; when it names none, the only one that ever started."""
    placements = counting.draft.case.placements
    begun = [one for one in placements.values() if one.started and one.state != "voided"]
    only = begun[0] if len(begun) == 1 and outcome.placement_id is None else None
    return placements.get(outcome.placement_id or "", only)


def followed_up(counting: Counting, pending: Pending) -> None:
    """Beside how it is, the fact says what the outcome was: only work counts as sustained work."""
    exited = counting.counted.get(f"{pending.aggregate_id}/exit")
    months = pending.data.get("month")
    if exited is None or months not in FOLLOWED:
        return
    fact = replace(
        exited,
        indicator=f"sustained_{months}",
        month=counting.month(),
        code=pending.data.get("still_in") or "unknown",
        detail=exited.code,
    )
    counting.put(f"{pending.aggregate_id}/after_{months}", fact)
