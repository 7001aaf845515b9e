"""A decree in one file (R4, R7, R15): nothing but the file changes, and only from its day on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from schemas.strict_yaml import read
from tests.letter import steps
from tests.letter.partners import CAW, OCMW, ORGANISER, TIENEN, TOWN, URN, VDAB
from tests.letter.steps import hours

if TYPE_CHECKING:
    from tests.letter.region import Region

ADMIN = "hub-admin+sj_admin"
DAYS = 14
"""From the first day of a scenario to the decree's."""
JSON = {"content-type": "application/json"}
SAMENLEVINGSJOB: dict[str, Any] = {
    "programme": "samenlevingsjob",
    "contract_form": "sj_agreement",
    "allowance_scheme": "sj_tbd",
}


def post(around: Region, who: str, path: str, body: Any) -> Any:
    """The answer to a call that succeeds."""
    response = around.call(who, "POST", path, content=orjson.dumps(body), headers=JSON)
    assert response.is_success, response.text
    return response.json()


def publish(around: Region) -> Any:
    """The administrator publishes the file."""
    document = read((Path(__file__).parent / "decree.yaml").read_text(encoding="utf-8"))
    return post(around, ADMIN, "/v1/programmes/publications", {"document": document})


def accepted(around: Region, who: str, programme: str) -> str:
    """A referral into a programme that the organiser takes up; the case."""
    case = steps.refer(around, who, programme=programme)
    steps.accept(around, case)
    return case


def rules(answer: dict[str, Any], code: str) -> set[str]:
    """The rules that an answer's warnings of a code name."""
    found = (one for one in answer.get("warnings", ()) if one["code"] == code)
    return {rule for one in found for rule in one.get("rules", ())}


def test_r07_duration_and_hours_begin_on_the_day_of_the_decree(around: Region) -> None:
    """The same plan before and after: not checked and said so, then refused by name."""
    long = {**SAMENLEVINGSJOB, "hours_per_week": 30, "planned_end": around.day(900)}
    publish(around)
    before = accepted(around, OCMW, "samenlevingsjob")
    answer = around.send(
        ORGANISER, "placement.planned", steps.placement(around, **long), trajectoryid=before
    )
    around.wait(DAYS)
    after = accepted(around, OCMW, "samenlevingsjob")
    refused = around.refuse(
        ORGANISER, "placement.planned", steps.placement(around, **long), trajectoryid=after
    )
    short = {**SAMENLEVINGSJOB, "planned_end": around.day(900)}
    too_long = around.refuse(
        ORGANISER, "placement.planned", steps.placement(around, **short), trajectoryid=after
    )

    assert rules(answer, "programme_not_in_force") == {"samenlevingsjob"}
    assert rules(answer, "rule_unset") >= {
        "samenlevingsjob.hours_per_month_max",
        "samenlevingsjob.max_duration_months",
    }
    assert refused["invalidParams"][0]["name"] == "hours_per_week"
    assert too_long["invalidParams"][0]["name"] == "planned_end"
    assert "24" in too_long["detail"]


def test_r07_a_fact_over_the_new_cap_is_taken_and_flagged(around: Region) -> None:
    """Every event says which rules decided; what is over the cap is a warning to the holder."""
    publish(around)
    around.wait(DAYS)
    case, placement = steps.at_work(
        around, OCMW, **SAMENLEVINGSJOB, planned_end=around.day(400), start_date=around.day()
    )
    around.wait(3)
    answer = around.send(
        ORGANISER, "placement.hours_reported", hours("2026-03", "90.00"), trajectoryid=case,
        subject=placement,
    )  # fmt: skip

    assert rules(answer, "rule_breach") == {"hours_per_month_max"}
    assert rules(answer, "rule_unset") == {"samenlevingsjob.hours_per_year_max"}
    assert around.given(OCMW, "trajectory.warning_raised", case)["data"]["kind"] == "hours_cap"
    assert around.given(OCMW, "placement.hours_reported", case)["ruleset"] == (
        "samenlevingsjob-2026-1"
    )


def test_r04_a_channel_closes_on_a_date(around: Region) -> None:
    """The same referral by the same partner, with nothing touched but the day."""
    publish(around)
    before = steps.refer(around, CAW, programme="samenlevingsjob")
    around.wait(DAYS)
    person = {"given_name": "Bilal", "family_name": "Later", "postcode": "3300"}
    after = steps.refer(around, CAW, programme="samenlevingsjob", person=person)

    assert around.state(CAW, before, "referral") == ["sent"]
    assert around.state(CAW, after, "referral") == ["pending_endorsement"]


def test_r07_a_new_programme_works_like_any_other(around: Region) -> None:
    """Unknown before it is published, then led into, worked in, and held to its own hours."""
    unknown = around.refuse(
        OCMW, "referral.created", steps.referral(around, programme="buurtbaan"), territorynis=TIENEN
    )
    publish(around)
    around.wait(DAYS)
    job = {**SAMENLEVINGSJOB, "programme": "buurtbaan", "hours_per_week": 8}
    case = accepted(around, OCMW, "buurtbaan")
    too_much = around.refuse(
        ORGANISER, "placement.planned", steps.placement(around, **{**job, "hours_per_week": 20}),
        trajectoryid=case,
    )  # fmt: skip
    steps.plan(around, case, **job, start_date=around.day(), planned_end=around.day(150))
    steps.start(around, case, **job, planned_end=around.day(150))

    (fault,) = unknown["invalidParams"]
    assert (fault["name"], fault["code"]) == ("programme", "unknown_programme")
    assert too_much["invalidParams"][0]["name"] == "hours_per_week"
    assert around.state(OCMW, case, "placement") == ["active"]
    got = around.given(OCMW, "placement.started", case)
    assert (got["data"]["programme"], got["ruleset"]) == ("buurtbaan", "buurtbaan-2026-1")


def test_r11_running_placements_are_counted_and_converted(around: Region) -> None:
    """The file says which and what they carry; on the day the hub moves those that were counted."""
    case, placement = steps.at_work(around, VDAB, start_date=around.day())
    around.send(
        ORGANISER, "placement.hours_reported", hours("2026-03", "20.00"), trajectoryid=case,
        subject=placement,
    )  # fmt: skip
    publish(around)
    counted = around.get(ADMIN, "/v1/programmes/conversions?reference=decree-2026-03")
    (moved,) = counted["moved"]
    around.wait(DAYS)
    got = around.given(VDAB, "transition.placement_converted", case)

    assert counted["placements"] == 1
    assert (moved["organiser"], moved["nis"], moved["hours"]) == (ORGANISER, TIENEN, 2000)
    assert got["ruleset"] == "samenlevingsjob-2026-1"
    assert got["data"] == {
        "from_programme": "wijk_werken",
        "to_programme": "samenlevingsjob",
        "effective": "2026-03-16",
        "hours_carried": "20.00",
        "months_carried": moved["months"],
        "basis": "decree",
    }
    assert around.get(ADMIN, "/v1/programmes/conversions")["placements"] == 0


def test_r15_rules_are_visible_with_what_is_said_of_them(around: Region) -> None:
    """The allowance of a day, the proposal, and the comments, for every participant."""
    publish(around)
    post(
        around, OCMW, "/v1/programmes/publications/decree-2026-03/comments",
        {"text": "80 uur is haalbaar."},
    )  # fmt: skip
    allowances = {
        on: {
            one["code"]: one["values"].get("allowance_per_hour")
            for one in around.get(TOWN, f"/v1/programmes?on={on}")["programmes"]
        }
        for on in ("2026-03-15", "2026-03-16")
    }
    (proposal,) = around.get(TOWN, "/v1/programmes/publications")["publications"]

    assert [one["samenlevingsjob"] for one in allowances.values()] == [None, "5.00"]
    assert allowances["2026-03-16"]["buurtbaan"] == "4.50"
    assert [(one["organisation"], one["text"]) for one in proposal["comments"]] == [
        (URN[OCMW], "80 uur is haalbaar.")
    ]
