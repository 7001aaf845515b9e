"""What keeps an organisation's data about a person from being erased, and until when.

Pure. An order is refused while the organisation still has a part to play in the case: others would
then wait for somebody who no longer knows the person. The retention of acquired rights is that of
`domain.md` §4.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from consumers.clock import date_of
from schemas.lifecycle import lifecycles
from schemas.retention import RIGHT as KEPT_RIGHT
from schemas.retention import periods

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from gateway.exchange.state import Right, Trajectory

CASE_HOLDER, REFERRAL, PLACEMENT = "case_holder", "open_referral", "placement_insurance"
RIGHT, OUTCOME, TASK = "acquired_right", "open_outcome", "open_task"


class RetentionDuty(NamedTuple):
    """One reason to keep.

    Attributes:
        what: a code, see this module.
        trajectory_id: the case.
        concerns: the referral, placement, outcome, right or task; the case itself for a holder.
        until: the day on which it ends, as far as that is known; None while it is up to the case.
    """

    what: str
    trajectory_id: str
    concerns: str
    until: date | None = None


def retention_duties(case: Trajectory, own: Collection[str], now: int) -> list[RetentionDuty]:
    """The duties in one case of the organisation whose participants are `own`."""
    found = [*_of_case(case, own), *_of_referrals(case, own), *_of_placements(case, own)]
    found += [
        RetentionDuty(OUTCOME, case.id, one.id)
        for one in case.outcomes.values()
        if one.recorder in own and lifecycles()["outcome"].is_active(one.state)
        and one.state != "confirmed"
    ]  # fmt: skip
    found += [
        RetentionDuty(RIGHT, case.id, one.id, _kept_until(one, now))
        for one in case.rights.values()
        if {one.registrant, one.service} & set(own) and is_kept(one, now)
    ]
    return found


def _of_case(case: Trajectory, own: Collection[str]) -> Iterator[RetentionDuty]:
    holders = {case.holder, case.proposed_holder, case.offered_holder}
    if lifecycles()["trajectory"].is_active(case.state) and holders & set(own):
        yield RetentionDuty(CASE_HOLDER, case.id, case.id)
    for task in case.tasks.values():
        if task.addressee in own and task.answered is None:
            yield RetentionDuty(TASK, case.id, task.id)


def _of_referrals(case: Trajectory, own: Collection[str]) -> Iterator[RetentionDuty]:
    """Whoever took it up until it is over; whoever sent it until somebody took it up."""
    for one in case.referrals.values():
        if not lifecycles()["referral"].is_active(one.state):
            continue
        busy = {
            one.handler,
            one.target,
            one.endorser if one.state == "pending_endorsement" else None,
        }
        if one.state != "accepted":
            busy.add(one.referrer)
        if busy & set(own):
            yield RetentionDuty(REFERRAL, case.id, one.id)


def _of_placements(case: Trajectory, own: Collection[str]) -> Iterator[RetentionDuty]:
    for one in case.placements.values():
        parties = {one.organiser, *one.hosts, *one.planned_hosts}
        if parties & set(own) and lifecycles()["placement"].is_active(one.state):
            yield RetentionDuty(PLACEMENT, case.id, one.id, _day(one.planned_end))


def is_kept(right: Right, now: int) -> bool:
    """Whether a right lives, or ended not long enough ago."""
    if lifecycles()["right"].is_active(right.state):
        return True
    until = _kept_until(right, now)
    return until is not None and date_of(now) < until


def _kept_until(right: Right, now: int) -> date | None:
    """None while it lives, and for one that was refused."""
    if right.state not in periods()[KEPT_RIGHT].after:
        return None
    ended = _day(right.ends_on) or date_of(right.since or now)
    return periods()[KEPT_RIGHT].ends(ended)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
