"""Journeys at the entry: who leads in, who takes, who does not answer, and who is too young."""

from __future__ import annotations

from datetime import date

from connectors.world import acts, places
from connectors.world.dice import Dice
from connectors.world.journey import Journey
from connectors.world.organisations import (
    BY_ID,
    CAW,
    HAGELAND,
    LIMBURG,
    OCMW_DIEST,
    OCMW_HASSELT,
    OCMW_LEUVEN,
    OCMW_TIENEN,
    SCHOOL,
    SCHOOLYARD,
    TRAINING,
    VDAB,
    WERKPUNT,
    urn,
)
from connectors.world.people import invent
from connectors.world.script import DUPLICATE, Script
from schemas.errors import Message


def passed_on(script: Script) -> None:
    """B: open, endorsed, taken, declined, taken up again, and passed on to who fits."""
    acts.offer(script, HAGELAND, SCHOOLYARD)
    script.wait(3)
    referral = acts.refer(script, CAW, informed=_told(script, CAW))
    script.never(HAGELAND, "referral.advertised")
    script.wait(2)
    acts.endorse(script, OCMW_TIENEN, referral)
    acts.hold(script, OCMW_TIENEN)
    script.sees(HAGELAND, "referral.advertised", {"status": "open"})
    script.never(HAGELAND, "referral.created")
    script.wait(1)
    acts.claim(script, HAGELAND, referral)
    script.sees(HAGELAND, "referral.created", backfill=True)
    script.wait(4)
    acts.decline(script, HAGELAND, referral, "no_capacity")
    script.sees(CAW, "referral.declined", {"reason": "no_capacity"})
    script.sees(OCMW_TIENEN, "trajectory.task_raised", {"what": "declined_referral"})
    script.wait(3)
    again = acts.refer(
        script,
        OCMW_TIENEN,
        WERKPUNT,
        first=False,
        as_="second",
        predecessor_referral_id=referral,
        reason_codes=["language_practice"],
    )
    script.sees(OCMW_TIENEN, "trajectory.task_answered", {"answer": "new_referral"})
    script.wait(2)
    acts.acknowledge(script, WERKPUNT, again)
    child = script.id("child")
    passed = {"child_referral_id": child, "new_target": urn(TRAINING)}
    further = {**passed, "target_role": "training", "reason": "better_match_elsewhere"}
    script.send(WERKPUNT, "referral.redirected", further, subject=again)
    script.sees(TRAINING, "referral.created")
    script.sees(OCMW_TIENEN, "referral.redirected", {"child_referral_id": child})
    script.wait(2)
    acts.accept(script, TRAINING, child)
    script.sees(OCMW_TIENEN, "referral.accepted")


def _told(script: Script, who: str) -> dict[str, str]:
    return {
        "on": script.day(),
        "channel": "paper",
        "notice_version": "2026-01",
        "language": "nl",
        "by_role": BY_ID[who].role,
    }


def same_file(script: Script) -> None:
    """J: a file of three people comes twice; one row changed."""
    rows = [script]
    for number in (1, 2):
        dice = Dice(script.seed, "journey", "J", number)
        person = invent(dice, 900_740 + number, script.person.place)
        rows.append(script.aside(str(number), person))
    ids = []
    for number, row in enumerate(rows):
        acts.refer(row, OCMW_HASSELT, LIMBURG, own=f"HAS-2026-{number:03d}")
        ids.append(row.last_id)
    for number, (row, sent) in enumerate(zip(rows, ids, strict=True)):
        acts.refer(
            row, OCMW_HASSELT, LIMBURG, own=f"HAS-2026-{number:03d}", again=sent, answer=DUPLICATE
        )
    changed = {"availability": {"hours_per_week": 19, "dayparts": ["friday_morning"]}}
    for row in rows:
        row.wait(1)
    script.send(OCMW_HASSELT, "referral.corrected", changed, subject=script.id("referral"))
    script.sees(LIMBURG, "referral.corrected", {"availability.hours_per_week": 19})
    acts.accept(script, LIMBURG, script.id("referral"))
    script.sees(OCMW_HASSELT, "referral.accepted")


def rescued(script: Script) -> None:
    """N: the target is silent; the hub reminds, asks the OCMW, and the OCMW finds another."""
    referral = acts.refer(script, OCMW_DIEST, HAGELAND)
    script.wait(7)
    script.sees(HAGELAND, "trajectory.reminder_due", {"what": "referral_half_time"})
    script.wait(8)
    script.sees(OCMW_DIEST, "trajectory.task_raised", {"what": "unanswered_referral"})
    script.wait(3)
    withdrawn = {"reason": "other", "reason_text": "Geen antwoord; wij zoeken een andere plek."}
    script.send(OCMW_DIEST, "referral.withdrawn", withdrawn, subject=referral)
    script.sees(HAGELAND, "referral.withdrawn")
    again = acts.refer(
        script,
        OCMW_DIEST,
        WERKPUNT,
        first=False,
        as_="second",
        predecessor_referral_id=referral,
    )
    script.wait(2)
    acts.take_on(script, WERKPUNT, SCHOOLYARD, again)
    script.sees(OCMW_DIEST, "placement.started")
    script.never(HAGELAND, "referral.expired")


def too_young(script: Script) -> None:
    """S: a school may lead a 17-year-old to an OCMW or VDAB only, with a parent informed."""
    young = {"programme": "samenlevingsjob", "insz": None, "informed": _told(script, SCHOOL)}
    acts.refer(script, SCHOOL, WERKPUNT, answer="minor_needs_desk", **young)
    desk = {**young, "target_role": "welfare_centre"}
    acts.refer(script, SCHOOL, OCMW_LEUVEN, as_="second", answer="representative_missing", **desk)
    desk["represented_by"] = "parent"
    referral = acts.refer(script, SCHOOL, OCMW_LEUVEN, as_="third", **desk)
    script.wait(2)
    acts.hold(script, OCMW_LEUVEN)
    acts.acknowledge(script, OCMW_LEUVEN, referral)
    script.wait(3)
    passed = {"child_referral_id": script.id("child"), "reason": "better_match_elsewhere"}
    script.send(
        OCMW_LEUVEN,
        "referral.redirected",
        {**passed, "new_target": urn(HAGELAND), "target_role": "organiser"},
        subject=referral,
        answer="minor_needs_desk",
    )
    to_service = {**passed, "new_target": urn(VDAB), "target_role": "pes"}
    script.send(OCMW_LEUVEN, "referral.redirected", to_service, subject=referral)
    script.sees(VDAB, "referral.created")
    script.wait(2)
    acts.accept(script, VDAB, script.id("child"))
    script.sees(SCHOOL, "referral.accepted")
    script.never(HAGELAND, "referral.created")


JOURNEYS = (
    Journey(
        "B",
        Message(nl="Aangemeld, geweigerd, doorverwezen", en="Referred, declined, passed on"),
        Message(
            nl="CAW Hageland meldt iemand open aan. OCMW Tienen neemt de toeleidingsbeslissing; "
            "pas dan zien organisatoren dat er iemand zoekt, zonder naam. Wijk-werk Hageland "
            "neemt de aanmelding, ziet wie het is, en weigert: geen plaats. Het OCMW krijgt "
            "een taak en vraagt Werkpunt Hageland. Dat verwijst door naar een opleiding die "
            "beter past.",
            en="CAW Hageland refers somebody openly. OCMW Tienen decides; only then do "
            "organisers see that somebody is looking, without a name. Wijk-werk Hageland "
            "takes the referral, sees who it is, and declines: no place. The OCMW gets a "
            "task and asks Werkpunt Hageland, which passes the person on to a training that "
            "fits better.",
        ),
        places.TIENEN,
        passed_on,
    ),
    Journey(
        "J",
        Message(nl="Hetzelfde bestand twee keer", en="The same file twice"),
        Message(
            nl="OCMW Hasselt stuurt een lijst met drie mensen, en even later dezelfde lijst nog "
            "eens. Niemand komt dubbel. De dag nadien verandert één rij, en alleen die gaat "
            "naar de organisator.",
            en="OCMW Hasselt sends a list of three people, and soon after the same list again. "
            "Nobody is there twice. The next day one row changes, and only that one goes to "
            "the organiser.",
        ),
        places.HASSELT,
        same_file,
    ),
    Journey(
        "N",
        Message(nl="Niemand antwoordt", en="Nobody answers"),
        Message(
            nl="OCMW Diest leidt iemand toe, maar de organisator zwijgt. Na een week herinnert "
            "de hub de organisator; na twee weken krijgt het OCMW een taak. Het trekt de "
            "toeleiding in en vindt een andere organisator, waar de persoon begint.",
            en="OCMW Diest refers somebody, but the organiser is silent. After a week the hub "
            "reminds the organiser; after two weeks the OCMW gets a task. It withdraws the "
            "referral and finds another organiser, where the person begins.",
        ),
        places.DIEST,
        rescued,
    ),
    Journey(
        "S",
        Message(nl="Zeventien jaar, van een school", en="Seventeen, from a school"),
        Message(
            nl="Een school wil een leerplichtige jongere rechtstreeks naar een organisator "
            "sturen. Dat weigert de hub: eerst het OCMW of VDAB, en met een ouder die het "
            "weet. Ook het OCMW mag alleen naar VDAB doorverwijzen.",
            en="A school wants to send a young person of compulsory school age straight to an "
            "organiser. The hub refuses: first the OCMW or VDAB, and with a parent who "
            "knows. The OCMW too may pass the person on to VDAB only.",
        ),
        places.LEUVEN,
        too_young,
        date(2008, 9, 15),
    ),
)
