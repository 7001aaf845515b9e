"""Nobody without a next step: whatever state a case is in, the hub has a date for it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from consumers.clock import date_of
from gateway.exchange.clock import Ground
from gateway.exchange.clocks import clocks, fingerprint, first_due, next_due
from gateway.exchange.decide import decide
from gateway.exchange.decision import Accepted
from gateway.exchange.firing import for_clock
from gateway.exchange.outcome_clocks import WITHOUT_SEQUEL
from gateway.exchange.settlement import FOLLOW_UPS
from gateway.exchange.state import Trajectory
from schemas.codec import parse
from schemas.codelists import code_list
from schemas.lifecycle import lifecycles
from tests.gateway.exchange import cast

GROUND = Ground(cast.registry(), cast.TODAY)
KINDS = ("referral", "placement", "outcome", "trajectory")
OPEN_PARTS = [
    (kind, state)
    for kind in KINDS
    for state, row in lifecycles()[kind].states.items()
    if row.kind == "active"
]


def in_state(kind: str, state: str) -> Trajectory:
    """A case that came into this state a moment ago, with dates on everything."""
    case = cast.case_with(kind, state)
    parts = {
        name: {
            key: replace(one, since=cast.NOW, **dates(name))
            for key, one in getattr(case, name).items()
        }
        for name in ("referrals", "placements", "outcomes")
    }
    return replace(case, **parts, since=cast.NOW, active_at=cast.NOW, holder_told_at=cast.NOW)


def dates(name: str) -> dict[str, str]:
    """What a placement or outcome has to have."""
    if name == "placements":
        return {"start_date": "2026-05-28", "ended_on": "2026-05-28"}
    return {"on": "2026-05-28"} if name == "outcomes" else {}


@pytest.mark.parametrize(("kind", "state"), OPEN_PARTS)
def test_every_open_state_has_a_clock_of_its_own(kind: str, state: str) -> None:
    """What the tables say in `clock` is so: it is about this very aggregate."""
    subject = {"referral": cast.REFERRAL, "placement": cast.PLACEMENT, "outcome": cast.OUTCOME}
    case = replace(in_state(kind, state), tasks={})

    found = {one.aggregate_id for one in clocks(case, GROUND)}
    assert subject.get(kind, cast.TRAJECTORY) in found


@settings(max_examples=40, deadline=None)
@given(state=st.sampled_from(OPEN_PARTS), weeks=st.lists(st.integers(0, 60), max_size=12))
def test_an_open_case_never_comes_to_have_no_next_date(
    state: tuple[str, str], weeks: list[int]
) -> None:
    """However much time passes and however often nobody acts: as long as it is open.

    And whatever the hub then says is valid by its schema and the code lists.
    """
    case, now = in_state(*state), cast.NOW
    for wait in weeks:
        now += wait * 7 * cast.DAY
        for _ in range(50):
            clock = first_due(case, Ground(cast.registry(), date_of(now)), now)
            if clock is None:
                break
            context = replace(cast.context(case), now=now)
            outcome = decide(for_clock(case.id, clock, now).submission, context)
            assert isinstance(outcome, Accepted), outcome.error.detail.en
            assert isinstance(outcome.trajectory, Trajectory)
            for event in outcome.events:
                parse(event.event, event.data, environment="test")
            case = outcome.trajectory
        if lifecycles()["trajectory"].is_active(case.state):
            assert next_due(case, Ground(cast.registry(), date_of(now))) is not None
            assert case.holder or case.proposed_holder


@settings(max_examples=40, deadline=None)
@given(state=st.sampled_from(OPEN_PARTS), weeks=st.integers(1, 120))
def test_the_state_stays_small_however_often_the_hub_reminds(
    state: tuple[str, str], weeks: int
) -> None:
    """A clock that comes again has one line, and its due times only grow."""
    case, now = in_state(*state), cast.NOW + weeks * 7 * cast.DAY
    seen: dict[str, int] = {}
    for _ in range(200):
        clock = first_due(case, Ground(cast.registry(), date_of(now)), now)
        if clock is None:
            break
        assert seen.get(clock.key, 0) < clock.due_at
        seen[clock.key] = clock.due_at
        context = replace(cast.context(case), now=now)
        outcome = decide(for_clock(case.id, clock, now).submission, context)
        assert isinstance(outcome, Accepted), outcome.error.detail.en
        assert isinstance(outcome.trajectory, Trajectory)
        case = outcome.trajectory
    assert set(case.reminded) == set(seen)
    assert len(seen) < 20


def test_a_clock_that_is_put_off_lets_the_others_go() -> None:
    """Later ones are sent meanwhile, and it comes again at its time."""
    now = cast.NOW + 400 * cast.DAY
    case, ground = in_state("placement", "active"), Ground(cast.registry(), date_of(now))
    first = first_due(case, ground, now)
    assert first is not None
    put_off = {first.key: now + 1}

    second = first_due(case, ground, now, put_off)
    assert second is not None
    assert (second.due_at, second.key) > (first.due_at, first.key)
    assert first_due(case, ground, now + 1, put_off) == first
    everything = {one.key: now + 1 for one in clocks(case, ground)}
    assert first_due(case, ground, now, everything) is None
    assert next_due(case, ground, everything) == now + 1


@pytest.mark.parametrize(("kind", "state"), OPEN_PARTS)
def test_no_clock_is_anybodys_who_had_its_data_erased(kind: str, state: str) -> None:
    """What it left undone is up to whoever answers for the case, and each can be sent."""
    now = cast.NOW + 400 * cast.DAY
    case, ground = in_state(kind, state), Ground(cast.registry(), date_of(now))
    kept = {case.holder, case.proposed_holder, case.offered_holder}
    gone = sorted({one.acts_for for one in clocks(case, ground)} - kept)
    case = replace(case, erased=tuple(gone))

    acting = {one.acts_for for one in clocks(case, ground)}
    assert acting
    assert acting.isdisjoint(gone)


def test_other_rules_are_told_apart() -> None:
    """The same on another day under the same rules, so that nothing is derived for nothing."""
    tomorrow = Ground(cast.registry(), cast.TODAY + timedelta(days=1))
    long_ago = Ground(cast.registry(), cast.TODAY.replace(year=2010))

    assert fingerprint(GROUND) == fingerprint(tomorrow)
    assert fingerprint(GROUND) != fingerprint(long_ago)


def test_the_codes_that_clocks_use_are_in_the_lists() -> None:
    """Every follow-up can be done, and every outcome without a sequel is one."""
    assert set(code_list("follow_up_what").codes) == FOLLOW_UPS
    assert set(code_list("outcome_type").codes) >= WITHOUT_SEQUEL
