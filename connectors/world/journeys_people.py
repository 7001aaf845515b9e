"""Journeys of one person in several cases: recognised, linked, parted again, and renumbered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from connectors.world import acts, places
from connectors.world.dice import Dice
from connectors.world.journey import Journey
from connectors.world.organisations import (
    CARE_HOME,
    CAW,
    HAGELAND,
    OCMW_DIEST,
    OCMW_LEUVEN,
    OCMW_TIENEN,
    SCHOOLYARD,
    VDAB,
    WERKPUNT,
    urn,
)
from connectors.world.people import invent, invented_number
from schemas.errors import Message

if TYPE_CHECKING:
    from connectors.world.people import Person
    from connectors.world.script import Script

TWO_CASES, PERHAPS = "same_person_two_trajectories", "possible_same_person"
ASKED = "trajectory.task_raised"
OTHER = f"@given:{ASKED}:other_ref"
ANOTHER, SHELTER = 900_771, "+32000990077"
NEW_SEQUENCE = 998
"""Of a number given anew; nobody is invented with it."""


def two_desks(script: Script) -> None:
    """T: VDAB and OCMW refer in one week; one number, two cases, and both are asked."""
    referral = acts.refer(script, VDAB, HAGELAND)
    script.wait(3)
    other = script.aside("ocmw")
    second = acts.refer(other, OCMW_TIENEN, WERKPUNT)
    script.sees(VDAB, ASKED, {"what": TWO_CASES, "other_org": urn(OCMW_TIENEN)})
    other.sees(OCMW_TIENEN, ASKED, {"what": TWO_CASES, "other_org": urn(VDAB)})
    script.never(HAGELAND, ASKED)
    script.never(OCMW_TIENEN, "referral.created")
    other.wait(2)
    withdrawn = {"reason": "entered_elsewhere"}
    other.send(OCMW_TIENEN, "referral.withdrawn", withdrawn, subject=second)
    other.sees(WERKPUNT, "referral.withdrawn")
    other.send(OCMW_TIENEN, "trajectory.joined", {"into": f"@case:{script.key}"})
    script.until(other.today)
    script.wait(1)
    script.sees(VDAB, "trajectory.task_answered", {"answer": "done"})
    acts.accept(script, HAGELAND, referral)
    script.never(OCMW_TIENEN, "referral.accepted")


def without_address(script: Script) -> None:
    """M: a CAW and later an OCMW refer one person; a third case is linked wrongly and parted."""
    known = {**_name(script.person), "phone": SHELTER, "language": script.person.language}
    referral = acts.refer(
        script, CAW, HAGELAND, person=known, reference_address_of=urn(OCMW_LEUVEN)
    )
    script.sees(OCMW_LEUVEN, "referral.created", {"reference_address_of": urn(OCMW_LEUVEN)})
    script.wait(2)
    acts.hold(script, OCMW_LEUVEN)
    acts.endorse(script, OCMW_LEUVEN, referral)
    script.wait(5)
    _asked_and_linked(script)
    script.wait(3)
    _linked_wrongly(script)
    for partner in (CAW, HAGELAND):
        script.never(partner, ASKED)
    script.never(OCMW_TIENEN, "referral.created")
    script.never(OCMW_DIEST, "referral.created")
    acts.accept(script, HAGELAND, referral)


def _name(person: Person) -> dict[str, Any]:
    """What people say of themselves who have neither address nor telephone."""
    return {
        "given_name": person.given_name,
        "family_name": person.family_name,
        "birth_date": person.birth_date.isoformat(),
    }


def _asked_and_linked(script: Script) -> None:
    """OCMW Tienen is told that it may be the same person, asks the person, and links."""
    other = script.aside("tienen")
    acts.refer(other, OCMW_TIENEN, WERKPUNT, person=_name(script.person))
    other.sees(OCMW_TIENEN, ASKED, {"what": PERHAPS, "other_org": urn(OCMW_LEUVEN)})
    script.sees(OCMW_LEUVEN, ASKED, {"what": PERHAPS, "other_org": urn(OCMW_TIENEN)})
    other.wait(1)
    linked = {"other_ref": OTHER, "ground": "confirmed_by_person"}
    other.send(OCMW_TIENEN, "subject.linked", linked)
    other.sees(OCMW_TIENEN, "trajectory.task_answered", {"answer": "linked"})
    script.until(other.today)
    script.sees(OCMW_LEUVEN, "trajectory.task_answered", {"answer": "linked"})


def _linked_wrongly(script: Script) -> None:
    """Somebody else of the same shelter: linked by mistake, parted, and not proposed again."""
    person = invent(Dice(script.seed, "journey", "M", 1), ANOTHER, places.place(places.DIEST))
    other = script.aside("diest", replace(person, phone=SHELTER))
    acts.refer(other, OCMW_DIEST, WERKPUNT)
    other.sees(OCMW_DIEST, ASKED, {"what": PERHAPS, "other_org": urn(OCMW_LEUVEN)})
    script.sees(OCMW_LEUVEN, ASKED, {"what": PERHAPS, "other_org": urn(OCMW_DIEST)})
    wrong = {"other_ref": OTHER, "ground": "confirmed_by_both_holders"}
    other.send(OCMW_DIEST, "subject.linked", wrong)
    other.wait(1)
    undone = {"other_ref": OTHER, "ground": "entered_in_error"}
    other.send(OCMW_DIEST, "subject.unlinked", undone)
    again = {"person": {"phone": SHELTER, "email": other.person.email}}
    other.send(OCMW_DIEST, "subject.details_changed", again)
    other.sees(WERKPUNT, "subject.details_changed")
    script.until(other.today)


def renumbered(script: Script) -> None:
    """H: a national number is replaced; two records become one, and hours count together."""
    referral = acts.refer(script, OCMW_DIEST, HAGELAND)
    number = invented_number(script.person.birth_date, NEW_SEQUENCE)
    other = script.aside("vdab", replace(script.person, insz=number))
    again = acts.refer(other, VDAB, WERKPUNT)
    script.sees(OCMW_DIEST, ASKED, {"what": PERHAPS, "other_org": urn(VDAB)})
    for case, who, host, referred in (
        (script, HAGELAND, SCHOOLYARD, referral),
        (other, WERKPUNT, CARE_HOME, again),
    ):
        case.wait(2)
        acts.confirm_start(case, host, acts.take_on(case, who, host, referred))
    script.wait(1)
    script.send(OCMW_DIEST, "subject.details_changed", {"insz": number})
    script.sees(OCMW_DIEST, "subject.merged")
    other.until(script.today)
    other.sees(VDAB, "subject.merged")
    other.sees(VDAB, "trajectory.task_answered", {"answer": "linked"})
    script.sees(OCMW_DIEST, "trajectory.task_answered", {"answer": "linked"})
    script.wait(20)
    acts.hours(script, HAGELAND, script.id("placement"), "2026-01", 35)
    other.until(script.today)
    other.wait(1)
    acts.hours(other, WERKPUNT, other.id("placement"), "2026-01", 30)
    other.sees(VDAB, "trajectory.warning_raised", {"kind": "hours_cap"})


JOURNEYS = (
    Journey(
        "H",
        Message(nl="Een nieuw rijksregisternummer", en="A new national number"),
        Message(
            nl="OCMW Diest en VDAB leiden dezelfde persoon toe, elk met een ander nummer: dat van "
            "OCMW Diest werd vervangen. De hub vermoedt dat het om één persoon gaat en vraagt "
            "het hun. Het OCMW geeft het nieuwe nummer door, en beide dossiers horen voortaan "
            "bij één persoon. De uren bij twee organisatoren tellen samen, en VDAB krijgt een "
            "waarschuwing.",
            en="OCMW Diest and VDAB refer the same person, each under another number: that of "
            "OCMW Diest was replaced. The hub supposes that it is one person and asks them. "
            "The OCMW passes the new number on, and from then both cases are of one person. "
            "The hours at two organisers count together, and VDAB is warned.",
        ),
        places.DIEST,
        renumbered,
    ),
    Journey(
        "M",
        Message(nl="Zonder adres en zonder nummer", en="Without address or number"),
        Message(
            nl="CAW Hageland leidt iemand toe die op straat leeft, met een referentieadres bij "
            "OCMW Leuven. Later doet OCMW Tienen dat ook. Beide OCMW's krijgen de vraag of het "
            "dezelfde persoon is, en Tienen koppelt de twee. OCMW Diest koppelt iemand anders "
            "uit dezelfde opvang, merkt de vergissing, en maakt die ongedaan.",
            en="CAW Hageland refers somebody who lives on the street, with a reference address at "
            "OCMW Leuven. Later OCMW Tienen does so too. Both are asked whether it is the "
            "same person, and Tienen links the two. OCMW Diest links somebody else of the same "
            "shelter, sees the mistake, and undoes it.",
        ),
        places.LEUVEN,
        without_address,
    ),
    Journey(
        "T",
        Message(nl="Twee loketten in één week", en="Two desks in one week"),
        Message(
            nl="VDAB leidt iemand toe, en drie dagen later doet OCMW Tienen dat ook. De hub "
            "herkent het nummer en vraagt beide dossierhouders om elkaar te bellen; geen van "
            "beide ziet het dossier van de ander. Het OCMW trekt zijn toeleiding in en laat "
            "zijn dossier opgaan in dat van VDAB.",
            en="VDAB refers somebody, and three days later OCMW Tienen does so too. The hub "
            "recognises the number and asks both case holders to call each other; neither sees "
            "the case of the other. The OCMW withdraws its referral and lets its case go on in "
            "that of VDAB.",
        ),
        places.TIENEN,
        two_desks,
    ),
)
