"""Outcomes are confirmed within thirty days, and followed up after 3, 6 and 12 months."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from gateway.exchange.business_days import start_of
from gateway.exchange.state import Outcome
from tests.gateway.exchange import cast
from tests.gateway.exchange.due_days import day, days, noon, sent, the

if TYPE_CHECKING:
    from gateway.exchange.state import Trajectory


def exited(state: str, **changes: Any) -> Trajectory:
    """A case whose outcome of 30 November 2025 was recorded on 10 December."""
    given = {"on": "2025-11-30", "lasts": True, "since": noon("2025-12-10"), **changes}
    outcome = replace(Outcome(cast.OUTCOME, state, 1, cast.RELATED["W"], cast.PLACEMENT), **given)
    return cast.case(
        referrals={cast.REFERRAL: cast.referral("closed")},
        placements={cast.PLACEMENT: cast.placement("ended")},
        outcomes={cast.OUTCOME: outcome},
        tasks={},
    )


@pytest.mark.parametrize("state", ["provisional", "disputed"])
def test_an_unconfirmed_outcome_is_recalled_every_thirty_days(state: str) -> None:
    """It is the case holder's to confirm."""
    case = exited(state)
    again = replace(case, reminded={f"outcome_unconfirmed/{cast.OUTCOME}": sent("2026-01-09")})

    assert days(case) == {"outcome_unconfirmed": "2026-01-09"}
    assert the(case, "outcome_unconfirmed").acts_for == cast.RELATED["V"]
    assert days(again) == {"outcome_unconfirmed": "2026-02-08"}


def test_a_confirmed_outcome_is_followed_up_three_times() -> None:
    """After 3, 6 and 12 months, counted from the outcome and not from its confirmation."""
    found = days(exited("confirmed"))
    found.pop("trajectory_inactive")

    assert found == {
        "after_care_due.3": "2026-02-28",
        "after_care_due.6": "2026-05-30",
        "after_care_due.12": "2026-11-30",
    }


def test_what_was_followed_up_is_not_asked_again() -> None:
    """Twelve months of sustained work are still asked for."""
    found = days(exited("confirmed", followed_up=(3, 6)))
    found.pop("trajectory_inactive")

    assert found == {"after_care_due.12": "2026-11-30"}
    assert the(exited("confirmed"), "after_care_due.12").data == {
        "what": "after_care_due",
        "due": "2026-11-30",
        "overdue_days": 0,
        "concerns": cast.OUTCOME,
    }


def test_the_follow_up_outlives_the_case() -> None:
    """A closed case is asked about all the same: the OCMW's premium counts a year of work."""
    case = replace(exited("confirmed"), state="closed", closed_at=noon("2025-12-20"))

    assert days(case)["after_care_due.12"] == "2026-11-30"
    assert the(case, "after_care_due.12").due_at == start_of(day("2026-11-30"))


def test_an_outcome_without_a_sequel_is_not_asked_about() -> None:
    """Nobody asks whether somebody who dropped out, moved or died is still there."""
    assert set(days(exited("confirmed", lasts=False))) == {"trajectory_inactive"}
