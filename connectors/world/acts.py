"""What participants do in a case, each act with the data that people would give.

A change given by name replaces a field; a change to None leaves it out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.world.organisations import BY_ID, urn
from connectors.world.registry import NOTICE
from schemas.roles import LETTER

if TYPE_CHECKING:
    from connectors.world.script import Script

CONTRACTS = {
    "wijk_werken": ("wijk_werk_agreement", "cheque_4_10"),
    "gemeenschapsdienst": ("community_service_agreement", "gd_1_30"),
    "samenlevingsjob": ("sj_agreement", "sj_tbd"),
    "art60_7": ("art60_contract", "art60_wage"),
}
AUTHORITIES = "VO"


def contact(who: str) -> dict[str, Any]:
    """Whom to call: a team, never a person who could exist."""
    return {"name": f"Team {BY_ID[who].name}", "function": "onthaal", "phone": "+32000990001"}


def refer(script: Script, who: str, to: str | None = None, **changes: Any) -> str:
    """A referral, open without `to`; its id. `first=False` adds one to the case there is."""
    first, name = changes.pop("first", True), changes.pop("as_", "referral")
    answer = changes.pop("answer", "accepted")
    own, again = changes.pop("own", None), changes.pop("again", None)
    role = LETTER[BY_ID[who].role]
    person = script.person
    data = {
        "programme": "wijk_werken",
        "reason_codes": ["work_rhythm"],
        "target_org": None if to is None else urn(to),
        "person": person.details(),
        "insz": person.insz if role in AUTHORITIES else None,
        "availability": {"hours_per_week": 12, "dayparts": ["monday_morning", "tuesday_morning"]},
        "contact_person": contact(who),
        "informed": {
            "on": script.day(-1),
            "channel": "oral",
            "notice_version": NOTICE,
            "language": "nl",
            "by_role": BY_ID[who].role,
        },
        **changes,
    }
    attributes: dict[str, Any] = {"trajectoryid": None} if first else {}
    subject = script.id(name)
    script.send(
        who,
        "referral.created",
        data,
        subject=subject,
        answer=answer,
        event_id=again,
        sourcerecordid=own,
        **attributes,
    )
    return subject


def endorse(script: Script, who: str, referral: str, **changes: Any) -> None:
    """The decision of an OCMW or VDAB that a partner's referral goes on."""
    data = {"decision_ref": f"besluit-{script.key}", **changes}
    script.send(who, "referral.endorsed", data, subject=referral)


def hold(script: Script, who: str) -> None:
    """An OCMW or VDAB becomes case holder of a case that nobody holds."""
    data = {"holder": urn(who), "contact": contact(who)}
    script.send(who, "trajectory.case_holder_assigned", data)


def claim(script: Script, who: str, referral: str) -> None:
    """A candidate takes an open referral."""
    data = {"handled_by": contact(who), "answer_due": script.day(10)}
    script.send(who, "referral.claimed", data, subject=referral)


def acknowledge(script: Script, who: str, referral: str) -> None:
    """The target says that it has it and who answers by when."""
    data = {"handled_by": contact(who), "answer_due": script.day(10)}
    script.send(who, "referral.acknowledged", data, subject=referral)


def intake(script: Script, who: str, referral: str, days: int = 5) -> None:
    """A first talk, agreed and held."""
    on = script.day(days)
    script.send(who, "referral.intake_scheduled", {"on": on, "time": "10:00"}, subject=referral)
    script.wait(days)
    script.send(who, "referral.intake_held", {"on": on}, subject=referral)


def accept(script: Script, who: str, referral: str, **changes: Any) -> None:
    """The handler takes the person on."""
    data = {"first_contact_on": script.day(2), **changes}
    script.send(who, "referral.accepted", data, subject=referral)


def decline(script: Script, who: str, referral: str, reason: str, **changes: Any) -> None:
    """The handler does not, with the reason."""
    script.send(who, "referral.declined", {"reason": reason, **changes}, subject=referral)


def placement(script: Script, host: str, **changes: Any) -> dict[str, Any]:
    """The agreement of person and organiser: where, what, with whom, from when to when."""
    name = changes.pop("as_", "placement")
    programme = str(changes.get("programme", "wijk_werken"))
    form, scheme = CONTRACTS.get(programme, ("volunteer", None))
    place = script.person.place
    start = changes.get("start_date", script.day(7))
    assignment = {
        "assignment_id": script.id(name, "assignment"),
        "host_org": urn(host),
        "workplace": {"name": BY_ID[host].name, "nis": place.nis, "address": "Teststraat 1"},
        "activity_code": changes.pop("activity", "green_maintenance"),
        "mentor": {"name": f"Mentor {BY_ID[host].name}", "function": "mentor"},
        "from": start,
    }
    return {
        "programme": programme,
        "contract_form": form,
        "assignments": [assignment],
        "given_name": script.person.given_name,
        "start_date": start,
        "planned_end": script.day(180),
        "hours_per_week": 12,
        "coach": {"name": "Coach Testveld", "function": "jobcoach"},
        "exit_perspective": "regular_job",
        "allowance_scheme": scheme,
        "insured": True,
        **changes,
    }


def plan(script: Script, who: str, host: str, **changes: Any) -> str:
    """A placement is planned; its id."""
    subject = script.id(changes.get("as_", "placement"))
    script.send(who, "placement.planned", placement(script, host, **changes), subject=subject)
    return subject


def start(script: Script, who: str, host: str, **changes: Any) -> str:
    """It begins today, with mentor, insurance and declaration; its id."""
    subject, answer = script.id(changes.get("as_", "placement")), changes.pop("answer", "accepted")
    declared = {"declared": True, "declared_by": "diensthoofd", "declared_on": script.day(-1)}
    data = placement(
        script, host, **{"start_date": script.day(), "declaration": declared, **changes}
    )
    script.send(who, "placement.started", data, subject=subject, answer=answer)
    return subject


def take_on(script: Script, who: str, host: str, referral: str) -> str:
    """Accepted and planned today, begun a week later; the placement's id."""
    accept(script, who, referral)
    plan(script, who, host, referral_id=referral)
    script.wait(7)
    return start(script, who, host, referral_id=referral)


def confirm_start(script: Script, host: str, placed: str) -> None:
    """The work floor says that the person came."""
    script.send(host, "placement.start_confirmed", {"on": script.day()}, subject=placed)


def hours(script: Script, who: str, placed: str, month: str, worked: int, **changes: Any) -> str:
    """The hours of a month; the id of the report."""
    name, answer = changes.pop("as_", "placement"), changes.pop("answer", "accepted")
    data = {
        "assignment_id": script.id(name, "assignment"),
        "period": month,
        "hours": f"{worked}.00",
        **changes,
    }
    # A correction names the report that it replaces, and fields that name an event hold UUIDs.
    event_id = script.id(name, "hours", month, len(script.steps))
    return script.send(
        who,
        "placement.hours_reported",
        data,
        subject=placed,
        answer=answer,
        event_id=event_id,
    )


def talk(script: Script, who: str, kind: str = "coach_visit", **changes: Any) -> None:
    """A contact between coach, mentor and person."""
    data = {"kind": kind, "on": script.day(), "duration_min": 45, "signal": "none", **changes}
    script.send(who, "guidance.contact_recorded", data)


def evaluate(script: Script, who: str, advice: str = "continue", **changes: Any) -> None:
    """How it goes, and what next."""
    data = {
        "on": script.day(),
        "scores": [{"competence": "punctual", "level": 3}, {"competence": "teamwork", "level": 4}],
        "rhythm": "building",
        "goal_status": "under_way",
        "exit_perspective": "regular_job",
        "advice": advice,
        **changes,
    }
    script.send(who, "guidance.evaluation_completed", data)


def suspend(script: Script, who: str, placed: str, reason: str, days: int) -> None:
    """The placement rests for some days; then it goes on."""
    data = {"reason": reason, "expected_until": script.day(days)}
    script.send(who, "placement.suspended", data, subject=placed)
    script.wait(days)
    script.send(who, "placement.resumed", {"resumed_on": script.day()}, subject=placed)


def end(script: Script, who: str, placed: str, reason: str, **changes: Any) -> None:
    """The placement ends today."""
    data = {"end_date": script.day(), "reason": reason, "early": False, **changes}
    script.send(who, "placement.ended", data, subject=placed)


def conclude(script: Script, who: str, kind: str, placed: str | None, **changes: Any) -> str:
    """What came of it, as its recorder knows it; the outcome's id."""
    subject = script.id("outcome")
    data = {"type": kind, "on": script.day(), "placement_id": placed, **changes}
    script.send(who, "outcome.recorded", data, subject=subject)
    return subject


def confirm(script: Script, who: str, outcome: str, evidence: str = "document") -> None:
    """The case holder confirms it."""
    script.send(who, "outcome.confirmed", {"evidence": evidence}, subject=outcome)


def follow_up(script: Script, who: str, outcome: str, month: int, still: str = "yes") -> None:
    """Whether the person is still there after some months."""
    data = {"month": month, "still_in": still, "cumulative_months": month}
    script.send(who, "outcome.follow_up_recorded", data, subject=outcome)


def hand_over(script: Script, holder: str, to: str, reason: str, days: int = 5) -> None:
    """A warm hand-over: offered by the holder, looked at and taken by the new one.

    It looks before it takes: what it may see of an offered case comes again, and wider, once it
    holds the case, and then takes the place of whatever it had not read.
    """
    offered = {"to": urn(to), "reason": reason, "effective": script.day(days)}
    script.send(holder, "trajectory.handover_offered", offered)
    script.sees(to, "trajectory.handover_offered")
    script.wait(days)
    taken = {
        "from": urn(holder),
        "to": urn(to),
        "reason": reason,
        "effective": script.day(),
        "contact": contact(to),
    }
    script.send(to, "trajectory.case_holder_changed", taken)


def close(script: Script, who: str, reason: str, **options: Any) -> None:
    """The case holder closes the case."""
    script.send(who, "trajectory.closed", {"reason": reason}, **options)


def offer(script: Script, who: str, host: str, **changes: Any) -> str:
    """Places on a work floor, open to whoever fits; the offer's id."""
    subject, place = script.id("offer"), script.person.place
    data = {
        "title": f"Meewerken bij {BY_ID[host].name}",
        "description": "Licht werk in een kleine ploeg, met een vaste mentor.",
        "activity_code": "green_maintenance",
        "host_org": urn(host),
        "location": {"name": BY_ID[host].name, "nis": place.nis},
        "places": 3,
        "hours_per_week": {"min": 8, "max": 19},
        "mentor_available": True,
        "programme_scope": ["wijk_werken", "samenlevingsjob"],
        "community_need": "green",
        "valid_from": script.day(),
        "valid_to": script.day(700),
        "non_displacement": {
            "declared": True,
            "declared_by": "diensthoofd",
            "declared_on": script.day(),
            "grounds": ["on_activity_list"],
        },
        **changes,
    }
    script.send(who, "offer.published", data, subject=subject, trajectoryid=None)
    return subject
