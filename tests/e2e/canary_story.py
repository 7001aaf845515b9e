"""The canary's way through the world: referral, acceptance, placement, objection, hand-over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from connectors.world import acts
from connectors.world.organisations import (
    BY_ID,
    CARE_HOME,
    CAW,
    HAGELAND,
    OCMW_TIENEN,
    VDAB,
    urn,
)
from connectors.world.registry import NOTICE
from connectors.world.script import BEGINS, Script
from tests.e2e.canary_values import (
    COMPETENCE,
    MENTOR_PHONE,
    NOTE,
    OTHER_PHONE,
    OWN_CAW,
    OWN_OCMW,
    PERSON,
    REMARK,
    REMARKS,
)

if TYPE_CHECKING:
    from datetime import date

SEED: Final = 31
DAYS: Final = 7
"""How long before today it begins; it takes a day less, so that files of today can follow."""
CASE: Final = "c"
PROGRAMME: Final = "samenlevingsjob"
"""A programme into which a partner refers without anybody's endorsement."""


def story(today: date) -> Script:
    """The whole of it, each value given by whom the table says; over some days before today."""
    script = Script(SEED, CASE, PERSON, (today - BEGINS).days - DAYS)
    _refer(script)
    second = _take_and_pass_on(script)
    placed = _place(script, second)
    _object(script, placed)
    _hand_over_and_conclude(script, placed)
    return script


def _refer(script: Script) -> None:
    informed = {
        "on": script.day(),
        "channel": "paper",
        "notice_version": NOTICE,
        "language": "nl",
        "by_role": BY_ID[CAW].role,
    }
    acts.refer(
        script,
        CAW,
        OCMW_TIENEN,
        programme=PROGRAMME,
        own=OWN_CAW,
        informed=informed,
        competences=[{"scheme": "free", "label": COMPETENCE}],
        note=NOTE,
    )
    script.sees(OCMW_TIENEN, "referral.created", {"note": NOTE})


def _take_and_pass_on(script: Script) -> str:
    """The OCMW holds the case, accepts, and refers to an organiser; that referral."""
    script.wait(1)
    acts.hold(script, OCMW_TIENEN)
    acts.accept(script, OCMW_TIENEN, script.id("referral"), remarks=REMARKS)
    script.sees(CAW, "referral.accepted", {"remarks": REMARKS})
    second = acts.refer(
        script,
        OCMW_TIENEN,
        HAGELAND,
        first=False,
        as_="second",
        own=OWN_OCMW,
        person={**PERSON.details(), "phone": OTHER_PHONE},
    )
    script.sees(HAGELAND, "referral.created", {"person.phone": OTHER_PHONE}, withheld=("insz",))
    return second


def _place(script: Script, referral: str) -> str:
    """The organiser accepts and places, with a mentor; the placement."""
    script.wait(1)
    acts.accept(script, HAGELAND, referral)
    terms = acts.placement(script, CARE_HOME, referral_id=referral)["assignments"]
    mentor = {"name": "Mentor Testveld", "phone": MENTOR_PHONE}
    assignments = [{**one, "mentor": mentor} for one in terms]
    job = {"referral_id": referral, "assignments": assignments}
    acts.plan(script, HAGELAND, CARE_HOME, **job)
    script.wait(1)
    assignments = [{**one, "from": script.day()} for one in assignments]
    placed = acts.start(script, HAGELAND, CARE_HOME, **{**job, "assignments": assignments})
    script.sees(CARE_HOME, "placement.started", {"given_name": PERSON.given_name})
    acts.confirm_start(script, CARE_HOME, placed)
    acts.talk(script, HAGELAND, topics=["work_rhythm"])
    return placed


def _object(script: Script, placed: str) -> None:
    """The person objects against what the work floor gets; what comes next is stopped there."""
    scope = {"scope": {"organisation": urn(CARE_HOME)}}
    script.send(OCMW_TIENEN, "subject.objection_recorded", scope)
    script.wait(1)
    assigned = {
        "assignment_id": script.id("placement", "assignment"),
        "mentor": {"name": "Mentor Proefveld", "phone": MENTOR_PHONE},
        "from": script.day(),
    }
    script.send(HAGELAND, "placement.mentor_assigned", assigned, subject=placed)
    script.sees(OCMW_TIENEN, "placement.mentor_assigned")
    script.never(CARE_HOME, "placement.mentor_assigned")


def _hand_over_and_conclude(script: Script, placed: str) -> None:
    acts.hand_over(script, OCMW_TIENEN, VDAB, "agreement", 1)
    script.sees(VDAB, "referral.created", {"insz": PERSON.insz}, backfill=True)
    acts.end(script, HAGELAND, placed, "training_started")
    outcome = acts.conclude(script, HAGELAND, "vocational_training", placed)
    data = {"evidence": "document", "remark": REMARK}
    script.send(VDAB, "outcome.confirmed", data, subject=outcome)
    script.sees(HAGELAND, "outcome.confirmed", {"remark": REMARK})
