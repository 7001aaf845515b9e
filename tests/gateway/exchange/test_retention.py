"""What is over by the calendar loses its keys, once, and nothing else does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from consumers import disclosure_log
from consumers.disclosure_log import Period
from consumers.scope import WHOLE_HUB
from gateway.exchange import audit
from gateway.exchange.retention import shreds
from gateway.exchange.retention_job import FINDING, RetentionJob, shown
from gateway.exchange.sealing import open_row
from gateway.exchange.state import Right
from schemas.retention import periods
from tests.gateway.exchange import cast
from tests.gateway.exchange.erasure_world import CAW_URN, INSZ, ErasureWorld, erasing
from tests.gateway.exchange.exchange_world import OCMW, OCMW_URN, REFERRAL, VDAB
from tests.store_fixtures import stores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consumers.database import Stores
    from gateway.exchange.state import Trajectory

__all__ = ["stores"]

YEAR = 366 * cast.DAY
OTHER_INSZ = "63710300477"


def closed(**changes: object) -> Trajectory:
    """A case of the cast that closed now."""
    return replace(cast.case_with("trajectory", "closed"), closed_at=cast.NOW, rights={}, **changes)


def whats(case: Trajectory, years: float) -> list[str]:
    """What is over so many years later."""
    now = cast.NOW + int(years * YEAR)
    return [one.what for one in shreds(case, [case.id], cast.registry(), now)]


def test_a_closed_case_goes_in_steps() -> None:
    """The staff's contact details after two years, everything after five."""
    assert whats(closed(), 1.9) == []
    assert whats(closed(), 2.1) == ["staff"]
    assert whats(closed(), 4.9) == ["staff"]
    assert whats(closed(), 5.1) == ["case"]


@pytest.mark.parametrize("state", ["held", "unassigned", "handing_over"])
def test_an_open_case_is_kept(state: str) -> None:
    """However long ago it began."""
    case = replace(cast.case_with("trajectory", state), referrals={})
    assert whats(case, 30) == []


def test_an_acquired_right_keeps_its_case() -> None:
    """Until five years after it ended."""
    right = Right("right-1", "dormant", 1, cast.RELATED["W"])
    assert whats(replace(closed(), rights={right.id: right}), 9) == ["staff"]
    lapsed = replace(right, state="lapsed", since=cast.NOW + 3 * YEAR)
    assert whats(replace(closed(), rights={right.id: lapsed}), 7.9) == ["staff"]
    assert whats(replace(closed(), rights={right.id: lapsed}), 8.2) == ["case"]


def test_a_declined_referral_of_a_partner_goes_after_a_year() -> None:
    """Its own organisation's data of it alone; that of an OCMW is kept with the case."""
    case = cast.case_with("referral", "declined")
    (referral,) = case.referrals.values()
    for role, expected in (("P", ["partner_referral"]), ("O", [])):
        theirs = replace(referral, referrer=cast.RELATED[role], since=cast.NOW)
        found = replace(case, referrals={referral.id: theirs})
        assert whats(found, 0.9) == []
        assert whats(found, 1.1) == expected
    (one,) = shreds(
        replace(
            case, referrals={referral.id: replace(referral, referrer=cast.RELATED["P"], since=1)}
        ),
        [case.id, referral.id],
        cast.registry(),
        cast.NOW,
    )
    assert (one.aggregate_ids, one.producer) == ((referral.id,), cast.urn_of(cast.RELATED["P"]))
    assert shown(one)["what"] == "partner_referral"


def test_the_periods_are_those_of_the_proposal() -> None:
    """Domain §4, in months."""
    kept = {name: one.months for name, one in periods().items() if name != "inbox"}
    of_case = {"case": 60, "acquired_right": 60, "partner_referral": 12, "staff": 24}
    assert kept == {**of_case, "disclosure": 120}


@pytest.fixture
def world(stores: Stores, tmp_path: Path) -> Iterator[ErasureWorld]:
    """A case of a CAW that an OCMW holds."""
    with erasing(stores, tmp_path) as made:
        yield made


def job(world: ErasureWorld, page: int = 1) -> RetentionJob:
    """One gateway's."""
    engines = world.world.engines
    return RetentionJob(
        engines["ledger"], engines["consumers"], world.eraser, lambda: world.world.registry, page
    )


def opens(world: ErasureWorld) -> dict[str, set[bool]]:
    """Of each organisation, whether its events open."""
    world.world.keys.forget_cached()
    found: dict[str, set[bool]] = {}
    for row in world.world.rows(world.case):
        found.setdefault(row.producer_org, set()).add(
            open_row(row, world.world.keys).data is not None
        )
    return found


def test_two_hubs_do_it_once_and_a_crash_repeats_nothing(world: ErasureWorld) -> None:
    """A day's run is shared; the next day nothing is left, and one line tells what went."""
    first, world.case = world.case, world.refer()
    declined = {"reason": "no_capacity"}
    world.world.send(
        "referral.declined", OCMW, declined, trajectory_id=world.case, subject=world.referral
    )
    _run(world)
    assert opens(world) == {CAW_URN: {True}, OCMW_URN: {True}}

    world.world.clock.advance(380 * 86_400)
    assert [shown(one)["what"] for one in job(world).due(world.world.clock.now_us())] == [
        "partner_referral"
    ]
    _run(world)
    assert opens(world) == {CAW_URN: {True, False}, OCMW_URN: {True}}
    gone = [
        row.aggregate_id
        for row in world.world.rows(world.case)
        if open_row(row, world.world.keys).data is None
    ]
    assert set(gone) == {world.referral}
    world.case = first
    assert opens(world) == {CAW_URN: {True}, OCMW_URN: {True}}
    world.world.clock.advance(86_400)
    _run(world)
    with world.world.engines["ledger_read"].connect() as connection:
        lines = audit.lines(connection, act="retention.shred")
    assert [one.reason.partition(" ")[0] for one in lines if "keys" in one.reason][-1] == "2"
    assert len([one for one in lines if not one.reason.startswith("0 ")]) == 1


def test_what_finds_a_merged_person_goes_with_the_last_key(world: ErasureWorld) -> None:
    """Not while one of its cases is kept; then what led to either of the two that it was."""
    first, second = _merged(world)
    person = world.store.person_of(first)
    assert len(person) == 2
    _close(world, OCMW, first)
    world.world.clock.advance(0.5 * YEAR / 1_000_000)
    _close(world, VDAB, second)
    world.world.clock.advance(4.7 * YEAR / 1_000_000)
    _run(world)
    assert set(_found_by(world, person)) == {*FINDING}

    world.world.clock.advance(0.6 * YEAR / 1_000_000)
    _run(world)
    assert not world.eraser.holds_any(person)
    assert _found_by(world, person) == []
    assert _found_by(world, world.store.person_of(world.case)) != []


def test_a_run_that_died_after_the_keys_leaves_nothing_that_finds(world: ErasureWorld) -> None:
    """The next one takes it away, though there are no keys any more."""
    cases = _merged(world)
    person = world.store.person_of(cases[0])
    for participant, one in zip((OCMW, VDAB), cases, strict=True):
        _close(world, participant, one)
    world.world.clock.advance(6 * YEAR / 1_000_000)
    now = world.world.clock.now_us()
    for shred in job(world).due(now):
        world.eraser.shred(shred.aggregate_ids, now)
    assert not world.eraser.holds_any(person)
    assert set(_found_by(world, person)) == {*FINDING}

    _run(world)
    assert _found_by(world, person) == []


def _merged(world: ErasureWorld) -> tuple[str, str]:
    """A person with a case at the OCMW and one at VDAB, who were two until a number was changed."""
    cases = []
    for number, (who, insz) in enumerate(((OCMW, INSZ), (VDAB, OTHER_INSZ))):
        person = {**REFERRAL["person"], "family_name": "Twee", "phone": f"+3200077700{number}"}
        data = {**REFERRAL, "person": person, "insz": insz}
        sent = world.world.send("referral.created", who, data)
        assert sent.receipt is not None
        cases.append(str(sent.receipt.trajectory_id))
    number_of_the_other = {"insz": OTHER_INSZ}
    world.world.send("subject.details_changed", OCMW, number_of_the_other, trajectory_id=cases[0])
    world.settle()
    return cases[0], cases[1]


def _close(world: ErasureWorld, holder: str, case: str) -> None:
    """Nothing comes of it."""
    send = world.world.send
    send("referral.withdrawn", holder, {"reason": "entered_elsewhere"}, trajectory_id=case)
    closed = {"reason": "other", "reason_text": "Loopt elders."}
    send("trajectory.closed", holder, closed, trajectory_id=case)


def _found_by(world: ErasureWorld, person: tuple[str, ...]) -> list[str]:
    """The tables that something of this person still stands in."""
    found = []
    with world.world.engines["ledger_read"].connect() as connection:
        for table in FINDING:
            column: sa.ColumnClause[str] = sa.column("subject_id")
            rows = sa.select(column).select_from(sa.table(table, column))
            if connection.execute(rows.where(column.in_(person))).first() is not None:
                found.append(table)
    return found


def test_the_disclosure_log_is_kept_ten_years(world: ErasureWorld) -> None:
    """Not a day less; then its lines go with the run of a day."""
    world.world.fetch(OCMW)
    engine = world.world.engines["consumers_read"]
    kept = []
    for years in (9.9, 0.3):
        world.world.clock.advance(years * YEAR / 1_000_000)
        _run(world)
        with engine.connect() as connection:
            ever = Period(0, world.world.clock.now_us())
            kept.append(len(disclosure_log.page(connection, WHOLE_HUB, ever)))

    assert kept[0] > 0
    assert kept[1] == 0


def _run(world: ErasureWorld) -> None:
    """A day's run by two gateways that take turns, each of which may die after any step."""
    now = world.world.clock.now_us()
    while any([job(world).when_due(now), job(world).when_due(now)]):
        pass
