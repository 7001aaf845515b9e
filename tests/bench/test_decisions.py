"""A decision executes the same work in a long case and among many agreements; no clock is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.exchange.decide import decide
from schemas.catalogue import catalogue
from tests.bench import decisions
from tests.gateway.exchange.test_decide_product import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.exchange.decision import Context
    from gateway.exchange.submission import Submission

MADE_ELSEWHERE = frozenset({"referral.created", "trajectory.opened"})


def lines(given: tuple[Submission, Context]) -> int:
    """Lines of one decision, after a first one that fills what is remembered."""
    submission, context = given
    decide(submission, context)
    # What is remembered may be forgotten in between, by whoever ran before: the least counts.
    return min(decisions.lines_of(lambda: decide(submission, context)) for _ in range(3))


@pytest.mark.parametrize(
    ("given", "sizes"),
    [
        pytest.param(decisions.by_length, decisions.LENGTHS, id="events"),
        pytest.param(decisions.by_agreements, decisions.AGREEMENTS[:2], id="agreements"),
    ],
)
def test_work_does_not_grow(
    given: Callable[[int], tuple[Submission, Context]], sizes: tuple[int, ...]
) -> None:
    """From the smallest to the largest, a decision executes the same number of lines."""
    counted = {size: lines(given(size)) for size in sizes}

    assert len(set(counted.values())) == 1, counted


def test_growing_work_is_seen() -> None:
    """The count sees a loop, also one inside a comprehension."""
    short, long = (decisions.lines_of(lambda: _loop(10)), decisions.lines_of(lambda: _loop(1000)))

    assert long - short >= 990


def _loop(turns: int) -> list[int]:
    return [turn * 2 for turn in range(turns)]


def test_every_event_type_is_measured() -> None:
    """No event that a case or an offer knows is left out of the figures."""
    measured = {name for name, *_ in decisions.accepted_events()}
    decided = {one.name for one in catalogue().all() if one.aggregate_type in SUBJECTS}

    assert decided - measured <= MADE_ELSEWHERE
