"""Journeys of change between organisations: a mandate that moves, an agreement that ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.world import acts, agreements, places
from connectors.world.dice import Dice
from connectors.world.journey import Journey
from connectors.world.organisations import (
    DEMER,
    LEARNING,
    OCMW_AARSCHOT,
    STATION,
    SUCCESSOR,
    TOWN_AARSCHOT,
    urn,
)
from connectors.world.people import invent
from schemas.errors import Message

if TYPE_CHECKING:
    from connectors.world.script import Script

OPEN_FILES = 40
FIRST_PERSON = 901_000


def mandate(script: Script) -> None:
    """I: a town gives its mandate to another organiser, with forty open files."""
    files = [script]
    for number in range(1, OPEN_FILES):
        dice = Dice(script.seed, "journey", "I", number)
        person = invent(dice, FIRST_PERSON + number, script.person.place)
        files.append(script.beside(str(number), person))
    for one in files:
        referral = acts.refer(one, OCMW_AARSCHOT, DEMER)
        one.wait(2)
        acts.take_on(one, DEMER, STATION, referral)
    script.wait(10)
    moved = {"from_org": urn(DEMER), "to_org": urn(SUCCESSOR), "nis": list(places.DEMER)}
    effective = {**moved, "effective": script.day(5)}
    mandate_id = script.id("mandate")
    changed = "transition.organiser_mandate_changed"
    script.send(
        TOWN_AARSCHOT,
        changed,
        effective,
        subject=mandate_id,
        trajectoryid=None,
        territorynis=places.AARSCHOT,
    )
    script.wait(2)
    accepted = "transition.organiser_mandate_accepted"
    script.send(SUCCESSOR, accepted, {}, subject=mandate_id, trajectoryid=None)
    script.wait(5)
    for one in (script, files[-1]):
        one.until(script.today)
        one.sees(SUCCESSOR, "placement.started", backfill=True)
        one.sees(OCMW_AARSCHOT, "trajectory.organiser_changed")
    acts.talk(script, SUCCESSOR, "phone")
    script.sees(OCMW_AARSCHOT, "guidance.contact_recorded")
    ended = {"end_date": script.day(), "reason": "goal_reached", "early": True}
    placed = script.id("placement")
    script.send(DEMER, "placement.ended", ended, subject=placed, answer="rejected")
    for one in files:
        one.until(script.today)
        _completed(one)


def _completed(script: Script) -> None:
    """The new organiser ends what the former one began, and the OCMW closes the case."""
    script.wait(20)
    placed = script.id("placement")
    acts.end(script, SUCCESSOR, placed, "goal_reached")
    outcome = acts.conclude(script, SUCCESSOR, "volunteer_work", placed)
    acts.confirm(script, OCMW_AARSCHOT, outcome)
    acts.close(script, OCMW_AARSCHOT, "other_track")


def revoked(script: Script) -> None:
    """K: an agreement ends while something waits in the inbox."""
    referral = acts.refer(script, OCMW_AARSCHOT, LEARNING, programme="samenlevingsjob", insz=None)
    script.sees(LEARNING, "referral.created")
    script.wait(2)
    acts.accept(script, LEARNING, referral)
    script.sees(OCMW_AARSCHOT, "referral.accepted")
    script.wait(8)
    changed = {"availability": {"hours_per_week": 20, "dayparts": ["friday_morning"]}}
    script.send(OCMW_AARSCHOT, "referral.corrected", changed, subject=referral)
    ended = {**agreements.apart(), "status": "revoked"}
    script.change({"environment": "test", "agreements": [ended]})
    script.never(LEARNING, "referral.corrected")
    script.wait(1)
    held = {"on": script.day()}
    script.send(LEARNING, "referral.intake_held", held, subject=referral, answer="no_agreement")
    script.never(OCMW_AARSCHOT, "referral.intake_held")


JOURNEYS = (
    Journey(
        "I",
        Message(nl="Een andere organisator", en="Another organiser"),
        Message(
            nl="Stad Aarschot geeft het mandaat van Wijk-werk Demer aan Werkpunt Demer, dat het "
            "aanneemt. Op de afgesproken dag gaan veertig open dossiers mee, met hun "
            "geschiedenis en zonder nieuwe nummers. De vroegere organisator kan niets meer "
            "beëindigen.",
            en="The town of Aarschot gives the mandate of Wijk-werk Demer to Werkpunt Demer, "
            "which accepts. On the agreed day forty open files go along, with their history "
            "and without new numbers. The former organiser can end nothing any more.",
        ),
        places.AARSCHOT,
        mandate,
    ),
    Journey(
        "K",
        Message(nl="De overeenkomst stopt", en="The agreement ends"),
        Message(
            nl="OCMW Aarschot leidt iemand toe naar een leerwerkplek. Het verbetert de "
            "gegevens, en dan wordt de overeenkomst ingetrokken. Wat nog in de postbus "
            "wachtte, krijgt de leerwerkplek niet meer, en wat ze nog stuurt, wordt "
            "geweigerd.",
            en="OCMW Aarschot refers somebody to a work floor for learners. It corrects the "
            "details, and then the agreement is revoked. What still waited in the inbox is "
            "not handed over any more, and what the work floor still sends is refused.",
        ),
        places.AARSCHOT,
        revoked,
    ),
)
