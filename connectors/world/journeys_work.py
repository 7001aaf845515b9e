"""Journeys on a work floor: a whole path, a new case holder, interruptions, late hours."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from connectors.world import acts, places
from connectors.world.journey import Journey
from connectors.world.organisations import (
    CARE_HOME,
    HAGELAND,
    OCMW_DIEST,
    OCMW_TIENEN,
    SCHOOLYARD,
    VDAB,
    urn,
)
from schemas.errors import Message

if TYPE_CHECKING:
    from connectors.world.script import Script

A_YEAR = 12


def whole_path(script: Script) -> None:
    """A: OCMW, organiser, twelve months, a job, and still there a year later."""
    referral = acts.refer(
        script, OCMW_TIENEN, HAGELAND, own="OT-2026-001", income_status="leefloon"
    )
    script.sees(HAGELAND, "referral.created", withheld=("insz", "income_status"))
    script.wait(2)
    acts.acknowledge(script, HAGELAND, referral)
    acts.intake(script, HAGELAND, referral)
    acts.accept(script, HAGELAND, referral)
    script.wait(4)
    placed = acts.plan(script, HAGELAND, CARE_HOME, referral_id=referral)
    script.wait(7)
    acts.start(script, HAGELAND, CARE_HOME, referral_id=referral)
    script.sees(OCMW_TIENEN, "referral.closed", {"result": "placed", "placement_id": placed})
    script.sees(CARE_HOME, "placement.started", {"given_name": script.person.given_name})
    script.never(CARE_HOME, "referral.created")
    acts.confirm_start(script, CARE_HOME, placed)
    for month in range(A_YEAR):
        _a_month(script, HAGELAND, placed, 40 + month % 3)
        if month == A_YEAR // 2 - 1:
            acts.evaluate(script, HAGELAND, "extend")
            new_end = {"new_end": script.day(180), "motive": "goal_within_reach"}
            extended = {**new_end, "decided_by": urn(OCMW_TIENEN), "extension_no": 1}
            script.send(HAGELAND, "placement.extended", extended, subject=placed)
    acts.evaluate(script, HAGELAND, "step_up", goal_status="reached", rhythm="stable")
    acts.end(script, HAGELAND, placed, "regular_job", total_hours="492.00")
    contract = {"form": "open_ended", "hours_week": "19.00", "start": script.day(1)}
    outcome = acts.conclude(script, HAGELAND, "regular_job", placed, contract=contract)
    script.wait(3)
    acts.confirm(script, OCMW_TIENEN, outcome, "dimona_checked")
    for months, days in ((3, 92), (6, 92), (12, 183)):
        script.wait(days)
        acts.follow_up(script, OCMW_TIENEN, outcome, months)
    script.sees(HAGELAND, "outcome.follow_up_recorded", {"month": 12, "still_in": "yes"})
    script.wait(7)
    acts.close(script, OCMW_TIENEN, "sustainable_job")


def _a_month(script: Script, organiser: str, placed: str, worked: int) -> None:
    """Two weeks, a talk, two weeks, and the hours."""
    month = script.today.strftime("%Y-%m")
    script.wait(15)
    acts.talk(script, organiser, topics=["work_rhythm"])
    script.wait(15)
    acts.hours(script, organiser, placed, month, worked)


def new_holder(script: Script) -> None:
    """D: the benefit ends while the placement goes on."""
    referral = acts.refer(
        script, VDAB, HAGELAND, income_status="werkloosheidsuitkering", benefit_ends_on="2026-03-01"
    )
    script.wait(3)
    acts.acknowledge(script, HAGELAND, referral)
    placed = acts.take_on(script, HAGELAND, CARE_HOME, referral)
    acts.confirm_start(script, CARE_HOME, placed)
    script.never(OCMW_TIENEN, "referral.created")
    script.until(date(2026, 2, 23))
    acts.talk(script, HAGELAND)
    acts.hand_over(script, VDAB, OCMW_TIENEN, "benefit_ended", 7)
    script.sees(OCMW_TIENEN, "referral.created", {"benefit_ends_on": "2026-03-01"}, backfill=True)
    script.sees(OCMW_TIENEN, "placement.started", backfill=True)
    script.sees(HAGELAND, "trajectory.case_holder_changed", {"to": urn(OCMW_TIENEN)})
    acts.hours(script, HAGELAND, placed, "2026-02", 44)
    script.sees(OCMW_TIENEN, "placement.hours_reported", {"period": "2026-02"}, backfill=False)


def three_rests(script: Script) -> None:
    """G: three suspensions, and then the person stays away."""
    referral = acts.refer(script, OCMW_DIEST, HAGELAND)
    script.wait(5)
    placed = acts.take_on(script, HAGELAND, SCHOOLYARD, referral)
    acts.confirm_start(script, SCHOOLYARD, placed)
    for reason, days in (("family", 12), ("absence_long", 20), ("conflict", 9)):
        script.wait(18)
        acts.talk(script, HAGELAND, signal="attention")
        acts.suspend(script, HAGELAND, placed, reason, days)
    script.sees(OCMW_DIEST, "placement.suspended", {"reason": "conflict"})
    script.sees(SCHOOLYARD, "placement.suspended", withheld=("reason",))
    script.wait(12)
    acts.end(script, HAGELAND, placed, "person_stopped", early=True)
    outcome = acts.conclude(script, HAGELAND, "dropped_out", placed)
    script.wait(4)
    acts.confirm(script, OCMW_DIEST, outcome, "client_statement")
    script.sees(HAGELAND, "outcome.confirmed")


def late_hours(script: Script) -> None:
    """P: the last hours come after the end, and are then put right."""
    referral = acts.refer(script, OCMW_TIENEN, HAGELAND)
    script.wait(2)
    placed = acts.take_on(script, HAGELAND, CARE_HOME, referral)
    acts.confirm_start(script, CARE_HOME, placed)
    script.until(date(2026, 2, 13))
    acts.talk(script, HAGELAND)
    acts.hours(script, HAGELAND, placed, "2026-01", 24)
    acts.end(script, HAGELAND, placed, "training_started")
    acts.conclude(script, HAGELAND, "vocational_training", placed)
    script.until(date(2026, 3, 9))
    first = acts.hours(script, HAGELAND, placed, "2026-02", 36)
    script.wait(2)
    acts.hours(script, HAGELAND, placed, "2026-02", 26, correction_of=first)
    script.sees(OCMW_TIENEN, "placement.hours_reported", {"period": "2026-02", "hours": "26.00"})
    acts.hours(script, HAGELAND, placed, "2026-04", 8, answer="period_in_future")


JOURNEYS = (
    Journey(
        "A",
        Message(nl="Van leefloon naar vast werk", en="From living wage to a steady job"),
        Message(
            nl="OCMW Tienen leidt iemand toe naar Wijk-werk Hageland. Na een intake begint die "
            "in een woonzorgcentrum, met een mentor. Elke maand zijn er een gesprek en uren; "
            "halfweg wordt verlengd. Na twaalf maanden volgt een gewone job, en het OCMW "
            "kijkt na drie, zes en twaalf maanden of die standhoudt.",
            en="OCMW Tienen leads somebody to Wijk-werk Hageland. After an intake the person "
            "begins in a care home, with a mentor. Every month brings a talk and hours; half "
            "way the placement is extended. After twelve months a regular job follows, and "
            "the OCMW looks after three, six and twelve months whether it lasts.",
        ),
        places.TIENEN,
        whole_path,
    ),
    Journey(
        "D",
        Message(
            nl="De uitkering stopt tijdens de plaatsing",
            en="The benefit ends during the placement",
        ),
        Message(
            nl="VDAB heeft iemand geplaatst en is dossierhouder. Op 1 maart 2026 eindigt de "
            "werkloosheidsuitkering. VDAB draagt het dossier warm over aan OCMW Tienen: dat "
            "krijgt eerst alles wat er al gebeurde, en daarna wat nog komt. De plaatsing "
            "loopt door.",
            en="VDAB placed somebody and holds the case. On 1 March 2026 the unemployment "
            "benefit ends. VDAB hands the case over to OCMW Tienen, which first gets all "
            "that happened before, and then what comes. The placement goes on.",
        ),
        places.TIENEN,
        new_holder,
    ),
    Journey(
        "G",
        Message(nl="Drie keer geschorst, dan gestopt", en="Suspended three times, then stopped"),
        Message(
            nl="Iemand begint op een school, maar valt drie keer een tijd uit. De organisator "
            "schorst en hervat, met telkens een reden voor OCMW Diest; de school ziet alleen "
            "de datums. Ten slotte stopt de persoon, en het OCMW bevestigt hoe het afliep.",
            en="Somebody begins at a school but is away for a while three times. The organiser "
            "suspends and resumes, each time with a reason for OCMW Diest; the school sees "
            "the dates only. In the end the person stops, and the OCMW confirms how it ended.",
        ),
        places.DIEST,
        three_rests,
    ),
    Journey(
        "P",
        Message(nl="Uren na het einde, en verbeterd", en="Hours after the end, then corrected"),
        Message(
            nl="De plaatsing is voorbij, maar de laatste prestaties komen een maand later, met "
            "een fout. De organisator verbetert ze. Uren van een maand die nog moet komen "
            "weigert de hub.",
            en="The placement is over, but the last hours come a month later, with a mistake. "
            "The organiser corrects them. The hub refuses hours of a month that is still to "
            "come.",
        ),
        places.TIENEN,
        late_hours,
    ),
)
