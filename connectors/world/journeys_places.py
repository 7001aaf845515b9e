"""Journeys of places: a work floor that is contested, and a person who moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.world import acts, places
from connectors.world.journey import Journey
from connectors.world.organisations import (
    CARE_HOME,
    HAGELAND,
    MAATWERK,
    OCMW_LEUVEN,
    OCMW_TIENEN,
    SCHOOLYARD,
    TOWN_TIENEN,
    VDAB,
    urn,
)
from schemas.errors import Message

if TYPE_CHECKING:
    from connectors.world.script import Script


def contested(script: Script) -> None:
    """F: a company of social economy says that an offer takes its work away."""
    offer = acts.offer(script, HAGELAND, SCHOOLYARD, activity_code="cleaning_community")
    script.wait(5)
    reported = {"reporter_role": "social_economy", "ground": "replaces_social_economy"}
    explained = {**reported, "explanation": "Wij poetsen deze school sinds 2021."}
    script.send(
        MAATWERK, "offer.displacement_reported", explained, subject=offer, trajectoryid=None
    )
    script.sees(HAGELAND, "offer.displacement_reported", reported, subject=offer)
    script.sees(TOWN_TIENEN, "offer.displacement_reported", subject=offer)
    script.wait(14)
    own = {"decision": "unfounded", "decided_by": urn(HAGELAND)}
    script.send(
        HAGELAND,
        "offer.displacement_resolved",
        own,
        subject=offer,
        trajectoryid=None,
        answer="role_not_allowed",
    )
    decided = {"decision": "conditions", "decided_by": urn(VDAB)}
    limits = {**decided, "conditions": "Alleen naast de vaste ploeg, hoogstens 8 uur per week."}
    script.send(VDAB, "offer.displacement_resolved", limits, subject=offer, trajectoryid=None)
    script.sees(HAGELAND, "offer.displacement_resolved", decided, subject=offer)
    script.wait(2)
    fewer = {"hours_per_week": {"min": 4, "max": 8}}
    script.send(HAGELAND, "offer.updated", fewer, subject=offer, trajectoryid=None)


def moved(script: Script) -> None:
    """O: somebody moves to another municipality while at work, and the case goes along."""
    referral = acts.refer(script, OCMW_TIENEN, HAGELAND)
    script.wait(2)
    placed = acts.take_on(script, HAGELAND, CARE_HOME, referral)
    acts.confirm_start(script, CARE_HOME, placed)
    script.wait(20)
    acts.talk(script, HAGELAND)
    details = {"person": {"postcode": "3010", "nis": places.LEUVEN}}
    script.send(OCMW_TIENEN, "subject.details_changed", details)
    script.sees(HAGELAND, "subject.details_changed", {"person.postcode": "3010"})
    elsewhere = {"nis": places.LEUVEN, "from": script.day()}
    script.send(OCMW_TIENEN, "trajectory.territory_changed", elsewhere)
    script.sees(HAGELAND, "trajectory.territory_changed", {"nis": places.LEUVEN})
    script.wait(2)
    acts.hand_over(script, OCMW_TIENEN, OCMW_LEUVEN, "moved")
    script.sees(OCMW_LEUVEN, "referral.created", backfill=True)
    script.sees(OCMW_LEUVEN, "placement.started", backfill=True)
    acts.hours(script, HAGELAND, placed, script.today.strftime("%Y-%m"), 30)
    script.sees(OCMW_LEUVEN, "placement.hours_reported", {"hours": "30.00"})


JOURNEYS = (
    Journey(
        "F",
        Message(nl="Neemt dit werk af?", en="Does this take work away?"),
        Message(
            nl="Een maatwerkbedrijf meldt dat een aanbod op een school zijn eigen poetswerk "
            "verdringt. Het aanbod komt in onderzoek. De organisator mag daar zelf niet over "
            "beslissen; VDAB doet dat, met voorwaarden, en de organisator past het aanbod "
            "aan.",
            en="A company of social economy reports that an offer at a school displaces its own "
            "cleaning work. The offer is reviewed. The organiser may not decide on that "
            "itself; VDAB does, with conditions, and the organiser adapts the offer.",
        ),
        places.TIENEN,
        contested,
    ),
    Journey(
        "O",
        Message(nl="Verhuisd tijdens de plaatsing", en="Moved during the placement"),
        Message(
            nl="Iemand werkt in Tienen en verhuist naar Leuven. OCMW Tienen past de gegevens en "
            "de gemeente aan, en draagt het dossier over aan OCMW Leuven. De plaatsing loopt "
            "door.",
            en="Somebody works in Tienen and moves to Leuven. OCMW Tienen changes the details "
            "and the municipality, and hands the case over to OCMW Leuven. The placement "
            "goes on.",
        ),
        places.TIENEN,
        moved,
    ),
)
