"""What guidance counts: contacts and evaluations a period, minutes, and how people grow (R17, R18).

A period is counted by the first event of the case after it is over, as the case then stood; a
missed contact brings a hub reminder, so no period waits long. What is recorded late is counted
in its own period after all.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from gateway.exchange.tally import Course
from schemas.codelists import code_list

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.exchange.counting import Counting
    from gateway.exchange.draft import Pending
    from gateway.exchange.state import Placement
    from schemas.facts import Fact

GUIDED = frozenset({"active", "suspended", "ended"})
"""States of a placement that guidance can belong to."""
MAX_PERIODS = 60
"""Periods of one placement that are told apart; the state stays bounded."""
CONTACT, EVALUATION = "contact", "evaluation"


def begin(counting: Counting, placement_id: str, start: str) -> None:
    """A placement has started."""
    counting.courses.setdefault(placement_id, Course(start))


def restart(counting: Counting, placement_id: str, start: str) -> None:
    """Its first day was another one: the periods are counted anew from there."""
    course = counting.courses.get(placement_id)
    if course is None or course.start == start:
        return
    for key in [one for one in counting.counted if one.startswith(f"{placement_id}/period_")]:
        counting.put(key, None)
    counting.courses[placement_id] = Course(start, minutes=course.minutes)


def close_periods(counting: Counting) -> None:
    """Count the periods that ended before this event, as the case stood then."""
    before = counting.draft.context.trajectory
    if before is None:
        return
    for placement_id, course in list(counting.courses.items()):
        placement = before.placements.get(placement_id)
        if placement is None or placement.state not in ("active", "suspended"):
            continue
        seen = _closed(counting, placement, course, CONTACT)
        counting.courses[placement_id] = _closed(counting, placement, seen, EVALUATION)


def _closed(counting: Counting, placement: Placement, course: Course, kind: str) -> Course:
    done = course.contact_periods if kind == CONTACT else course.evaluation_periods
    for number, last_day in _periods(counting, placement, course, kind):
        if last_day >= counting.draft.today:
            break
        if number < done:
            continue
        done = number + 1
        if placement.state == "active":
            fact = counting.of_placement(
                f"{kind}_period",
                placement,
                last_day.isoformat(),
                code=_code(placement, course, kind, number),
            )
            counting.put(f"{placement.id}/period_{kind}_{number}", fact)
    if kind == CONTACT:
        return replace(course, contact_periods=done)
    return replace(course, evaluation_periods=done)


def _code(placement: Placement, course: Course, kind: str, number: int) -> str:
    if kind == EVALUATION:
        return "on_time" if number in course.evaluations else "missed"
    if not placement.mentored:
        return "no_mentor"
    return "guided" if number in course.contacts else "no_contact"


def _periods(
    counting: Counting, placement: Placement, course: Course, kind: str
) -> Iterator[tuple[int, date]]:
    """Numbers and last days of a placement's periods; none when the rules set no rhythm."""
    after = _after(counting, placement, kind)
    if after is None:
        return
    start = date.fromisoformat(course.start)
    for number in range(MAX_PERIODS):
        yield number, after(start, number + 1) - timedelta(days=1)


def _after(
    counting: Counting, placement: Placement, kind: str
) -> Callable[[date, int], date] | None:
    """The first day after so many periods, by the programme's rules."""
    rules = counting.draft.rules(placement.programme)
    if kind == CONTACT:
        weeks = rules.contact_rhythm_weeks
        return None if not weeks else lambda start, many: start + timedelta(weeks=weeks * many)
    months = rules.evaluation_months
    return None if not months else lambda start, many: _months_later(start, months * many)


def _months_later(start: date, months: int) -> date:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    # The first of the month after has no day that is missing, so that 31 January + 1 is 1 March.
    return date(year, month + 1, 1) + timedelta(days=start.day - 1)


def contacted(counting: Counting, pending: Pending) -> None:
    """Somebody guided the person: how long, in which period, and of which placement."""
    data, on = pending.data, counting.day(pending)
    minutes = data.get("duration_min")
    placement = _placement_on(counting, on)
    if placement is None:
        fact = counting.fact(
            "guidance_contact",
            on,
            code=data.get("kind"),
            value=minutes,
            concerned=(pending.actor.id,),
        )
        counting.add(fact)
        return
    fact = counting.of_placement(
        "guidance_contact", placement, on, code=data.get("kind"), value=minutes
    )
    counting.add(fact)
    _took_place(counting, placement, on, CONTACT)
    course = counting.courses[placement.id]
    counting.courses[placement.id] = replace(course, minutes=course.minutes + (minutes or 0))
    if f"{placement.id}/guidance" in counting.counted:
        counting.change(f"{placement.id}/guidance", value=course.minutes + (minutes or 0))


def evaluated(counting: Counting, pending: Pending) -> None:
    """How it goes: on time or not, and how far from the first evaluation."""
    data, on = pending.data, counting.day(pending)
    placement = _placement_on(counting, on)
    if placement is not None:
        _took_place(counting, placement, on, EVALUATION)
    known = code_list("generic_v1").codes
    for score in data.get("scores", ()):
        if score["competence"] in known:
            _grown(counting, pending, score["competence"], score["level"])
    if "rhythm" in data:
        _steadied(counting, pending, data["rhythm"])


def _grown(counting: Counting, pending: Pending, competence: str, level: int) -> None:
    """First to last: a later evaluation replaces what the one before counted."""
    first = counting.levels.setdefault(competence, level)
    key = f"growth/{competence}"
    if key not in counting.counted and counting.dates.get(key) is None:
        counting.dates[key] = counting.day(pending)
        return
    counting.put(key, _of_person(counting, pending, "competence_growth", competence, level - first))


def _steadied(counting: Counting, pending: Pending, rhythm: str) -> None:
    if counting.rhythm is None:
        counting.rhythm = rhythm
        return
    fact = _of_person(counting, pending, "rhythm_growth", counting.rhythm, None)
    counting.put("growth/rhythm", replace(fact, detail=rhythm))


def _of_person(
    counting: Counting, pending: Pending, indicator: str, code: str, value: int | None
) -> Fact:
    on = counting.day(pending)
    placement = _placement_on(counting, on)
    if placement is not None:
        return counting.of_placement(indicator, placement, on, code=code, value=value)
    return counting.fact(indicator, on, code=code, value=value, concerned=(pending.actor.id,))


def sum_up(counting: Counting, placement: Placement, ended_on: str) -> None:
    """A placement is over: how many minutes of guidance it had, and no period after its end."""
    course = counting.courses.get(placement.id, Course(ended_on))
    fact = counting.of_placement("placement_guidance", placement, ended_on, value=course.minutes)
    counting.put(f"{placement.id}/guidance", fact)
    last = date.fromisoformat(ended_on)
    for kind in (CONTACT, EVALUATION):
        for number, last_day in _periods(counting, placement, course, kind):
            if last_day >= last:
                counting.put(f"{placement.id}/period_{kind}_{number}", None)


def _took_place(counting: Counting, placement: Placement, on: str, kind: str) -> None:
    """Note the period, and set right what was counted of it when it is over already."""
    course, day = counting.courses[placement.id], date.fromisoformat(on)
    for number, last_day in _periods(counting, placement, course, kind):
        if day > last_day:
            continue
        if kind == CONTACT:
            course = replace(course, contacts=_with(course.contacts, number))
        else:
            course = replace(course, evaluations=_with(course.evaluations, number))
        counting.courses[placement.id] = course
        key = f"{placement.id}/period_{kind}_{number}"
        old = counting.counted.get(key)
        if old is not None and old.code in ("no_contact", "missed"):
            counting.change(key, code="guided" if kind == CONTACT else "on_time")
        return


def _with(numbers: tuple[int, ...], number: int) -> tuple[int, ...]:
    return numbers if number in numbers else tuple(sorted((*numbers, number)))


def _placement_on(counting: Counting, on: str) -> Placement | None:
    """The placement that guidance on a day belongs to: the last that had begun by then."""
    case = counting.draft.case
    begun = [
        (course.start, case.placements[one])
        for one, course in counting.courses.items()
        if course.start <= on and one in case.placements and case.placements[one].state in GUIDED
    ]
    return max(begun, key=lambda one: one[0])[1] if begun else None
