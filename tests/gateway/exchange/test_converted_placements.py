"""Journey R: wijk-werken becomes samenlevingsjob, one by one and all at once (R10, R11)."""

from __future__ import annotations

from dataclasses import replace as changed
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from gateway.exchange import rounds
from gateway.exchange.business_days import start_of
from gateway.exchange.decide import decide
from gateway.exchange.decision import HUB, Accepted, Refused
from gateway.exchange.state import Carried, Report
from gateway.exchange.subject_state import Subject, Work
from schemas.conversion import Conversion
from schemas.programmes import ProgrammeRules, shipped_rules
from tests.gateway.exchange import cast

if TYPE_CHECKING:
    from gateway.exchange.registry import Registry
    from gateway.exchange.state import Placement, Trajectory

CONVERTED = "transition.placement_converted"
W = cast.RELATED["W"]
EFFECTIVE = date(2026, 5, 1)
RULE = Conversion(
    from_programme="wijk_werken",
    to_programme="samenlevingsjob",
    effective=EFFECTIVE,
    hours_carried="this_year",
    months_carried="all",
    basis="rule_set",
    states=frozenset({"planned", "active", "suspended"}),
)
DATA = {
    "from_programme": "wijk_werken",
    "to_programme": "samenlevingsjob",
    "effective": "2026-05-01",
    "hours_carried": "50.00",
    "months_carried": 3,
    "basis": "decree",
}
REPORTS = {"2026-03": 2000, "2026-04": 3000}


def ruled(*moves: Conversion, **values: Any) -> Registry:
    """The cast's registry with published conversions and other rules of samenlevingsjob."""
    shipped = shipped_rules()
    sets = tuple(changed(one, **values) for one in shipped.rule_sets("samenlevingsjob"))
    own = {**shipped.own, "samenlevingsjob": sets}
    return changed(cast.registry(), rules=ProgrammeRules(own, shipped.shared, moves=moves))


def running(**fields: Any) -> Trajectory:
    """A placement that began in January, with hours of March and April."""
    given = {"start_date": "2026-01-15", "planned_end": "2026-07-14", **fields}
    placement = replace(cast.placement("active"), **given)
    reports = {month: Report(f"report-{month}", hours) for month, hours in REPORTS.items()}
    assignment = placement.assignments[cast.ASSIGNMENT]
    held = {**placement.assignments, assignment.id: replace(assignment, reports=reports)}
    return cast.case(
        referrals={cast.REFERRAL: cast.referral("closed")},
        placements={cast.PLACEMENT: replace(placement, assignments=held)},
        tasks={},
    )


def attempt(
    name: str,
    case: Trajectory,
    data: dict[str, Any],
    sender: str = W,
    known: Registry | None = None,
    **given: Any,
) -> Accepted | Refused:
    """Decide one event about the placement."""
    person = given.pop("person", None)
    given.setdefault("subject", cast.PLACEMENT)
    sent = cast.submission(name, sender, data, trajectory_id=case.id, **given)
    return decide(sent, replace(cast.context(case, known=known), subject=person))


def send(*args: Any, **given: Any) -> Accepted:
    """Decide one event and insist that it is accepted."""
    outcome = attempt(*args, **given)
    assert isinstance(outcome, Accepted), outcome.error.detail.en
    return outcome


def after(outcome: Accepted) -> Trajectory:
    """The case as it is left."""
    assert outcome.trajectory is not None
    return outcome.trajectory


def placement_after(outcome: Accepted) -> Placement:
    """The placement as it is left."""
    return after(outcome).placements[cast.PLACEMENT]


def rule_of(outcome: Accepted | Refused) -> str:
    """The rule that refused; empty when none did."""
    return str(outcome.error.facts["rule"]) if isinstance(outcome, Refused) else ""


def test_an_organiser_converts_one_placement() -> None:
    """Under the same id, with what counts on; what was before stays what it was."""
    outcome = send(CONVERTED, running(), DATA)
    placement = placement_after(outcome)

    assert placement.programme == "samenlevingsjob"
    assert placement.conversions == (Carried("wijk_werken", "2026-05-01", 5000, 3, 0),)
    assert outcome.events[0].programme == "samenlevingsjob"
    assert outcome.subject is not None
    now, before = (
        outcome.subject.work[one] for one in (cast.PLACEMENT, f"{cast.PLACEMENT}/wijk_werken")
    )
    assert (now.programme, now.hours, now.carried, now.carried_in) == (
        "samenlevingsjob", {}, 5000, "2026",
    )  # fmt: skip
    assert (before.programme, before.state, before.hours) == ("wijk_werken", "ended", REPORTS)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"from_programme": "gemeenschapsdienst"}, "other_programme"),
        ({"to_programme": "wijk_werken"}, "same_programme"),
        ({"effective": "2026-05-29"}, "conversion_in_future"),
        ({"to_programme": "lde"}, "programme_ended"),
        ({"basis": "rule_set"}, "no_such_conversion"),
    ],
)
def test_a_conversion_has_to_fit(changes: dict[str, Any], rule: str) -> None:
    """Each refusal names the field to mend."""
    outcome = attempt(CONVERTED, running(), {**DATA, **changes})

    assert rule_of(outcome) == rule
    assert isinstance(outcome, Refused)
    assert outcome.error.invalid


def test_conversions_follow_each_other() -> None:
    """A second one is not of before the first."""
    first = after(send(CONVERTED, running(), DATA))
    back = {
        **DATA,
        "from_programme": "samenlevingsjob",
        "to_programme": "wijk_werken",
        "effective": "2026-04-30",
    }

    assert rule_of(attempt(CONVERTED, first, back)) == "conversion_out_of_order"


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({}, ""),
        ({"hours_carried": "49.00"}, "carried_differs"),
        ({"months_carried": 4}, "carried_differs"),
    ],
)
def test_by_published_rules_what_counts_on_is_what_they_say(
    changes: dict[str, Any], rule: str
) -> None:
    """Fifty hours of this year, and three whole months since January."""
    data = {**DATA, "basis": "rule_set", **changes}

    assert rule_of(attempt(CONVERTED, running(), data, known=ruled(RULE))) == rule


def report(case: Trajectory, period: str, hours: str, known: Registry, **given: Any) -> Accepted:
    """The organiser reports a month."""
    data = {"assignment_id": cast.ASSIGNMENT, "period": period, "hours": hours}
    return send("placement.hours_reported", case, data, W, known, **given)


def breaches(outcome: Accepted) -> list[tuple[str, ...]]:
    """Which rules a decision says were broken."""
    return [one.rules for one in outcome.warnings if one.code == "rule_breach"]


@pytest.mark.parametrize(("hours", "broken"), [("30.00", []), ("30.50", [("hours_per_year_max",)])])
def test_carried_hours_count_in_the_year_of_the_conversion(
    hours: str, broken: list[tuple[str, ...]]
) -> None:
    """Fifty came along and eighty are allowed: thirty more, and not one half above."""
    known = ruled(hours_per_year_max=80)
    converted = send(CONVERTED, running(), DATA, known=known)
    outcome = report(after(converted), "2026-05", hours, known, person=converted.subject)

    assert breaches(outcome) == broken


def test_late_hours_of_before_belong_to_the_programme_of_before() -> None:
    """They count nothing under the new one, whose month has another cap."""
    known = ruled(hours_per_month_max=10, hours_per_year_max=80)
    converted = send(CONVERTED, running(), DATA, known=known)
    outcome = report(after(converted), "2026-02", "40.00", known, person=converted.subject)

    assert breaches(outcome) == []
    assert outcome.subject is not None
    assert outcome.subject.work[f"{cast.PLACEMENT}/wijk_werken"].hours["2026-02"] == 4000


def test_hours_under_the_old_programme_still_count_there() -> None:
    """What the person works elsewhere in wijk-werken this year adds to them."""
    converted = send(CONVERTED, running(), DATA)
    assert converted.subject is not None
    other = Work(cast.FRESH, cast.TRAJECTORY, "wijk_werken", W, "active", {"2026-02": 55_000})
    person: Subject = replace(converted.subject, work={**converted.subject.work, cast.FRESH: other})
    outcome = report(after(converted), "2026-01", "40.00", cast.registry(), person=person)

    assert breaches(outcome) == [("hours_per_year_max",)]


@pytest.mark.parametrize(("end", "rule"), [("2026-08-01", ""), ("2026-08-02", "extended_too_far")])
def test_carried_months_count_in_the_length(end: str, rule: str) -> None:
    """Six months are allowed and three are gone on the first of May: until the first of August."""
    known = ruled(max_duration_months=6, extensions_max=1)
    case = after(send(CONVERTED, running(), DATA, known=known))
    data = {"new_end": end, "motive": "other", "extension_no": 1}

    assert rule_of(attempt("placement.extended", case, data, known=known)) == rule


def test_extensions_of_before_are_not_counted_again() -> None:
    """The number of an extension runs on, the rule of the new programme begins anew."""
    known = ruled(extensions_max=1)
    case = after(send(CONVERTED, running(extensions=2), DATA, known=known))
    data = {"new_end": "2026-08-14", "motive": "other", "extension_no": 3}
    extended = send("placement.extended", case, data, known=known)
    again = {"new_end": "2026-09-14", "motive": "other", "extension_no": 4}

    assert rule_of(attempt("placement.extended", after(extended), again, known=known)) == (
        "extended_too_often"
    )


def test_a_round_converts_what_the_published_rules_take() -> None:
    """For each organiser under its own grants, with the figures of that very placement."""
    round_ = rounds.of_conversion(RULE)
    other = replace(cast.placement("active"), id=cast.FRESH, programme="stage")
    case = running()
    case = replace(case, placements={**case.placements, cast.FRESH: other})
    (errand,) = rounds.errands(round_, [case], ruled(RULE), cast.NOW)

    assert round_.due_at == start_of(EFFECTIVE)
    assert (errand.target_id, errand.aggregate_id) == (cast.TRAJECTORY, cast.PLACEMENT)
    assert errand.acts_for == W
    assert errand.data == {**DATA, "basis": "rule_set"}
    assert rounds.errands(round_, [case], ruled(), cast.NOW) == []


def test_the_hub_converts_by_its_errand() -> None:
    """A second time there is nothing to convert."""
    data = {**DATA, "basis": "rule_set"}
    case = after(send(CONVERTED, running(), data, HUB, ruled(RULE)))

    assert case.placements[cast.PLACEMENT].programme == "samenlevingsjob"
    assert rule_of(attempt(CONVERTED, case, data, HUB, ruled(RULE))) == "other_programme"


def test_a_placement_that_is_told_late_follows_at_once() -> None:
    """It was planned before the first day of the new rules, and sent after it."""
    data = {
        "programme": "wijk_werken",
        "referral_id": cast.REFERRAL,
        "start_date": "2026-04-20",
        "planned_end": "2026-10-19",
        "hours_per_week": 8,
        "assignments": [
            {
                "assignment_id": cast.ASSIGNMENT,
                "host_org": cast.urn_of(cast.RELATED["H"]),
                "mentor": {"name": "Testmentor"},
            }
        ],
    }
    outcome = send("placement.planned", cast.case(tasks={}), data, known=ruled(RULE), subject=None)

    assert [one.event.name for one in outcome.events][:2] == ["placement.planned", CONVERTED]
    (placement,) = after(outcome).placements.values()
    assert placement.programme == "samenlevingsjob"
