"""A rule file: read whole, laid over the rules there are, and told in words."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest

from schemas.codelists import code_list
from schemas.errors import InvalidRuleFile
from schemas.programmes import shipped_rules
from schemas.rule_changes import changes
from schemas.rule_publication import parse_publication
from schemas.rule_set import AcquiredRight, Parameters
from schemas.rule_text import compared, explained, notices
from schemas.strict_yaml import line_of, read
from tests.schemas.decree import FROM, decree, rule_set

DAY_BEFORE = date(2026, 6, 30)
RULES = shipped_rules().published(parse_publication(decree()))


def faults(document: Any) -> set[tuple[str, str]]:
    """Place and code of everything wrong in a file."""
    with pytest.raises(InvalidRuleFile) as caught:
        parse_publication(document)
    assert all(one.reason.nl and one.reason.en for one in caught.value.invalid)
    return {(one.name, one.code) for one in caught.value.invalid}


def test_a_published_rule_set_holds_from_its_day_on() -> None:
    """The day before, the rules are those of before, to the letter."""
    before, after = (RULES.rule_set("samenlevingsjob", day) for day in (DAY_BEFORE, FROM))

    assert (before.version, before.is_in_force) == ("samenlevingsjob-draft-1", False)
    assert (after.version, after.is_in_force) == ("samenlevingsjob-2026-1", True)
    assert (after.hours_per_month_max, after.allowance_per_hour) == (80, Decimal("5.00"))
    assert after.contact_rhythm_weeks == 4
    assert after.left_open == {"hours_per_year_max"}


def test_a_new_programme_is_known_by_its_label() -> None:
    """Before its first day it is published and not in force."""
    assert RULES.label("buurtbaan").nl == "Buurtbaan"
    assert RULES.label("wijk_werken").en.startswith("Neighbourhood work")
    assert RULES.rule_set("buurtbaan", DAY_BEFORE).status == "published"
    assert RULES.rule_set("buurtbaan", FROM).is_in_force
    assert "buurtbaan" not in shipped_rules().programmes()


def test_what_a_file_does_not_name_stays() -> None:
    """Another programme has the same rules on every day."""
    for day in (DAY_BEFORE, FROM):
        assert RULES.rule_set("wijk_werken", day) == shipped_rules().rule_set("wijk_werken", day)


def test_a_later_file_overtakes_a_proposal() -> None:
    """What would have begun later falls away; what holds before ends the day before."""
    sooner = rule_set("samenlevingsjob-2026-2", valid_from="2026-06-01")
    document = decree(reference="decree-2026-2", conversions=[])
    document["programmes"] = {"samenlevingsjob": {"rule_sets": [sooner]}}

    rules = RULES.published(parse_publication(document))

    assert [one.version for one in rules.rule_sets("samenlevingsjob")] == [
        "samenlevingsjob-draft-1",
        "samenlevingsjob-2026-2",
    ]
    assert rules.rule_sets("samenlevingsjob")[0].valid_to == date(2026, 5, 31)
    assert {"samenlevingsjob-2026-1", "wijk_werken-2018-1"} <= rules.versions()


def later(reference: str, **content: Any) -> Any:
    """A later file with this content alone."""
    title = {"nl": "Later", "en": "Later"}
    return parse_publication({"reference": reference, "title": title, **content})


def test_a_proposal_is_withdrawn_as_if_it_had_never_been() -> None:
    """Its rules and conversions; a programme that it named stays known, as a draft."""
    rules = RULES.published(later("no-decree", withdraws=["decree-2026-1"]))

    assert rules.rule_set("samenlevingsjob", FROM) == shipped_rules().rule_set(
        "samenlevingsjob", FROM
    )
    assert rules.conversions() == ()
    assert not rules.rule_set("buurtbaan", FROM).is_in_force
    assert rules.label("buurtbaan").nl == "Buurtbaan"
    assert rules.withdrawn() == {"decree-2026-1"}


def test_a_conversion_is_overtaken_with_its_programme() -> None:
    """Newer rules of either programme by that day take its place; others leave it."""
    new = {"rule_sets": [rule_set("x-1", valid_from="2026-06-01")]}
    after = {"rule_sets": [rule_set("x-1", valid_from="2026-08-01")]}

    assert len(RULES.conversions()) == 1
    assert RULES.published(later("decree-2", programmes={"wijk_werken": new})).conversions() == ()
    for content in ({"wijk_werken": after}, {"stage": new}):
        assert len(RULES.published(later("decree-2", programmes=content)).conversions()) == 1


def test_all_faults_are_told_at_once() -> None:
    """Each by its place in the file."""
    document = decree(reference="No!", colour="red")
    sets = document["programmes"]["samenlevingsjob"]["rule_sets"]
    sets[0] |= {"legal_reference": None, "parameters": {"hours": 3}}
    sets.append(rule_set("x", valid_from="2026-08-01"))
    document["programmes"]["Buurt Baan"] = {"rule_sets": []}
    document["programmes"]["buurtbaan"]["label"] = {"nl": "Buurtbaan"}
    document["conversions"][0] |= {"basis": "habit", "to_programme": "wijk_werken"}
    document["conversions"][0]["placements"] = {"states": ["ended"], "colour": "red"}

    assert faults(document) == {
        ("colour", "unknown_key"),
        ("reference", "invalid_format"),
        ("programmes.samenlevingsjob.rule_sets[0].legal_reference", "legal_reference_missing"),
        ("programmes.samenlevingsjob.rule_sets[0].parameters.hours", "unknown_key"),
        ("programmes.samenlevingsjob.rule_sets[1].valid_from", "overlap"),
        ("programmes.Buurt Baan", "invalid_programme"),
        ("programmes.Buurt Baan.rule_sets", "not_a_list"),
        ("programmes.buurtbaan.label.en", "missing"),
        ("conversions[0].basis", "unknown_value"),
        ("conversions[0].to_programme", "same_programme"),
        ("conversions[0].placements.states[0]", "unknown_value"),
        ("conversions[0].placements.colour", "unknown_key"),
    }


@pytest.mark.parametrize("document", [None, [], {}, {"programmes": 3}, decree(programmes={})])
def test_what_is_no_rule_file_is_refused(document: Any) -> None:
    """Whatever stands in its place."""
    assert faults(document)


def test_every_value_has_words() -> None:
    """What a rule set can hold is what people can read."""
    known = set(code_list("rule").codes)

    assert {one.name for kind in (Parameters, AcquiredRight) for one in fields(kind)} <= known


def test_changes_are_told_in_words() -> None:
    """A caseworker reads what was and what becomes."""
    found = {
        one.rule: one.sentence()
        for one in changes(
            RULES.rule_set("samenlevingsjob", DAY_BEFORE), RULES.rule_set("samenlevingsjob", FROM)
        )
    }

    assert found["hours_per_month_max"].nl == "Meeste uren per maand: niet vastgelegd wordt 80."
    assert found["is_in_force"].en == "In force: no becomes yes."
    assert "answer_days" not in found


def test_two_days_are_compared_by_programme() -> None:
    """Only where something differs; a programme that is new differs from nothing."""
    found = compared(RULES, DAY_BEFORE, RULES, FROM)

    assert set(found) == {"samenlevingsjob", "buurtbaan"}
    assert set(compared(shipped_rules(), FROM, RULES, FROM)) == {"samenlevingsjob", "buurtbaan"}


def test_a_day_is_explained_with_sources_and_open_values() -> None:
    """Every value says whether the programme's own rules or those of all programmes set it."""
    said = [one.en for one in explained(RULES, "samenlevingsjob", FROM)]

    assert said[0] == "Community job (samenlevingsjob) (samenlevingsjob) on 2026-07-01: in force"
    assert "  Most hours a month: 80 [samenlevingsjob-2026-1]" in said
    assert "  Days to answer: 14 [every programme]" in said
    assert "  Most hours a year: not settled yet, is not checked" in said
    assert "  Source: a test" in said


def test_oversights_are_noticed() -> None:
    """A value that is left open, and one that falls away because it is not named any more."""
    found = dict(notices(shipped_rules(), parse_publication(decree())))
    place = "programmes.samenlevingsjob.rule_sets[0].parameters"

    assert found[f"{place}.hours_per_year_max"].en == (
        "Most hours a year stays open and is not checked."
    )
    assert found[place].en == "Displacement test needed falls away (was yes)."


@pytest.mark.parametrize(
    ("path", "line"), [("a", 1), ("a.b[1].c", 5), ("a.b[1].x", 4), ("q", 1), ("a.b[7]", 2)]
)
def test_a_fault_has_a_line(path: str, line: int) -> None:
    """That of the value, else of the nearest thing around it."""
    assert line_of("a:\n  b:\n    - c: 1\n    - d: 2\n      c: 3\n", path) == line


def test_the_readme_shows_a_file_that_can_be_published() -> None:
    """Whoever begins with it begins with a good one, and finds the words that are used there."""
    text = (files("schemas") / "programmes" / "README.md").read_text(encoding="utf-8")
    shown = parse_publication(read(text.partition("```yaml\n")[2].partition("```")[0]))

    assert set(shown.rule_sets) == {"samenlevingsjob", "buurtbaan"}
    assert len(shown.conversions) == 1
    assert shown.begins() == date(2027, 7, 1)
