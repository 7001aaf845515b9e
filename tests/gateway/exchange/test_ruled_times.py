"""How long things may take is what the rules of the day say, and nothing that code says."""

from __future__ import annotations

from dataclasses import replace as changed
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from gateway.exchange.decide import decide
from gateway.exchange.decision import Accepted, Refused
from schemas.programmes import shipped_rules
from schemas.rule_publication import parse_publication
from tests.gateway.exchange import cast
from tests.gateway.exchange.placing import Placing, raised, warned
from tests.schemas.decree import decree, rule_set

if TYPE_CHECKING:
    from gateway.exchange.registry import Registry

OCMW, ORGANISER, PARTNER = cast.RELATED["O"], cast.RELATED["W"], cast.RELATED["P"]
REFERRAL = {
    "programme": "wijk_werken",
    "reason_codes": ["work_rhythm"],
    "person": {"given_name": "Amina", "postcode": "3300"},
    "informed": {"on": "2026-05-20"},
    "target_role": "welfare_centre",
}


def reopen(kind: str, known: Registry | None = None, days: int = 31) -> Accepted | Refused:
    """Take back a referral or the end of a placement so many days after."""
    closed_at = cast.NOW - days * cast.DAY
    if kind == "referral":
        case = cast.case(
            referrals={cast.REFERRAL: replace(cast.referral("declined"), closed_at=closed_at)}
        )
        name, subject, reason = "referral.reopened", cast.REFERRAL, "new_information"
    else:
        ended = replace(cast.placement("ended"), closed_at=closed_at)
        case = replace(cast.case_with("placement", "ended"), placements={cast.PLACEMENT: ended})
        name, subject, reason = "placement.end_revoked", cast.PLACEMENT, "entered_wrongly"
    sent = cast.submission(
        name, ORGANISER, {"reason": reason}, trajectory_id=case.id, subject=subject
    )
    return decide(sent, cast.context(case, known=known))


@pytest.mark.parametrize(
    ("kind", "value"), [("referral", "reopen_days"), ("placement", "end_revoke_days")]
)
def test_what_is_closed_is_taken_back_in_the_time_of_the_rules(kind: str, value: str) -> None:
    """Thirty days today; another number, or none, is another rule set and no release."""
    late = reopen(kind)

    assert isinstance(late, Refused)
    assert late.error.facts["rule"] == "too_late_to_reopen"
    assert "30" in late.error.detail.en
    assert isinstance(reopen(kind, days=30), Accepted)
    assert isinstance(reopen(kind, cast.ruled("wijk_werken", **{value: 40})), Accepted)


def contact(known: Registry | None = None, days: int = 190) -> Accepted | Refused:
    """A contact with the person so many days after the case closed."""
    case = replace(cast.case_with("trajectory", "closed"), closed_at=cast.NOW - days * cast.DAY)
    data = {"kind": "after_care", "on": "2026-05-27"}
    sent = cast.submission("guidance.contact_recorded", OCMW, data, trajectory_id=case.id)
    return decide(sent, cast.context(case, known=known))


def test_after_care_lasts_as_the_rules_say() -> None:
    """Six months today."""
    late = contact()

    assert isinstance(late, Refused)
    assert late.error.facts["rule"] == "after_care_over"
    assert isinstance(contact(days=180), Accepted)
    assert isinstance(contact(cast.ruled("to_be_determined", aftercare_months=12)), Accepted)


def refer(known: Registry | None = None) -> Accepted:
    """A partner's first referral of somebody."""
    decided = decide(
        cast.submission("referral.created", PARTNER, REFERRAL), cast.context(known=known)
    )
    assert isinstance(decided, Accepted), decided.error.detail.en
    return decided


@pytest.mark.parametrize(("days", "due"), [(10, "2026-06-11"), (3, "2026-06-02")])
def test_the_desk_takes_a_case_in_the_time_of_the_rules(days: int, due: str) -> None:
    """Working days from the referral."""
    decided = refer(cast.ruled("to_be_determined", unassigned_working_days=days))

    assert decided.trajectory is not None
    assert decided.trajectory.holder_due == due


def test_a_task_is_due_in_the_time_of_the_rules() -> None:
    """A decline gives the case holder as long as an answer takes."""
    case = cast.case(referrals={cast.REFERRAL: cast.referral("sent")})
    sent = cast.submission(
        "referral.declined",
        ORGANISER,
        {"reason": "no_capacity"},
        trajectory_id=case.id,
        subject=cast.REFERRAL,
    )
    known = cast.ruled("to_be_determined", answer_days=5)

    decided = decide(sent, cast.context(case, known=known))

    assert isinstance(decided, Accepted)
    assert decided.events[1].event.name == "trajectory.task_raised"
    assert decided.events[1].data["due"] == "2026-06-02"


def from_may() -> Registry:
    """A registry in which wijk-werken allows less from May on."""
    document = decree(conversions=[])
    stricter = rule_set(
        "wijk_werken-2026-1",
        valid_from="2026-05-01",
        parameters={"hours_per_month_max": 40, "max_duration_months": 1},
    )
    document["programmes"] = {"wijk_werken": {"rule_sets": [stricter]}}
    rules = shipped_rules().published(parse_publication(document))
    return changed(cast.registry(), rules=rules)


@pytest.mark.parametrize(("period", "breached"), [("2026-04", []), ("2026-05", ["hours_cap"])])
def test_hours_are_held_to_the_rules_of_their_month(period: str, breached: list[str]) -> None:
    """Reported in May, 55 hours of April were allowed in April."""
    decided = Placing(known=from_may()).report(period, "55.00")

    assert [kind for kind, _ in raised(decided)] == breached


@pytest.mark.parametrize(
    ("end", "breached"), [("2026-04-30", []), ("2026-05-20", ["max_duration_months"])]
)
def test_an_end_is_held_to_the_rules_of_its_day(end: str, breached: list[str]) -> None:
    """Reported late, an end in April is not judged by what holds since May."""
    placing = Placing(known=from_may())
    started = replace(placing.case.placements[cast.PLACEMENT], start_date="2026-03-15")
    placing.case = replace(placing.case, placements={cast.PLACEMENT: started})

    decided = placing.send("placement.ended", {"end_date": end, "reason": "goal_reached"})

    assert warned(decided) == breached
