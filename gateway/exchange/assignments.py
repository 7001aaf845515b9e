"""The assignments of a placement: where somebody works, with which mentor, and from when.

Pure functions on the state; what follows from the assignments is settled here and nowhere else.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from gateway.exchange.state import Assignment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.exchange.draft import Draft
    from gateway.exchange.state import Placement


def placed(
    draft: Draft, placement: Placement, rows: Iterable[Mapping[str, Any]], *, whole: bool
) -> Placement:
    """With these assignments; when they are the whole list, those not on it have ended.

    An assignment that is said again keeps its mentor and its hours.
    """
    said = {str(row["assignment_id"]): row for row in rows}
    known = placement.assignments
    kept = {
        one: replace(assignment, ended=assignment.ended or (whole and one not in said))
        for one, assignment in known.items()
        # What was planned and never began leaves nothing behind.
        if placement.started or not whole or one in said
    }
    fresh = {one: _assignment(draft, row, known.get(one)) for one, row in said.items()}
    return settle(draft, replace(placement, assignments={**kept, **fresh}))


def _assignment(draft: Draft, row: Mapping[str, Any], known: Assignment | None) -> Assignment:
    before = known or Assignment(str(row["assignment_id"]))
    return replace(
        before,
        host=_host(draft, row.get("host_org")),
        household="household" in row,
        mentored=before.mentored or "mentor" in row,
        activity=row.get("activity_code", before.activity),
        begins=row.get("from", before.begins),
        ends=row.get("to", before.ends),
        ended=False,
    )


def _host(draft: Draft, urn: str | None) -> str | None:
    """The host that takes part in the hub; others are reached by a signed link only."""
    if urn is None:
        return None
    found = draft.context.registry.participants_of(urn)
    hosts = (one.id for one in found if one.role == "H" and one.is_valid(draft.today))
    return next(hosts, None)


def mentor_named(draft: Draft, placement: Placement, assignment_id: str | None) -> Placement:
    """A mentor for one assignment, or for all of them when none is named."""
    named = {
        one: replace(assignment, mentored=True) if assignment_id in (None, one) else assignment
        for one, assignment in placement.assignments.items()
    }
    return settle(draft, replace(placement, assignments=named))


def closed(draft: Draft, placement: Placement, assignment_id: str, last_day: str) -> Placement:
    """One assignment ends on a day; its hours stay."""
    ended = replace(placement.assignments[assignment_id], ended=True, ends=last_day)
    return settle(
        draft, replace(placement, assignments={**placement.assignments, assignment_id: ended})
    )


def settle(draft: Draft, placement: Placement) -> Placement:
    """With hosts, mentors and confirmation as its assignments say."""
    everything = placement.assignments.values()
    living = [one for one in everything if not one.ended]
    hosts = [one.host for one in everything if one.host and _reads_along(draft, placement, one)]
    hosts_once = tuple(dict.fromkeys(hosts))
    return replace(
        placement,
        hosts=hosts_once if placement.started else (),
        planned_hosts=hosts_once,
        mentored=bool(living) and all(one.mentored or one.household for one in living),
        hosted=any(not one.household for one in living),
    )


def _reads_along(draft: Draft, placement: Placement, one: Assignment) -> bool:
    """A host is one while its assignment lives, and some days after for what closes it."""
    if not one.ended or one.ends is None:
        return not one.ended
    grace = draft.rules(placement.programme).closing_event_grace_days or 0
    return draft.today <= date.fromisoformat(one.ends) + timedelta(days=grace)
