"""Journeys of acquired rights: kept, asleep, taken in error and given back."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from connectors.world import acts, places
from connectors.world.journey import Journey
from connectors.world.organisations import HAGELAND, LIBRARY, PAJOTTENLAND, SCHOOLYARD, VDAB, urn
from schemas.errors import Message

if TYPE_CHECKING:
    from connectors.world.script import Script

CAP = 60
APPEAL = "Binnen 30 dagen bij VDAB, beroep@example.org."


def unlimited(script: Script) -> None:
    """C: sixty hours a month without an end; then a year of nothing, and back again."""
    placed = _ex_pwa(script, HAGELAND, SCHOOLYARD, "2025-12")
    for month in ("2026-01", "2026-02", "2026-03"):
        script.until(_end_of(month))
        acts.talk(script, HAGELAND, "phone")
        acts.hours(script, HAGELAND, placed, month, CAP)
    for month in _months(2026, 4, 12):
        script.until(_end_of(month))
        acts.hours(script, HAGELAND, placed, month, 0)
    script.until(date(2027, 5, 2))
    script.sees(VDAB, "transition.right_dormant", {"last_activity_month": "2026-03"})
    script.wait(10)
    again = {"on": script.day(), "ground": "activity_resumed"}
    script.send(VDAB, "transition.right_revived", again, subject=script.id("right"))
    script.sees(HAGELAND, "transition.right_revived")


def given_back(script: Script) -> None:
    """Q: VDAB lets a right lapse though the person was at work, and gives it back."""
    placed = _ex_pwa(script, PAJOTTENLAND, LIBRARY, "2025-01")
    script.wait(30)
    lapsed = {"ground": "no_activity_12m", "on": script.day(), "appeal_info": APPEAL}
    script.send(VDAB, "transition.right_lapsed", lapsed, subject=script.id("right"))
    script.sees(PAJOTTENLAND, "transition.right_lapsed", {"appeal_info": APPEAL})
    script.wait(12)
    back = {"on": script.day(), "ground": "error"}
    script.send(VDAB, "transition.right_reinstated", back, subject=script.id("right"))
    script.sees(PAJOTTENLAND, "transition.right_reinstated", {"ground": "error"})
    acts.hours(script, PAJOTTENLAND, placed, "2026-01", 38)
    script.sees(VDAB, "placement.hours_reported", {"period": "2026-01"})


def _ex_pwa(script: Script, organiser: str, host: str, last_month: str) -> str:
    """Somebody bound by a PWA agreement in 2017: referred, registered, verified, at work."""
    referral = acts.refer(script, VDAB, organiser, reason_codes=["ex_pwa_continuation"])
    script.wait(2)
    acts.accept(script, organiser, referral)
    registered = {
        "basis": "pwa_agreement_2017_09_30",
        "source_org": urn(organiser),
        "first_pwa_date": "2009-02-01",
        "last_activity_month": last_month,
        "hours_cap_month": CAP,
        "evidence": "pwa_agreement",
    }
    right = script.id("right")
    script.send(organiser, "transition.right_registered", registered, subject=right)
    script.wait(3)
    verified = {"on": script.day(), "evidence": "register_extract"}
    script.send(VDAB, "transition.right_verified", verified, subject=right)
    script.sees(organiser, "transition.right_verified")
    acts.plan(script, organiser, host, referral_id=referral, planned_end=None)
    script.wait(2)
    placed = acts.start(script, organiser, host, referral_id=referral, planned_end=None)
    acts.confirm_start(script, host, placed)
    return placed


def _months(year: int, month: int, count: int) -> list[str]:
    numbers = range(year * 12 + month - 1, year * 12 + month - 1 + count)
    return [f"{number // 12}-{number % 12 + 1:02d}" for number in numbers]


def _end_of(month: str) -> date:
    """A day at the end of a month on which its hours are known."""
    return date.fromisoformat(f"{month}-28")


JOURNEYS = (
    Journey(
        "C",
        Message(nl="Een recht dat slaapt", en="A right that sleeps"),
        Message(
            nl="Iemand van 62 werkt sinds 2009 in het vroegere PWA en mag dat blijven doen, 60 "
            "uur per maand, zonder einde. Na drie maanden valt het werk stil; de organisator "
            "meldt elke maand nul uren. Na een jaar laat de hub het recht slapen en weet "
            "VDAB dat. De persoon herbegint, en VDAB wekt het recht.",
            en="Somebody of 62 has worked under the former PWA since 2009 and may go on, 60 "
            "hours a month, without an end. After three months the work stops; the organiser "
            "reports no hours each month. After a year the hub lets the right sleep and "
            "tells VDAB. The person begins again, and VDAB wakes the right.",
        ),
        places.LEUVEN,
        unlimited,
        date(1963, 8, 9),
    ),
    Journey(
        "Q",
        Message(nl="Een recht ten onrechte vervallen", en="A right lapsed in error"),
        Message(
            nl="VDAB laat een verworven recht vervallen, en zegt hoe iemand in beroep kan gaan. "
            "Het blijkt een vergissing. VDAB herstelt het recht, en de organisator ziet het "
            "meteen.",
            en="VDAB lets an acquired right lapse, and says how to appeal. It turns out to be a "
            "mistake. VDAB gives the right back, and the organiser sees it at once.",
        ),
        places.PAJOTTEGEM,
        given_back,
        date(1966, 3, 21),
    ),
)
