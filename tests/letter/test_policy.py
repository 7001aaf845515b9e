"""The letter on rules and figures: open channels, involvement, means (R4, R15, R17)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.letter import steps
from tests.letter.partners import CAW, OCMW, ORGANISER, TIENEN, TOWN, VDAB

if TYPE_CHECKING:
    from tests.letter.region import Region


def decree(valid_from: str, **changes: Any) -> dict[str, Any]:
    """One rule file that opens wijk-werken to partners from a day on."""
    return {
        "reference": "decree-2026-1",
        "title": {"nl": "Toeleiding verbreed", "en": "Referral opened"},
        "programmes": {
            "wijk_werken": {
                "rule_sets": [
                    {
                        "version": "wijk_werken-2026-1",
                        "status": "in_force",
                        "valid_from": valid_from,
                        "valid_to": None,
                        "legal_reference": "Voorbeelddecreet van 1 april 2026",
                        "sources": ["a test"],
                        "endorsement_required_from": [],
                        "parameters": {"is_capped": True, "hours_per_month_max": 60},
                        **changes,
                    }
                ]
            }
        },
    }


def test_r04_endorsement_is_a_switch(around: Region) -> None:
    """'Te gesloten instroomkanalen …': one line of data opens them, from its day on."""
    opens = around.day(30)
    around.publish_rules(decree(opens))
    before = around.refer(CAW, programme="wijk_werken")
    around.wait(31)
    after = around.refer(CAW, programme="wijk_werken")

    assert before["state"] == "pending_endorsement"
    assert after["state"] == "sent"
    referred = around.feed(OCMW, before["trajectory_id"])
    assert referred[0]["ruleset"].startswith("wijk_werken-2018")
    sent = around.given(OCMW, "referral.created", after["trajectory_id"])
    assert sent["ruleset"] == "wijk_werken-2026-1"


def test_r04_funnel(around: Region) -> None:
    """'leiden tot onderbenutting': who is referred, by whom, and why it was declined."""
    for number in range(12):
        person = {"given_name": "Bilal", "family_name": f"Proef{number}", "postcode": "3300"}
        case = steps.refer(around, VDAB, person=person)
        if number < 10:
            around.send(
                ORGANISER, "referral.declined", {"reason": "no_capacity"}, trajectoryid=case
            )

    inflow = around.figures(TOWN, "inflow")
    reasons = around.figures(TOWN, "decline_reasons", by="reason")
    assert [one["value"] for one in inflow] == [10]  # twelve, rounded to five
    assert [one["value"] for one in reasons if not one["suppressed"]] == [10]


def test_r15_small_numbers_stay_hidden(around: Region) -> None:
    """'structureel betrokken': figures for the town, and nobody can be told from them."""
    for number in range(4):
        person = {"given_name": "Bilal", "family_name": f"Proef{number}", "postcode": "3300"}
        steps.refer(around, VDAB, person=person)

    cells = around.figures(TOWN, "inflow")
    own = around.figures(ORGANISER, "inflow", own="true")
    assert all(one["suppressed"] or one["value"] == 0 for one in cells)
    assert sum(one["value"] for one in own) == 4


def test_r15_rules_are_public_and_commented(around: Region) -> None:
    """A rule that is proposed can be read by everybody, and what they say of it is kept with it."""
    around.publish_rules(decree(around.day(60)))
    path = "/v1/programmes/publications"
    said = around.call(
        OCMW, "POST", f"{path}/decree-2026-1/comments", json={"text": "Graag vanaf 1 juni."}
    )
    assert said.status_code == 201, said.text
    (found,) = around.get(TOWN, path)["publications"]

    assert found["title"]["nl"] == "Toeleiding verbreed"
    assert [one["text"] for one in found["comments"]] == ["Graag vanaf 1 juni."]


def test_r17_means_for_guidance(around: Region) -> None:
    """'structurele middelen voor organisatie, begeleiding': minutes are counted, not asked."""
    case, found = steps.at_work(around, VDAB)
    talk = {
        "kind": "coach_visit",
        "with": ["host"],
        "on": around.day(),
        "duration_min": 45,
        "topics": ["work_rhythm"],
        "signal": "none",
    }
    for _ in range(2):
        around.send(ORGANISER, "guidance.contact_recorded", talk, trajectoryid=case)
        around.wait(10)
    end = {"end_date": around.day(), "reason": "goal_reached", "early": True}
    around.send(ORGANISER, "placement.ended", end, subject=found)

    cells = around.figures(ORGANISER, "guidance_minutes", own="true")
    assert [one["value"] for one in cells] == [90]
    assert TIENEN in str(cells)
