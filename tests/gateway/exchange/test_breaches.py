"""A broken rule: an intention is refused, a fact is taken and said; an open value is said too."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace as changed

from gateway.errors import RuleBroken
from gateway.exchange import breaches
from gateway.exchange.consulted import unset_warning
from gateway.exchange.draft import Draft, open_draft
from schemas.errors import Message, UnknownProgramme
from schemas.programmes import ProgrammeRules, shipped_rules
from tests.gateway.exchange import cast

if TYPE_CHECKING:
    from gateway.exchange.registry import Registry

OVER = Message("Meer dan 60 uren. Meld minder.", "More than 60 hours. Report fewer.")


def draft(registry: Registry | None = None, state: str = "held") -> Draft:
    """A decision on a case, not begun."""
    registry = registry or cast.registry()
    organiser = registry.participant(cast.RELATED["W"])
    assert organiser is not None
    sent = cast.submission("placement.hours_reported", organiser.id, {})
    context = cast.context(cast.case(state))
    return open_draft(sent, changed(context, registry=registry), organiser)


def test_an_intention_is_refused_by_the_rules_own_code() -> None:
    """The refusal names the field to mend."""
    with pytest.raises(RuleBroken) as caught:
        breaches.intention(draft(), "max_duration", OVER, "planned_end")

    assert caught.value.facts["rule"] == "max_duration"
    assert [one.name for one in caught.value.invalid] == ["planned_end"]


def test_a_fact_is_taken_and_said_once() -> None:
    """The sender is warned, and so is who is responsible, because the rule is a kind of warning."""
    begun = draft()

    breaches.fact(begun, "hours_cap", OVER)
    breaches.fact(begun, "hours_cap", OVER)

    assert [(one.code, one.rules) for one in begun.warnings] == [("rule_breach", ("hours_cap",))]
    assert [(one.name, one.data) for one in begun.queue] == [
        ("trajectory.warning_raised", {"kind": "hours_cap", "detail_code": "hours_cap"})
    ]


def test_a_fact_may_name_the_kind_of_its_warning() -> None:
    """A rule of another name is raised as what it comes down to."""
    begun = draft()

    breaches.fact(begun, "hours_per_year_max", OVER, kind="hours_cap")

    assert begun.queue[0].data == {"kind": "hours_cap", "detail_code": "hours_per_year_max"}


def test_a_fact_without_a_kind_is_said_to_its_sender_alone() -> None:
    """No code of the list of warnings fits, so the hub sends none."""
    begun = draft()

    breaches.fact(begun, "period_before_start", OVER)

    assert not begun.queue
    assert begun.warnings[0].rules == ("period_before_start",)


@pytest.mark.parametrize(("state", "raised"), [("closed", 1), ("joined", 0)])
def test_a_fact_of_an_ended_case_is_taken_too(state: str, raised: int) -> None:
    """Late hours are never refused because nobody can be warned on the case any more."""
    begun = draft(state=state)

    breaches.fact(begun, "hours_cap", OVER)

    assert len(begun.queue) == raised
    assert begun.warnings[0].rules == ("hours_cap",)


def test_a_value_that_is_left_open_is_said_when_it_is_needed() -> None:
    """Once, by name; a value that the programme does not name at all is no rule of it."""
    begun = draft()
    for _ in range(2):
        rules = begun.rules("samenlevingsjob")
        assert (rules.hours_per_month_max, rules.hours_per_month_min) == (None, None)

    warning = unset_warning(begun.needed)

    assert warning.code == "rule_unset"
    assert warning.rules == ("samenlevingsjob.hours_per_month_max",)
    assert "samenlevingsjob.hours_per_month_max" in warning.detail.nl


def test_a_settled_value_is_not_said() -> None:
    """What has a number is checked, so there is nothing to say."""
    begun = draft()

    assert begun.rules("wijk_werken").hours_per_month_max == 60
    assert begun.rules("samenlevingsjob").contact_rhythm_weeks == 4
    assert not begun.needed


def test_the_rules_are_those_of_the_registry() -> None:
    """What the registry's snapshot holds decides, and nothing beside it."""
    (only,) = shipped_rules().rule_sets("stage")
    rules = ProgrammeRules({"stage": (replace(only, version="stage-2", hours_per_month_max=20),)})
    begun = draft(replace(cast.registry(), rules=rules))

    assert begun.rules("stage").hours_per_month_max == 20
    with pytest.raises(UnknownProgramme):
        begun.rules("wijk_werken")
