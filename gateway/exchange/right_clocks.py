"""The clocks of acquired rights: verification, a year without activity, and its end (R10).

A right sleeps only when the hours of those months were reported: silence of an organiser is no
inactivity of the person.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from consumers.clock import date_of
from gateway.exchange.business_days import days_after, months_after, start_of
from gateway.exchange.clock import UNDETERMINED, Clock, key_of, next_by_days, on_day

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.exchange.clock import Ground
    from gateway.exchange.state import Placement, Right, Trajectory

UNVERIFIED, INACTIVE, LAPSES = "right_unverified", "right_inactive", "right_lapses"
REMINDER = "trajectory.reminder_due"


def clocks(case: Trajectory, ground: Ground) -> Iterator[Clock]:
    """The clocks of every right of a case, also of a closed one: a right outlives it."""
    for right in case.rights.values():
        if right.state == "active":
            yield from _inactive(case, right, ground)
        elif right.state in ("claimed", "dormant"):
            yield from _for_the_service(case, right, ground)


def _for_the_service(case: Trajectory, right: Right, ground: Ground) -> Iterator[Clock]:
    """VDAB verifies a claimed right, and decides on a dormant one; it is asked until it does."""
    rules = ground.rules(UNDETERMINED)
    service = ground.competent("V", case.territory_nis)
    if right.state == "claimed":
        what, days = UNVERIFIED, rules.right_claimed_days
        first = None if days is None else days_after(date_of(right.since), days)
    else:
        what, days = LAPSES, rules.right_lapse_notice_days
        first = on_day(right.lapses_on)
    if service is None or days is None or first is None:
        return
    due = next_by_days(first, days, case.reminded.get(key_of(what, right.id)))
    data = {"what": what, "due": first.isoformat(), "concerns": right.id}
    yield Clock(what, right.id, start_of(due), REMINDER, data, service)


def _inactive(case: Trajectory, right: Right, ground: Ground) -> Iterator[Clock]:
    """After so many whole months without hours; looked at each month while reports are missing."""
    rules = ground.rules(UNDETERMINED)
    months, notice = rules.right_inactive_months, rules.right_lapse_notice_days
    month = counted_from(right)
    if month is None or months is None or notice is None:
        return
    first = months_after(date.fromisoformat(f"{month}-01"), months + 1)
    due, sent = first, case.reminded.get(key_of(INACTIVE, right.id))
    while sent is not None and start_of(due) <= sent.due:
        due = months_after(due, 1)
    missing = unreported(case, first, months)
    if (
        missing is not None
        and due == first
        and missing[1] == months_after(first, -1).isoformat()[:7]
    ):
        # The last month is reported in the one after it.
        due = months_after(first, 1)
    if missing is None:
        event = "transition.right_dormant"
        data: dict[str, Any] = {
            "last_activity_month": right.last_activity or month,
            "lapses_on": days_after(max(due, ground.today), notice).isoformat(),
        }
        acts_for, subject = right.registrant, right.id
    else:
        placement, month = missing
        event, subject = "trajectory.warning_raised", None
        data = {"kind": "hours_missing", "detail_code": month}
        gone = placement.organiser in case.erased
        acts_for = right.registrant if gone else placement.organiser
    yield Clock(INACTIVE, right.id, start_of(due), event, data, acts_for, subject=subject)


def counted_from(right: Right) -> str | None:
    """The month from which inactivity is counted: of the last work, or of a later decision."""
    known = (right.last_activity, right.kept_from)
    return max((one for one in known if one is not None), default=None)


def unreported(case: Trajectory, until: date, months: int) -> tuple[Placement, str] | None:
    """The first of the months before `until` that a placement ran in and has no hours for."""
    for back in range(months, 0, -1):
        begins = months_after(until, -back)
        ends = months_after(begins, 1)
        month = begins.isoformat()[:7]
        for placement in case.placements.values():
            if _ran(placement, begins, ends) and month not in placement.reported:
                return placement, month
    return None


def _ran(placement: Placement, begins: date, ends: date) -> bool:
    """Whether a placement ran on some day of a period."""
    start = on_day(placement.start_date)
    if start is None or not placement.started or placement.state == "voided":
        return False
    end = on_day(placement.ended_on)
    return start < ends and (end is None or end >= begins)
