"""What a rule file may change: nothing that holds, and in production nothing of a sudden."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from gateway.exchange.rule_plan import plan
from schemas.errors import InvalidRuleFile
from schemas.rule_publication import parse_publication
from tests.gateway.exchange import cast
from tests.schemas.decree import FROM, decree, rule_set

if TYPE_CHECKING:
    from gateway.exchange.registry import Registry

REGISTRY = cast.registry()
PRODUCTION = replace(REGISTRY, environment="production")
IN_TIME = FROM - timedelta(days=30)


def faults(
    document: dict[str, Any], known: Registry = REGISTRY, today: date = FROM
) -> set[tuple[str, str]]:
    """Place and code of everything that the rules there are do not allow."""
    with pytest.raises(InvalidRuleFile) as caught:
        plan(known, parse_publication(document), today)
    return {(one.name, one.code) for one in caught.value.invalid}


def only(*sets: dict[str, Any]) -> dict[str, Any]:
    """A file with rule sets of wijk-werken alone."""
    return decree(programmes={"wijk_werken": {"rule_sets": list(sets)}}, conversions=[])


def test_a_plan_lists_what_changes_for_each_programme() -> None:
    """The first day, the version, each value, and what stays open."""
    found = plan(REGISTRY, parse_publication(decree()), FROM)

    assert (found.reference, found.version, found.known) == ("decree-2026-1", 1, False)
    assert [(one.programme, one.version, one.on) for one in found.turns] == [
        ("samenlevingsjob", "samenlevingsjob-2026-1", FROM),
        ("buurtbaan", "buurtbaan-2026-1", FROM),
    ]
    assert found.turns[0].left_open == ("hours_per_year_max",)
    changed = {one.rule: (one.before, one.after) for one in found.turns[0].changes}
    assert changed["max_duration_months"] == (None, 24)
    assert changed["is_in_force"] == (False, True)


def test_what_held_is_never_edited() -> None:
    """A file begins today at the earliest, also where nobody waits for notice."""
    late = FROM + timedelta(days=1)

    assert ("programmes.buurtbaan.rule_sets[0].valid_from", "in_the_past") in faults(
        decree(), today=late
    )
    assert ("conversions[0].effective", "in_the_past") in faults(decree(), today=late)


def test_production_asks_for_notice() -> None:
    """Thirty days, of which the refusal names the last; a test installation goes at once."""
    with pytest.raises(InvalidRuleFile) as caught:
        plan(PRODUCTION, parse_publication(decree()), IN_TIME + timedelta(days=1))

    assert {one.code for one in caught.value.invalid} == {"notice_too_short"}
    assert "2026-07-02" in caught.value.invalid[0].reason.en
    assert plan(PRODUCTION, parse_publication(decree()), IN_TIME).turns
    assert plan(REGISTRY, parse_publication(decree()), FROM).turns


def test_a_new_reference_to_the_same_law_needs_no_notice() -> None:
    """What changes nothing for people may begin today."""
    before = REGISTRY.rules.rule_sets("stage")[0]
    same = rule_set(
        "stage-2026-1",
        status=before.status,
        legal_reference="Another number of the same law",
        parameters={"reveals_health": False},
    )
    document = decree(programmes={"stage": {"rule_sets": [same]}}, conversions=[])

    (turn,) = plan(PRODUCTION, parse_publication(document), FROM).turns

    assert not turn.touches_people


def test_the_same_file_again_changes_nothing() -> None:
    """And another one under its reference is refused, as are its versions."""
    after = replace(REGISTRY, rules=REGISTRY.rules.published(parse_publication(decree())))

    assert plan(after, parse_publication(decree()), FROM).known
    again = decree(title={"nl": "Anders", "en": "Else"})
    assert faults(again, after) == {
        ("reference", "publication_immutable"),
        ("programmes.samenlevingsjob.rule_sets[0].version", "version_taken"),
        ("programmes.buurtbaan.rule_sets[0].version", "version_taken"),
    }
    assert ("programmes.wijk_werken.rule_sets[0].version", "version_taken") in faults(
        only(rule_set("wijk_werken-2018-1"))
    )


def test_a_new_programme_has_a_name() -> None:
    """In both languages, because people will read it."""
    document = decree()
    del document["programmes"]["buurtbaan"]["label"]

    assert faults(document) == {("programmes.buurtbaan.label", "label_missing")}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"to_programme": "jobs_for_all"}, ("conversions[0].to_programme", "unknown_programme")),
        ({"from_programme": "pwa"}, ("conversions[0].from_programme", "unknown_programme")),
        ({"to_programme": "other"}, ("conversions[0].effective", "programme_not_in_force")),
    ],
)
def test_a_conversion_leads_to_rules_in_force(
    change: dict[str, Any], fault: tuple[str, str]
) -> None:
    """Nobody is moved where nothing holds."""
    document = decree()
    document["conversions"][0] |= change

    assert faults(document) == {fault}


def test_only_what_has_not_begun_is_withdrawn() -> None:
    """A proposal goes with a later file, which says what no longer changes."""
    after = replace(REGISTRY, rules=REGISTRY.rules.published(parse_publication(decree())))
    title = {"nl": "Toch niet", "en": "Not after all"}
    document = {"reference": "no-decree", "title": title, "withdraws": ["decree-2026-1"]}

    found = plan(after, parse_publication(document), IN_TIME)

    undone = {one.programme: {each.rule for each in one.changes} for one in found.turns}
    assert undone["samenlevingsjob"] >= {"is_in_force", "hours_per_month_max"}
    assert faults(document, after, FROM) == {("withdraws[0]", "in_force")}
    assert faults(document, REGISTRY, IN_TIME) == {("withdraws[0]", "unknown_reference")}
