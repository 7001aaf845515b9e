"""Journeys of what changes around a person: caps, programmes, mandates and agreements."""

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
    WERKPUNT,
    urn,
)
from schemas.errors import Message

if TYPE_CHECKING:
    from connectors.world.script import Script

SERVICE = "gemeenschapsdienst"
WARNED = "trajectory.warning_raised"


def above_the_cap(script: Script) -> None:
    """E: two organisers report more hours than one month allows, and an OCMW adds a programme."""
    both: dict[str, tuple[str, str, str]] = {}
    for who, host, name in ((HAGELAND, CARE_HOME, "placement"), (WERKPUNT, SCHOOLYARD, "extra")):
        referral = acts.refer(
            script, VDAB, who, first=not both, as_=f"referral-{name}", programme=SERVICE
        )
        both[who] = (host, name, referral)
    script.wait(2)
    for who, (host, name, referral) in both.items():
        acts.accept(script, who, referral)
        job = {"as_": name, "programme": SERVICE, "referral_id": referral}
        acts.plan(script, who, host, planned_end=script.day(150), hours_per_week=9, **job)
    script.wait(7)
    for who, (host, name, referral) in both.items():
        job = {"as_": name, "programme": SERVICE, "referral_id": referral}
        end = {"planned_end": script.day(143), "hours_per_week": 9}
        acts.confirm_start(script, host, acts.start(script, who, host, **end, **job))
    script.until(date(2026, 2, 27))
    acts.hours(script, HAGELAND, script.id("placement"), "2026-02", 36)
    script.never(VDAB, WARNED)
    script.wait(3)
    acts.hours(script, WERKPUNT, script.id("extra"), "2026-02", 34, as_="extra")
    script.sees(VDAB, "placement.hours_reported", {"hours": "34.00"})
    script.sees(VDAB, WARNED, {"kind": "hours_cap"})
    script.sees(HAGELAND, WARNED, {"kind": "hours_cap"})
    _overlap(script)


def _overlap(script: Script) -> None:
    """The OCMW, which knows nothing of it, lets the person do wijk-werken as well."""
    other = script.aside("ocmw")
    referral = acts.refer(other, OCMW_TIENEN, HAGELAND)
    other.wait(2)
    acts.take_on(other, HAGELAND, CARE_HOME, referral)
    other.sees(OCMW_TIENEN, "placement.started")
    other.sees(OCMW_TIENEN, WARNED, {"kind": "overlap", "detail_code": SERVICE})
    other.never(HAGELAND, WARNED)


def converted(script: Script) -> None:
    """R: wijk-werken goes on as samenlevingsjob, under the same number, with what counts on."""
    referral = acts.refer(script, OCMW_DIEST, HAGELAND)
    script.wait(2)
    placed = acts.take_on(script, HAGELAND, SCHOOLYARD, referral)
    acts.confirm_start(script, SCHOOLYARD, placed)
    for month, worked in (("2026-01", 30), ("2026-02", 45), ("2026-03", 65)):
        script.until(date.fromisoformat(f"{month}-28"))
        acts.talk(script, HAGELAND)
        acts.hours(script, HAGELAND, placed, month, worked)
    script.sees(OCMW_DIEST, WARNED, {"kind": "hours_cap"})
    script.until(date(2026, 4, 1))
    changed = {
        "from_programme": "wijk_werken",
        "to_programme": "samenlevingsjob",
        "effective": script.day(),
        "hours_carried": "140.00",
        "months_carried": 2,
        "basis": "agreement",
    }
    script.send(HAGELAND, "transition.placement_converted", changed, subject=placed)
    script.sees(OCMW_DIEST, "transition.placement_converted", {"hours_carried": "140.00"})
    script.until(date(2026, 4, 29))
    acts.hours(script, HAGELAND, placed, "2026-04", 70)
    script.sees(OCMW_DIEST, "placement.hours_reported", {"period": "2026-04"})
    script.wait(30)
    extended = {"new_end": script.day(300), "motive": "goal_within_reach", "extension_no": 1}
    extended["decided_by"] = urn(OCMW_DIEST)
    script.send(HAGELAND, "placement.extended", extended, subject=placed)
    script.sees(OCMW_DIEST, "placement.extended")


JOURNEYS = (
    Journey(
        "E",
        Message(nl="Te veel uren bij twee organisatoren", en="Too many hours at two organisers"),
        Message(
            nl="VDAB laat iemand gemeenschapsdienst doen bij twee organisatoren. Elk blijft onder "
            "de grens, maar samen is het meer dan 64 uur in een maand. De hub noteert de uren "
            "en waarschuwt VDAB en beide organisatoren. Dan begint OCMW Tienen met wijk-werken "
            "voor dezelfde persoon, en krijgt het te horen dat er al iets loopt.",
            en="VDAB lets somebody do community service at two organisers. Each stays below the "
            "limit, but together it is more than 64 hours in a month. The hub records the hours "
            "and warns VDAB and both organisers. Then OCMW Tienen begins wijk-werken for the same "
            "person, and is told that something is going on already.",
        ),
        places.TIENEN,
        above_the_cap,
    ),
    Journey(
        "R",
        Message(
            nl="Van wijk-werken naar samenlevingsjob", en="From wijk-werken to samenlevingsjob"
        ),
        Message(
            nl="Iemand doet wijk-werken op een school, en gaat daar op 1 april verder met een "
            "samenlevingsjob. De plaatsing loopt door onder hetzelfde nummer; gewerkte uren en "
            "maanden tellen mee. Daarna geldt de maandgrens van wijk-werken niet meer.",
            en="Somebody does wijk-werken at a school, and goes on there on 1 April with a "
            "samenlevingsjob. The placement continues under the same number; hours and months "
            "worked count on. From then the monthly limit of wijk-werken holds no more.",
        ),
        places.DIEST,
        converted,
    ),
)
