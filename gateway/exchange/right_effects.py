"""What the events of acquired rights do, and what keeps a right awake (R10; `domain.md` §3.4)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from consumers.clock import date_of
from gateway.exchange.business_days import days_after, months_after
from gateway.exchange.caps import work_of
from gateway.exchange.clock import UNDETERMINED
from gateway.exchange.decision import Errand
from gateway.exchange.state import Right
from gateway.exchange.subject_state import HeldRight
from gateway.exchange.tasks import raise_task
from schemas.lifecycle import lifecycles

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft, Move

DORMANT_TASK, DOUBT_TASK = "right_dormant", "right_lapse_in_doubt"
"""Tasks: the holder tells the person; VDAB looks again at a lapse that late hours contradict."""

REVIVED = "transition.right_revived"
RESUMED, LATE = "activity_resumed", "hours_reported_late"


def registered(draft: Draft, move: Move) -> None:
    """Add the right; VDAB becomes a member to verify it."""
    data = move.data
    service = draft.context.registry.competent("V", draft.nis, draft.today)
    draft.put_right(
        Right(
            id=move.aggregate_id,
            state=move.state,
            version=1,
            registrant=move.actor.id,
            service=None if service is None else service.id,
            basis=data.get("basis"),
            hours_cap_month=data.get("hours_cap_month"),
            claimed_activity=data.get("last_activity_month"),
            last_activity=data.get("last_activity_month"),
        )
    )
    keep_awake(draft)


def verified(draft: Draft, move: Move) -> None:
    """From now on it counts as what it is."""
    _put(draft, move, verified=True)


def dormant(draft: Draft, move: Move) -> None:
    """Let the person be told; hours of another case that the hub knows of wake it at once."""
    _put(draft, move, lapses_on=move.data.get("lapses_on"))
    month = last_worked(draft)
    if month is not None and _keeps(draft, month):
        draft.follow(REVIVED, move.aggregate_id, on=draft.today.isoformat(), ground=LATE)
    elif lifecycles()["trajectory"].is_active(draft.case.state):
        raise_task(draft, DORMANT_TASK, move.aggregate_id)
    else:
        draft.follow(
            "trajectory.reminder_due",
            draft.case.id,
            what="right_lapses",
            due=move.data.get("lapses_on"),
            concerns=move.aggregate_id,
        )


def awake(draft: Draft, move: Move) -> None:
    """Revived or reinstated: it stands as if nothing had been, and a year is counted anew."""
    _put(
        draft,
        move,
        verified=True,
        kept_from=_month(draft.today),
        lapses_on=None,
        ends_on=None,
        last_activity=_activity(draft, draft.case.rights[move.aggregate_id]),
    )


def lapsed(draft: Draft, move: Move) -> None:
    """It counts until the notice is over, from the day on which the hub hears of it at least."""
    decided = max(move.data.get("on", ""), draft.today.isoformat())
    days = draft.rules(UNDETERMINED).right_lapse_notice_days or 0
    ends_on = days_after(date.fromisoformat(decided), days)
    _put(draft, move, ends_on=ends_on.isoformat())


def ended(draft: Draft, move: Move) -> None:
    """Refused or closed: over from the day that VDAB names."""
    _put(draft, move, ends_on=move.data.get("on", draft.today.isoformat()))


def moved(draft: Draft, move: Move) -> None:
    """Change the state alone."""
    _put(draft, move)


def _put(draft: Draft, move: Move, **fields: Any) -> None:
    before = draft.case.rights[move.aggregate_id]
    draft.put_right(replace(before, state=move.state, version=before.version + 1, **fields))


def note(draft: Draft) -> None:
    """Bring the person's record of the rights on this case up to date."""
    person = draft.person
    own = {one: HeldRight(draft.case.id, right) for one, right in draft.case.rights.items()}
    if any(person.rights.get(one) != held for one, held in own.items()):
        draft.subject = replace(person, rights={**person.rights, **own})


def keep_awake(draft: Draft) -> None:
    """After anything that changed what hours are known of the person (R10)."""
    month = last_worked(draft)
    for right in draft.case.rights.values():
        activity = _activity(draft, right)
        if activity == right.last_activity:
            continue
        draft.put_right(replace(right, last_activity=activity))
        if activity is not None and activity > (right.last_activity or ""):
            _worked_again(draft, right, activity)
    for right_id, held in draft.person.rights.items():
        elsewhere = held.trajectory_id != draft.case.id and held.right.state == "dormant"
        if elsewhere and month is not None and month > (held.right.last_activity or ""):
            _wake_elsewhere(draft, right_id, held, month)


def last_worked(draft: Draft) -> str | None:
    """The last month in which the person worked, by every report that is valid."""
    months = (month for work in work_of(draft) for month, hours in work.hours.items() if hours > 0)
    return max(months, default=None)


def _activity(draft: Draft, right: Right) -> str | None:
    """By what was registered and what was reported; a report that is taken back counts no more."""
    known = (right.claimed_activity, last_worked(draft))
    return max((one for one in known if one is not None), default=None)


def _worked_again(draft: Draft, right: Right, month: str) -> None:
    if right.state == "dormant" and _keeps(draft, month):
        ground = RESUMED if month >= _month(date_of(right.since)) else LATE
        draft.follow(REVIVED, right.id, on=draft.today.isoformat(), ground=ground)
    elif (
        right.state == "lapsed"
        and _keeps(draft, month, date_of(right.since))
        and lifecycles()["trajectory"].is_active(draft.case.state)
    ):
        raise_task(draft, DOUBT_TASK, right.id, right.service)


def _wake_elsewhere(draft: Draft, right_id: str, held: HeldRight, month: str) -> None:
    if not _keeps(draft, month):
        return
    draft.errands.append(
        Errand(
            id=f"{REVIVED}:{right_id}:{draft.context.now}",
            due_at=draft.context.now,
            name=REVIVED,
            target_id=held.trajectory_id,
            aggregate_id=right_id,
            acts_for=draft.sender.id,
            data={"on": draft.today.isoformat(), "ground": RESUMED},
        )
    )


def _keeps(draft: Draft, month: str, on: date | None = None) -> bool:
    """Whether work in this month keeps a right on a day."""
    months = draft.rules(UNDETERMINED).right_inactive_months
    if months is None:
        return True
    return months_after(date.fromisoformat(f"{month}-01"), months + 1) > (on or draft.today)


def _month(day: date) -> str:
    return day.isoformat()[:7]
