"""Journeys of erasure: what goes, who hears of it, and what nobody else loses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.world import acts, places
from connectors.world.journey import Journey
from connectors.world.organisations import BY_ID, CAW, OCMW_TIENEN, VDAB, urn
from schemas.errors import Message

if TYPE_CHECKING:
    from connectors.world.script import Script

PROGRAMME = "samenlevingsjob"
"""A programme into which a partner refers without anybody's endorsement."""
ERASED = "subject.erased"


def _referred(script: Script, **options: Any) -> str:
    """A CAW refers to the OCMW, which takes the case and the referral."""
    informed = {
        "on": script.day(),
        "channel": "paper",
        "notice_version": "2026-01",
        "language": "nl",
        "by_role": BY_ID[CAW].role,
    }
    return acts.refer(script, CAW, OCMW_TIENEN, programme=PROGRAMME, informed=informed, **options)


def _taken(script: Script, referral: str) -> None:
    script.sees(OCMW_TIENEN, "referral.created")
    acts.hold(script, OCMW_TIENEN)
    acts.accept(script, OCMW_TIENEN, referral)
    script.sees(CAW, "referral.accepted")


def erased_then_sent_again(script: Script) -> None:
    """L: a CAW erases, its file comes once more, and the person comes back as somebody new."""
    number = "CAW-2026-017"
    referral = _referred(script, own=number)
    sent = script.last_id
    script.wait(2)
    _taken(script, referral)
    script.erase(OCMW_TIENEN, answer="duty_to_keep")
    script.wait(30)
    script.erase(CAW)
    script.sees(OCMW_TIENEN, ERASED, {"ordered_by": urn(CAW)})
    script.wait(2)
    _referred(script, own=number, again=sent, answer="event_id_reused")
    change = {"person": {"phone": "+32000990078"}}
    script.send(CAW, "subject.details_changed", change, answer="erased")
    script.wait(3)
    again = script.aside("again")
    second = _referred(again)
    again.wait(1)
    _taken(again, second)
    again.never(OCMW_TIENEN, ERASED)


def only_the_own(script: Script) -> None:
    """U: the CAW's data go; what the OCMW wrote goes on to whoever takes the case over."""
    referral = _referred(script)
    script.wait(2)
    _taken(script, referral)
    script.wait(10)
    script.erase(CAW)
    script.sees(OCMW_TIENEN, ERASED, {"ordered_by": urn(CAW)})
    script.wait(3)
    acts.hand_over(script, OCMW_TIENEN, VDAB, "agreement")
    script.sees(VDAB, "referral.accepted", backfill=True)
    script.never(VDAB, "referral.created")


JOURNEYS = (
    Journey(
        "L",
        Message(nl="Gewist, en toch opnieuw gestuurd", en="Erased, and sent again all the same"),
        Message(
            nl="CAW Hageland leidt iemand toe naar OCMW Tienen, en laat later zijn eigen gegevens "
            "over die persoon wissen. Het OCMW hoort dat en wist zijn kopie; zelf mag het nog "
            "niet wissen, want het houdt een open dossier. Het oude bestand komt nog eens binnen "
            "en brengt niets terug. Als de persoon later opnieuw bij het CAW komt, is dat voor "
            "het CAW een nieuwe persoon.",
            en="CAW Hageland refers somebody to OCMW Tienen, and later has its own data about "
            "that person erased. The OCMW hears of it and erases its copy; itself it may not "
            "erase yet, because it holds an open case. The old file comes in once more and "
            "brings nothing back. When the person comes to the CAW again, it is somebody new to "
            "the CAW.",
        ),
        places.TIENEN,
        erased_then_sent_again,
    ),
    Journey(
        "U",
        Message(nl="Alleen het eigen deel", en="The own part only"),
        Message(
            nl="CAW Hageland laat wissen wat het zelf over iemand schreef. Wat OCMW Tienen over "
            "dezelfde persoon schreef, blijft leesbaar: VDAB neemt het dossier over en krijgt de "
            "geschiedenis van het OCMW, en niets meer van het CAW.",
            en="CAW Hageland has erased what it wrote about somebody. What OCMW Tienen wrote "
            "about the same person stays readable: VDAB takes the case over and gets the OCMW's "
            "history, and nothing of the CAW's any more.",
        ),
        places.TIENEN,
        only_the_own,
    ),
)
