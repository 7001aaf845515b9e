"""Steps that many scenarios share: somebody referred, taken up, placed at work, and placed on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.letter.partners import HOST, ORGANISER, TIENEN, URN

if TYPE_CHECKING:
    from tests.letter.region import Region

ASSIGNMENT = "0195a8f0-0000-7000-8000-0000000000a1"
MENTOR = {"name": "Noor Proefman", "function": "mentor", "phone": "+32 000 16 00 08"}
DECLARATION = {"declared": True, "declared_by": "diensthoofd", "declared_on": "2026-03-01"}


def referral(around: Region, **changes: Any) -> dict[str, Any]:
    """The data of a whole referral, directed to the organiser unless the changes say otherwise.

    A change to None leaves a field out.
    """
    whole: dict[str, Any] = {
        "programme": "wijk_werken",
        "reason_codes": ["work_rhythm"],
        "target_org": URN[ORGANISER],
        "person": {
            "given_name": "Bilal",
            "family_name": "Proefman",
            "phone": "+32 000 16 10 10",
            "postcode": "3300",
        },
        "contact_person": {"name": "Onthaal"},
        "informed": {
            "on": around.day(),
            "channel": "oral",
            "notice_version": "2026-01",
            "language": "nl",
            "by_role": "pes",
        },
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not None}


def refer(around: Region, who: str, **changes: Any) -> str:
    """A whole referral of somebody; the trajectory."""
    receipt = around.send(who, "referral.created", referral(around, **changes), territorynis=TIENEN)
    return str(receipt["trajectory_id"])


def accept(around: Region, case: str, who: str = ORGANISER) -> None:
    """The organiser takes the referral up."""
    answer = {"handled_by": {"name": "Coördinatie"}, "answer_due": around.day(7)}
    around.send(who, "referral.acknowledged", answer, trajectoryid=case)
    around.send(who, "referral.accepted", {"first_contact_on": around.day(2)}, trajectoryid=case)


def placement(around: Region, **changes: Any) -> dict[str, Any]:
    """The data of a placement at the care home, for half a year from next week."""
    whole: dict[str, Any] = {
        "programme": "wijk_werken",
        "contract_form": "wijk_werk_agreement",
        "assignments": [assignment(around)],
        "given_name": "Bilal",
        "start_date": around.day(7),
        "planned_end": around.day(180),
        "hours_per_week": 12,
        "exit_perspective": "regular_job",
        "allowance_scheme": "cheque_4_10",
        "insured": True,
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not None}


def assignment(around: Region, **changes: Any) -> dict[str, Any]:
    """The one assignment of that placement."""
    whole = {
        "assignment_id": ASSIGNMENT,
        "host_org": URN[HOST],
        "activity_code": "green_maintenance",
        "mentor": MENTOR,
        "from": around.day(7),
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not None}


def plan(around: Region, case: str, who: str = ORGANISER, **changes: Any) -> str:
    """The organiser plans; the placement."""
    receipt = around.send(who, "placement.planned", placement(around, **changes), trajectoryid=case)
    return str(receipt["aggregate_id"])


def start(around: Region, case: str, who: str = ORGANISER, **changes: Any) -> None:
    """The organiser says that it began today."""
    said = {"declaration": DECLARATION, "start_date": around.day(), **changes}
    around.send(who, "placement.started", placement(around, **said), trajectoryid=case)


def at_work(around: Region, who: str, **changes: Any) -> tuple[str, str]:
    """Referred by VDAB or an OCMW, taken up, planned and begun today; case and placement."""
    case = refer(around, who)
    accept(around, case)
    found = plan(around, case, **changes)
    start(around, case, **changes)
    return case, found


def hours(month: str, worked: str, **changes: Any) -> dict[str, Any]:
    """The hours of a month at that assignment."""
    return {"assignment_id": ASSIGNMENT, "period": month, "hours": worked, **changes}
