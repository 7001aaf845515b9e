"""Programme rules: today's numbers, effective dates, and refusing what is not understood."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from schemas.codelists import code_list
from schemas.errors import InvalidProgramme, UnknownProgramme
from schemas.programmes import shipped_rules
from schemas.rule_reading import read_rule_sets

SHIPPED = shipped_rules()
TODAY = date(2026, 11, 24)


def test_every_programme_that_comes_with_the_hub_has_a_name_and_rules() -> None:
    """The code list names the programmes for people; the rules say which there are."""
    assert set(SHIPPED.programmes()) == set(code_list("programme").codes)


def test_wijk_werken_as_it_is_today() -> None:
    """The table of `domain.md` §3.7."""
    rules = SHIPPED.rule_set("wijk_werken", TODAY)

    assert (rules.hours_per_month_max, rules.hours_per_year_max) == (60, 630)
    assert (rules.duration_months, rules.extension_months, rules.max_duration_months) == (6, 6, 12)
    assert rules.allowance_per_hour == Decimal("4.10")
    assert (rules.cheque_price_base, rules.cheque_price_usual) == (Decimal("5.95"), Decimal("7.45"))
    assert rules.evaluation_months == 6
    assert rules.is_in_force
    assert rules.acquired_right is not None
    assert rules.acquired_right.is_duration_unlimited


@pytest.mark.parametrize("channel", ["V", "O", "pes", "welfare_centre"])
def test_vdab_and_ocmw_lead_people_in_themselves(channel: str) -> None:
    """Their referral is the decision."""
    assert not SHIPPED.rule_set("wijk_werken", TODAY).endorsement_required(channel)


@pytest.mark.parametrize("channel", ["W", "P", "S", "T", "H", "G", "local_partner", "organiser"])
def test_everybody_else_waits_for_an_endorsement_today(channel: str) -> None:
    """Of wijk-werken; for the samenlevingsjob the letter asks for an open door."""
    assert SHIPPED.rule_set("wijk_werken", TODAY).endorsement_required(channel)
    assert not SHIPPED.rule_set("samenlevingsjob", TODAY).endorsement_required(channel)


def test_a_role_that_does_not_exist_is_no_channel() -> None:
    """A typo is not silently a channel without endorsement."""
    with pytest.raises(KeyError):
        SHIPPED.rule_set("wijk_werken", TODAY).endorsement_required("vdab")


def test_gemeenschapsdienst_as_it_is_today() -> None:
    """Between 32 and 64 hours a month for six months."""
    rules = SHIPPED.rule_set("gemeenschapsdienst", TODAY)

    assert (rules.hours_per_month_min, rules.hours_per_month_max) == (32, 64)
    assert (rules.max_duration_months, rules.jobseeker_years_min) == (6, 2)
    assert rules.allowance_per_hour == Decimal("1.30")


def test_what_no_decree_settles_is_unset() -> None:
    """An unset value is None and can be named; no law, so not in force."""
    rules = SHIPPED.rule_set("samenlevingsjob", TODAY)

    asked = ("hours_per_month_max", "max_duration_months", "allowance_per_hour", "answer_days")
    assert rules.unset(*asked) == asked[:3]
    assert (rules.status, rules.legal_reference, rules.is_in_force) == ("draft", None, False)


@pytest.mark.parametrize("programme", SHIPPED.programmes())
def test_every_programme_has_every_timer(programme: str) -> None:
    """Shared parameters stand under each programme; nobody waits without a clock."""
    rules = SHIPPED.rule_set(programme, TODAY)

    assert (rules.answer_days, rules.answer_reminder_days, rules.escalation_days) == (14, 7, 14)
    assert rules.handover_days == 10
    assert (rules.contact_rhythm_weeks, rules.counsellor_silence_weeks) == (4, 8)
    assert (rules.hours_late_months, rules.no_start_close_days) == (12, 180)
    assert rules.reveals_health is not None
    assert rules.version


def test_a_programme_ends() -> None:
    """No new recognition of local services economy since 1 July 2023."""
    assert SHIPPED.rule_set("lde", date(2023, 6, 30)).is_in_force
    assert SHIPPED.rule_set("lde", date(2023, 7, 1)).status == "ended"


def test_a_day_before_the_first_rules_is_not_in_force() -> None:
    """What was not law yet allows nothing."""
    assert not SHIPPED.rule_set("gemeenschapsdienst", date(2020, 1, 1)).is_in_force


def test_an_unknown_programme_is_refused() -> None:
    """Also the file of shared parameters is no programme."""
    for name in ("jobs_for_all", "parameters", "../errors"):
        with pytest.raises(UnknownProgramme):
            SHIPPED.rule_set(name, TODAY)


def test_versions_are_unique() -> None:
    """What an event's `ruleset` names is one text of rules."""
    versions = [rules.version for name in SHIPPED.programmes() for rules in SHIPPED.rule_sets(name)]

    assert len(set(versions)) == len(versions)


def entry(**changes: Any) -> dict[str, Any]:
    """Return a rule set as the YAML has it."""
    return {
        "version": "x-1",
        "status": "in_force",
        "valid_from": date(2026, 1, 1),
        "valid_to": None,
        "legal_reference": "law",
        "sources": [],
        "endorsement_required_from": [],
        "parameters": {},
        **changes,
    }


def test_a_new_rule_is_a_new_rule_set() -> None:
    """Two periods after each other, each with its own answer."""
    older = entry(valid_to=date(2026, 6, 30), endorsement_required_from=["P"])
    newer = entry(version="x-2", valid_from=date(2026, 7, 1))
    found = read_rule_sets("x", [older, newer])

    assert [rules.endorsement_required("P") for rules in found] == [True, False]


@pytest.mark.parametrize(
    ("entries", "name", "code"),
    [
        (None, "document", "not_a_list"),
        ([], "document", "not_a_list"),
        (["x"], "[0]", "not_an_object"),
        ([entry(colour="red")], "[0].colour", "unknown_key"),
        ([entry(status="maybe")], "[0].status", "unknown_value"),
        ([entry(valid_from="soon")], "[0].valid_from", "invalid_format"),
        (
            [entry(endorsement_required_from=["Q"])],
            "[0].endorsement_required_from",
            "unknown_value",
        ),
        ([entry(endorsement_required_from="P")], "[0].endorsement_required_from", "unknown_value"),
        ([entry(parameters={"hours": 3})], "[0].parameters.hours", "unknown_key"),
        ([entry(parameters={"answer_days": "14"})], "[0].parameters.answer_days", "invalid_format"),
        (
            [entry(parameters={"allowance_per_hour": 4.1})],
            "[0].parameters.allowance_per_hour",
            "invalid_format",
        ),
        (
            [entry(parameters={"claimed_counts_until": "x"})],
            "[0].parameters.claimed_counts_until",
            "invalid_format",
        ),
        ([entry(), entry(version="x-2", valid_from=date(2026, 7, 1))], "[1].valid_from", "overlap"),
        (
            [entry(valid_to=date(2026, 6, 29)), entry(version="x-2", valid_from=date(2026, 7, 1))],
            "[1].valid_from",
            "gap",
        ),
        ([entry(legal_reference=None)], "[0].legal_reference", "legal_reference_missing"),
    ],
)
def test_rules_that_are_not_understood_are_refused(entries: Any, name: str, code: str) -> None:
    """A typo in a parameter never reads as unset."""
    with pytest.raises(InvalidProgramme) as caught:
        read_rule_sets("x", entries)

    assert (name, code) in {(param.name, param.code) for param in caught.value.invalid}
