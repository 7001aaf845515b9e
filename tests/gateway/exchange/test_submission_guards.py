"""What holds for any submission: its time, the programmes it names, the version its sender saw."""

from __future__ import annotations

from dataclasses import replace as changed
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.exchange.decide import decide
from gateway.exchange.decision import Accepted, Refused
from schemas.programmes import ProgrammeRules, shipped_rules
from tests.gateway.exchange import cast

MINUTE = 60_000_000


def withdrawn(sender: str = cast.RELATED["P"], **attributes: Any) -> Accepted | Refused:
    """What becomes of a withdrawal of the cast's referral, which is at version 3."""
    sent = cast.submission(
        "referral.withdrawn",
        sender,
        {"reason": "moved"},
        subject=cast.REFERRAL,
        trajectory_id=cast.TRAJECTORY,
        **attributes,
    )
    return decide(sent, cast.context(cast.case()))


@pytest.mark.parametrize("ahead", [-cast.DAY, 0, 5 * MINUTE])
def test_a_clock_may_be_five_minutes_ahead(ahead: int) -> None:
    """What happened before now, or by a clock that is a little fast, is taken."""
    assert isinstance(withdrawn(occurred_at=cast.NOW + ahead), Accepted)


def test_nothing_happens_in_the_future() -> None:
    """More than five minutes ahead is refused, and `time` is named."""
    outcome = withdrawn(occurred_at=cast.NOW + 5 * MINUTE + 1)

    assert isinstance(outcome, Refused)
    (fault,) = outcome.error.invalid
    assert (outcome.error.status, fault.name, fault.code) == (422, "time", "occurred_in_future")


@pytest.mark.parametrize("expected", [None, 3])
def test_the_version_that_is_expected_is_taken(expected: int | None) -> None:
    """A sender that saw the newest version, or does not say, is served."""
    assert isinstance(withdrawn(expected_version=expected), Accepted)


@pytest.mark.parametrize("expected", [0, 2, 4])
def test_another_version_is_a_conflict(expected: int) -> None:
    """409 with the version there is, and what may be sent now."""
    outcome = withdrawn(expected_version=expected)

    assert isinstance(outcome, Refused)
    assert (outcome.error.code, outcome.error.status) == ("version_differs", 409)
    assert outcome.error.facts["version"] == 3
    assert "referral.withdrawn" in outcome.error.facts["allowed"]


def test_a_stranger_learns_no_version() -> None:
    """Who is no part of the case gets the same answer as for none."""
    outcome = withdrawn(cast.STRANGERS["W"], expected_version=1)

    assert isinstance(outcome, Refused)
    assert outcome.error.status in (403, 404)
    assert "version" not in outcome.error.facts


@pytest.mark.parametrize(("expected", "kind"), [(0, Accepted), (1, Refused)])
def test_something_new_is_at_version_zero(expected: int, kind: type) -> None:
    """Whoever expects something that is not there yet expects version 0."""
    data = {"programme": "wijk_werken", "target_org": cast.urn_of(cast.RELATED["W"])}
    sent = cast.submission(
        "referral.created",
        cast.RELATED["O"],
        data,
        territory_nis=cast.NIS,
        expected_version=expected,
    )

    assert isinstance(decide(sent, cast.context()), kind)


def offered(*programmes: str) -> Accepted | Refused:
    """What becomes of an offer that is meant for these programmes."""
    data = {
        "title": "Buurtmoestuin",
        "host_org": cast.urn_of(cast.RELATED["H"]),
        "location": {"name": "Testpark", "nis": cast.NIS},
        "programme_scope": list(programmes),
        "valid_to": "2026-12-31",
    }
    sent = cast.submission("offer.published", cast.RELATED["W"], data)
    return decide(replace(sent, territory_nis=cast.NIS), cast.context())


def test_a_programme_without_rules_is_unknown() -> None:
    """The rules say which programmes there are; every wrong one is named, with what is meant."""
    outcome = offered("wijk_werken", "wijkwerken", "jobs_for_all")

    assert isinstance(outcome, Refused)
    assert outcome.step == "rules"
    assert [(one.name, one.code) for one in outcome.error.invalid] == [
        ("programme_scope[1]", "unknown_programme"),
        ("programme_scope[2]", "unknown_programme"),
    ]
    assert "Bedoelt u: wijk_werken?" in outcome.error.detail.nl


def test_a_programme_with_published_rules_is_known() -> None:
    """A new code needs rules and no release."""
    shipped = shipped_rules()
    new = tuple(changed(one, programme="buurtbaan") for one in shipped.rule_sets("stage"))
    rules = ProgrammeRules({**shipped.own, "buurtbaan": new}, shipped.shared)
    data = {
        "programme": "buurtbaan",
        "target_role": "welfare_centre",
        "person": {"postcode": "3300"},
    }
    sent = cast.submission("referral.created", cast.RELATED["O"], data)

    outcome = decide(sent, cast.context(known=changed(cast.registry(), rules=rules)))

    assert isinstance(outcome, Accepted), outcome.error.detail.en
    assert outcome.events[0].programme == "buurtbaan"
