"""Everybody who is no journey: paths drawn from the distributions of `domain.md` §6.

The shares are invented. They say nothing about any municipality, organisation or group.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.world import acts
from connectors.world.dice import Dice
from connectors.world.organisations import (
    REGIONS,
    VDAB,
    Region,
    centre_of,
    urn,
)
from connectors.world.people import invent
from connectors.world.places import place
from connectors.world.script import CROWD, Script

if TYPE_CHECKING:
    from datetime import date

INFLOW_DAYS = 270
"""Referrals come in over nine months; the world ends when the last case is done."""

CHANNELS = {"pes": 45, "welfare_centre": 35, "local_partner": 20}
FATES = {"placed": 67, "declined": 25, "expired": 8}
EXITS = {
    "regular_job": 22,
    "social_economy_collective": 12,
    "vocational_training": 15,
    "dropped_out": 20,
    "returned_to_counsellor": 16,
    "extended_programme": 15,
}
START_MEDIAN_DAYS = 18
ANSWERED_WITHIN = 10
"""Days after which an organiser that answers has talked with the person, before it is late."""
SUSPENDED = 0.15
EXTENDED = 0.3
TALKED_TWICE = 0.5
CONFIRMED_START = 0.8
PROGRAMMES = {"wijk_werken": 75, "samenlevingsjob": 25}
DECLINES = {
    "no_capacity": 35,
    "no_matching_offer": 20,
    "person_declined": 15,
    "person_unreachable": 12,
    "guidance_need_too_high": 10,
    "already_in_programme": 8,
}
END_REASONS = {
    "regular_job": "regular_job",
    "social_economy_collective": "social_economy",
    "vocational_training": "training_started",
    "dropped_out": "person_stopped",
    "returned_to_counsellor": "max_duration",
    "extended_programme": "max_duration",
}
FOLLOWED_UP = {"regular_job": (3, 6, 12), "social_economy_collective": (3, 6)}
REASONS = (
    "work_rhythm",
    "generic_competences",
    "first_work_floor",
    "social_contact",
    "orientation",
)
SUSPENSIONS = ("holiday", "family", "temporary_work", "absence_long")
REGION_WEIGHTS = {"hageland": 45, "limburg": 25, "meetjesland": 20, "pajottenland": 10}
MONTH_DAYS = 30


@dataclass(frozen=True, slots=True)
class Path:
    """What chance decided about one person."""

    channel: str
    sender: str
    organiser: str
    host: str
    programme: str
    fate: str
    exit: str
    start_days: int
    months: int
    suspended: bool
    extended: bool


def scripted(seed: int, number: int) -> tuple[Script, Path]:
    """The steps of one person, and what was drawn."""
    dice = Dice(seed, "crowd", number)
    chosen = dice.weighted(REGION_WEIGHTS)
    region = next(one for one in REGIONS if one.id == chosen)
    home = place(dice.one_of(region.municipalities))
    person = invent(dice, number, home)
    script = Script(seed, f"{CROWD}{number:06d}", person, dice.between(0, INFLOW_DAYS))
    path = _drawn(dice, region, home.nis)
    _play(script, dice, path)
    return script, path


def _drawn(dice: Dice, region: Region, nis: str) -> Path:
    channel = dice.weighted(CHANNELS)
    senders = {"pes": (VDAB,), "welfare_centre": (centre_of(nis),)}
    leaves = dice.weighted(EXITS)
    extended = leaves != "dropped_out" and dice.happens(EXTENDED)
    months = dice.between(1, 3) if leaves == "dropped_out" else dice.between(4, 5)
    return Path(
        channel=channel,
        sender=dice.one_of(senders.get(channel, region.partners)),
        organiser=dice.one_of(region.organisers),
        host=dice.one_of(region.hosts),
        programme=dice.weighted(PROGRAMMES),
        fate=dice.weighted(FATES),
        exit=leaves,
        start_days=dice.around(START_MEDIAN_DAYS),
        months=months + (dice.between(2, 6) if extended else 0),
        suspended=dice.happens(SUSPENDED),
        extended=extended,
    )


def _play(script: Script, dice: Dice, path: Path) -> None:
    referral = acts.refer(
        script,
        path.sender,
        path.organiser,
        programme=path.programme,
        reason_codes=[dice.one_of(REASONS)],
        own=f"{script.key.upper()}",
    )
    holder = path.sender
    if path.channel == "local_partner":
        holder = centre_of(script.person.place.nis)
        script.wait(1)
        if path.programme == "wijk_werken":
            acts.endorse(script, holder, referral)
        acts.hold(script, holder)
    if path.fate == "declined":
        _declined(script, dice, path, holder, referral)
    elif path.fate == "placed":
        _placed(script, dice, path, holder, referral)


def _declined(script: Script, dice: Dice, path: Path, holder: str, referral: str) -> None:
    script.wait(dice.between(1, 5))
    acts.acknowledge(script, path.organiser, referral)
    script.wait(dice.between(1, 7))
    acts.decline(script, path.organiser, referral, dice.weighted(DECLINES))
    script.wait(dice.between(3, 12))
    acts.close(script, holder, "no_further_step_agreed")


def _placed(script: Script, dice: Dice, path: Path, holder: str, referral: str) -> None:
    organiser = path.organiser
    script.wait(min(1, path.start_days // 4))
    acts.acknowledge(script, organiser, referral)
    acts.intake(script, organiser, referral, min(path.start_days // 3, ANSWERED_WITHIN))
    acts.accept(script, organiser, referral)
    began = script.steps[0].at.date()
    starts = max(0, path.start_days - (script.today - began).days)
    facts = {"programme": path.programme, "referral_id": referral}
    placed = acts.plan(script, organiser, path.host, start_date=script.day(starts), **facts)
    script.wait(starts)
    acts.start(script, organiser, path.host, **facts)
    if dice.happens(CONFIRMED_START):
        script.wait(dice.between(0, 4))
        acts.confirm_start(script, path.host, placed)
    _months(script, dice, path, placed)
    acts.end(
        script,
        organiser,
        placed,
        END_REASONS[path.exit],
        early=path.exit == "dropped_out",
    )
    outcome = acts.conclude(script, organiser, path.exit, placed)
    script.wait(dice.between(2, 14))
    acts.confirm(script, holder, outcome)
    months = 0
    for month in FOLLOWED_UP.get(path.exit, ()):
        script.wait((month - months) * MONTH_DAYS + 3)
        months = month
        acts.follow_up(script, holder, outcome, month, dice.weighted({"yes": 80, "no": 20}))
    script.wait(dice.between(2, 20))
    acts.close(script, holder, "sustainable_job" if months else "other_track")


def _months(script: Script, dice: Dice, path: Path, placed: str) -> None:
    """Each month a talk and the hours; half way an evaluation, perhaps a rest or more time."""
    organiser = path.organiser
    for number in range(path.months):
        month, next_month = script.today.strftime("%Y-%m"), _after_this_month(script.today)
        script.wait(dice.between(2, 6))
        if dice.happens(TALKED_TWICE):
            acts.talk(script, organiser, "mentor_talk")
        script.wait(dice.between(4, 9))
        acts.talk(script, organiser, dice.one_of(("coach_visit", "three_way_talk", "phone")))
        if path.suspended and number == path.months // 2:
            acts.suspend(script, organiser, placed, dice.one_of(SUSPENSIONS), dice.between(5, 12))
        if script.today < next_month:
            script.until(next_month + timedelta(days=dice.between(0, 3)))
        acts.hours(script, organiser, placed, month, dice.between(20, 52))
        if number == min(4, path.months - 1):
            acts.evaluate(script, organiser, "extend" if path.extended else "continue")
            if path.extended:
                _extended(script, path, placed)


def _after_this_month(on: date) -> date:
    """The first day of the next month, by when a month's hours are known."""
    return (on.replace(day=1) + timedelta(days=32)).replace(day=1)


def _extended(script: Script, path: Path, placed: str) -> None:
    data = {
        "new_end": script.day(190),
        "motive": "slow_progress",
        "decided_by": urn(path.organiser),
        "extension_no": 1,
    }
    script.send(path.organiser, "placement.extended", data, subject=placed)
