"""Where a case is: codes of municipalities on both sides of the mergers of 2019 and 2025."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from msgspec.structs import replace as changed

from gateway.exchange.decide import decide
from gateway.exchange.decision import Accepted, Refused
from gateway.exchange.registry import RegisteredAgreement, Registry
from schemas.agreement import parse_agreement
from tests.gateway.exchange import cast

MERGERS = [
    (date(2019, 1, 1), "44029", "44084"),
    (date(2019, 1, 1), "12034", "12041"),
    (date(2019, 1, 1), "44011", "44083"),
    (date(2025, 1, 1), "71022", "71072"),
    (date(2025, 1, 1), "37018", "37021"),
    (date(2025, 1, 1), "11056", "46030"),
]
"""The first day of the new code, one of the old ones, and the new one."""


def microseconds(on: date) -> int:
    """Noon of a day in UTC."""
    return int(datetime(on.year, on.month, on.day, 12, tzinfo=UTC).timestamp()) * 1_000_000


@cache
def registry(nis: str) -> Registry:
    """The cast, with territories and grants on one code only."""
    known = cast.registry()
    people = [replace(one, territory=frozenset({nis})) for one in known.participants.values()]
    document = cast.document(
        [one.organisation for one in people], validity={"from": "2018-01-01", "to": "2028-12-31"}
    )
    for grant in document["grants"]:
        grant["territory_nis"] = [nis]
    return Registry.build(
        version=2,
        environment="test",
        organisations=known.organisations.values(),
        participants=people,
        agreements=[RegisteredAgreement(parse_agreement(document))],
    )


def referred(nis: str, on: date, grants: str, *, now: date | None = None) -> Accepted | Refused:
    """What becomes of a referral for a municipality on a day."""
    data = {
        "programme": "wijk_werken",
        "reason_codes": ["work_rhythm"],
        "person": {"nis": nis},
        "target_org": cast.urn_of(cast.RELATED["W"]),
    }
    sent = cast.submission(
        "referral.created", cast.RELATED["O"], data, occurred_at=microseconds(on)
    )
    context = changed(
        cast.context(), registry=registry(grants), now=microseconds(now or on) + 1_000_000
    )
    return decide(sent, context)


@pytest.mark.parametrize(("first", "old", "new"), MERGERS)
def test_a_code_counts_on_its_own_days(first: date, old: str, new: str) -> None:
    """The old code to the last day before the merger, the new one from the first day of it."""
    last = first - timedelta(days=1)

    assert isinstance(referred(old, last, old), Accepted)
    assert isinstance(referred(new, first, new), Accepted)
    for code, day in ((old, first), (new, last)):
        outcome = referred(code, day, code)
        assert isinstance(outcome, Refused)
        assert outcome.error.facts["rule"] == "territory_not_valid"


@pytest.mark.parametrize(("first", "old", "new"), MERGERS)
def test_the_refusal_names_the_code_of_today(first: date, old: str, new: str) -> None:
    """Whoever still uses the old code reads the new one."""
    outcome = referred(old, first, old)

    assert isinstance(outcome, Refused)
    assert new in outcome.error.detail.nl
    assert outcome.error.invalid[0].name == "territorynis"


@pytest.mark.parametrize(("first", "old", "new"), MERGERS)
def test_grants_and_territories_go_on_after_a_merger(first: date, old: str, new: str) -> None:
    """An agreement and a territory on the old code cover the place under its new code."""
    assert isinstance(referred(new, first, old), Accepted)


@pytest.mark.parametrize(("first", "old", "new"), MERGERS)
def test_an_event_sent_late_keeps_its_code(first: date, old: str, new: str) -> None:
    """What happened before the merger and is sent after it is read by the day it happened."""
    last, later = first - timedelta(days=1), first + timedelta(days=40)

    for grants in (old, new):
        outcome = referred(old, last, grants, now=later)
        assert isinstance(outcome, Accepted), grants
        assert outcome.events[0].territory_nis == old


def test_a_case_under_an_old_code_goes_on() -> None:
    """A case that began before the merger is answered after it, on either code's agreements."""
    for grants in ("71022", "71072"):
        case = changed(cast.case(), territory_nis="71022")
        sent = cast.submission(
            "referral.withdrawn",
            cast.RELATED["P"],
            {"reason": "moved"},
            trajectory_id=case.id,
            subject=cast.REFERRAL,
        )
        outcome = decide(sent, changed(cast.context(case), registry=registry(grants)))
        assert isinstance(outcome, Accepted), grants


@pytest.mark.parametrize(
    ("person", "code"),
    [
        ({"postcode": "1804"}, "territory_ambiguous"),
        ({"postcode": "4000"}, "postcode_unknown"),
        ({}, "territory_missing"),
    ],
)
def test_a_place_that_cannot_be_told_is_asked(person: dict[str, Any], code: str) -> None:
    """1804 is Vilvoorde and Zemst; both are named. 4000 is Liège. Without anything: missing."""
    data = {"programme": "wijk_werken", "reason_codes": ["work_rhythm"], "person": person}
    everywhere = [replace(one, territory=None) for one in cast.registry().participants.values()]
    known = Registry.build(version=2, environment="test", participants=everywhere)
    sent = cast.submission("referral.created", cast.RELATED["O"], data)
    outcome = decide(sent, changed(cast.context(), registry=known))

    assert isinstance(outcome, Refused)
    assert (outcome.error.status, outcome.error.invalid[0].code) == (422, code)
    if code == "territory_ambiguous":
        assert "Vilvoorde" in outcome.error.detail.nl
        assert "Zemst" in outcome.error.detail.nl
