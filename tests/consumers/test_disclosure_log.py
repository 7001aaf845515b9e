"""The disclosure log is read within one scope, page after page; on both databases."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from consumers import disclosure_log, disclosures
from consumers.disclosure_log import Count, Period, place_of
from consumers.scope import WHOLE_HUB, Scope
from tests.consumers.test_views import LINE, OCMW, ORGANISER, TRAJECTORY

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Engine

ALWAYS = Period(0, 10_000)
LINES = [
    LINE,
    replace(LINE, revision=1, disclosed_at=60, withheld="insz"),
    replace(LINE, door="webhook", disclosed_at=60),
    replace(LINE, event_id="e-2", disclosed_at=60, producer="vdab"),
    replace(LINE, event_id="e-2", disclosed_at=60, participant=ORGANISER, producer="vdab"),
    replace(LINE, event_id="e-3", disclosed_at=70, subject_id=None, trajectory_id=None),
]


@pytest.fixture
def log(engine_of: Callable[..., Engine]) -> Engine:
    """A log with six lines."""
    engine = engine_of("consumers")
    with engine.begin() as connection:
        disclosures.disclose(connection, LINES)
    return engine


@pytest.mark.parametrize("limit", [1, 2, 4])
def test_pages_hold_every_line_once_and_in_order(log: Engine, limit: int) -> None:
    """Also among lines of one moment."""
    found: list[disclosures.Disclosure] = []
    with log.connect() as connection:
        while True:
            after = place_of(found[-1]) if found else None
            page = disclosure_log.page(connection, WHOLE_HUB, ALWAYS, after=after, limit=limit)
            found += page
            if len(page) < limit:
                break

    assert found == sorted(LINES, key=place_of)


def test_a_scope_reads_its_own_side_only(log: Engine) -> None:
    """What was given to a participant, and what became of a producer's events."""
    with log.connect() as connection:
        received = disclosure_log.page(connection, Scope(ORGANISER), ALWAYS)
        given = disclosure_log.page(connection, Scope("vdab", "producer"), ALWAYS)
        nothing = disclosure_log.page(connection, Scope("stranger"), ALWAYS)

    assert [(one.event_id, one.participant) for one in received] == [("e-2", ORGANISER)]
    assert [(one.event_id, one.participant) for one in given] == [("e-2", OCMW), ("e-2", ORGANISER)]
    assert nothing == []


def test_a_period_begins_and_ends(log: Engine) -> None:
    """From its first moment, without its last; lines about nobody can be left out."""
    with log.connect() as connection:
        found = disclosure_log.page(connection, WHOLE_HUB, Period(60, 70))
        persons = disclosure_log.page(connection, WHOLE_HUB, ALWAYS, persons_only=True)

    assert {one.disclosed_at for one in found} == {60}
    assert len(persons) == 5


def test_counts_tell_events_and_copies_apart(log: Engine) -> None:
    """Three lines of one event are one event."""
    with log.connect() as connection:
        found = disclosure_log.counts(connection, Scope(OCMW), ALWAYS)

    about = ("referral.created", "activation_referral")
    assert found == [Count("caw", OCMW, *about, 2, 4), Count("vdab", OCMW, *about, 1, 1)]


def test_a_case_has_its_lines(log: Engine) -> None:
    """Oldest first, whoever received them."""
    with log.connect() as connection:
        found = disclosure_log.of_case(connection, WHOLE_HUB, TRAJECTORY)
        other = disclosure_log.of_case(connection, WHOLE_HUB, "another")

    assert found == sorted(LINES[:5], key=place_of)
    assert other == []


def test_lines_go_when_they_were_kept_long_enough(log: Engine) -> None:
    """Those before the time and no other."""
    with log.begin() as connection:
        gone = disclosures.forget(connection, before=60)
    with log.connect() as connection:
        left = disclosure_log.page(connection, WHOLE_HUB, ALWAYS)

    assert gone == 1
    assert left == sorted(LINES[1:], key=place_of)
