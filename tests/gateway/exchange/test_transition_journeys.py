"""Journeys C, Q and R through the real ledger: a right that sleeps, one lapsed in error, a switch.

Journey I, a mandate with forty files, is in `test_mandate_moves.py`.
"""

from __future__ import annotations

from dataclasses import replace as changed
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from consumers.clock import date_of
from consumers.database import Stores
from gateway.exchange.sealing import open_row
from gateway.exchange.state_rows import loads_trajectory
from schemas.conversion import Conversion
from schemas.programmes import ProgrammeRules, shipped_rules
from tests.gateway.exchange import cast
from tests.gateway.exchange.exchange_world import World, exchange
from tests.store_fixtures import migrated, stores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gateway.exchange.state import Trajectory

__all__ = ["stores"]

V, OCMW, W = cast.RELATED["V"], cast.RELATED["O"], cast.RELATED["W"]
REFERRAL = {
    "programme": "wijk_werken",
    "reason_codes": ["ex_pwa_continuation"],
    "target_org": cast.urn_of(W),
}
RIGHT = {
    "basis": "pwa_agreement_2017_09_30",
    "source_org": cast.urn_of(W),
    "last_activity_month": "2026-04",
    "hours_cap_month": 60,
}
WARNED = "trajectory.warning_raised"
SWITCH = Conversion(
    from_programme="wijk_werken",
    to_programme="samenlevingsjob",
    effective=date(2026, 9, 1),
    hours_carried="all",
    months_carried="all",
    basis="decree",
    states=frozenset({"planned", "active", "suspended"}),
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A running exchange of the cast on SQLite."""
    with exchange(migrated(Stores.sqlite(tmp_path)), tmp_path) as made:
        made.registry = cast.registry()
        yield made


class Journey:
    """One person's path: what its parts are called, and the events on them."""

    def __init__(self, world: World, number: int = 1, sender: str = OCMW, **data: Any) -> None:
        self._world = world
        own = {"territory_nis": cast.NIS, "source_record_id": f"n-{number}"}
        made = self._send("referral.created", sender, {**REFERRAL, **data}, **own)
        self.id, self.referral = str(made.trajectory_id), made.aggregate_id
        self._send("referral.accepted", W, {}, subject=self.referral)

    def _send(self, name: str, sender: str, data: dict[str, Any], **given: Any) -> Any:
        outcome = self._world.send(
            name, sender, data, occurred_at=self._world.clock.now_us(), **given
        )
        assert outcome.receipt is not None
        return outcome.receipt

    @property
    def today(self) -> str:
        """The business day."""
        return date_of(self._world.clock.now_us()).isoformat()

    def on(self, name: str, sender: str, data: dict[str, Any], subject: str | None = None) -> str:
        """An event on this path; the aggregate it was about."""
        given = {"trajectory_id": self.id, "subject": subject}
        found: str = self._send(name, sender, data, **given).aggregate_id
        return found

    def start(self, end: str | None = None) -> str:
        """Plan and start a placement today; its id."""
        work = {
            "assignment_id": cast.ASSIGNMENT.replace("9000", f"9{self.referral[-3:]}"),
            "host_org": cast.urn_of(cast.RELATED["H"]),
            "mentor": {"name": "Testmentor"},
        }
        data = {
            "programme": "wijk_werken",
            "referral_id": self.referral,
            "start_date": self.today,
            "planned_end": end,
            "hours_per_week": 12,
            "assignments": [work],
            "insured": True,
            "declaration": {"declared": True},
        }
        data = {name: value for name, value in data.items() if value is not None}
        placement = self.on("placement.planned", W, data)
        self.on("placement.started", W, data, placement)
        self.assignment = work["assignment_id"]
        return placement

    def refer_again(self) -> None:
        """Another referral on this path, accepted as well."""
        data = {**REFERRAL, "predecessor_referral_id": self.referral}
        self.referral = self.on("referral.created", OCMW, data)
        self.on("referral.accepted", W, {}, self.referral)

    def report(self, placement: str, period: str, hours: str) -> None:
        """The organiser's hours of a month."""
        data = {"assignment_id": self.assignment, "period": period, "hours": hours}
        self.on("placement.hours_reported", W, data, placement)

    @property
    def state(self) -> Trajectory:
        """As the ledger keeps it."""
        query = text("select state from trajectories where id = :id")
        with self._world.engines["ledger_read"].connect() as connection:
            return loads_trajectory(bytes(connection.execute(query, {"id": self.id}).scalar_one()))

    def names(self) -> list[str]:
        """The events on this path that are about its right or its placement's programme."""
        rows = self._world.rows(self.id)
        return [one.event_name for one in rows if one.event_name.startswith("transition.")]

    def warnings(self) -> list[str]:
        """What the ledger warned of, by the codes that it counted."""
        rows = [one for one in self._world.rows(self.id) if one.event_name == WARNED]
        return [str((open_row(one, self._world.keys).data or {}).get("kind")) for one in rows]

    def tasks(self) -> list[tuple[str, str]]:
        """What is still to be answered, and by whom."""
        tasks = self.state.tasks.values()
        return [(one.what, one.addressee) for one in tasks if one.answered is None]


def refused(world: World, path: Journey, name: str, data: dict[str, Any]) -> str:
    """The rule that refuses an event of the organiser."""
    given = {"trajectory_id": path.id, "occurred_at": world.clock.now_us()}
    error = world.try_send(name, W, data, **given).error
    return "" if error is None else str(error.facts.get("rule"))


def endless(path: Journey) -> dict[str, Any]:
    """A placement without an end."""
    return {
        "programme": "wijk_werken",
        "referral_id": path.referral,
        "start_date": path.today,
        "hours_per_week": 12,
        "assignments": [{"assignment_id": cast.FRESH, "host_org": cast.urn_of(cast.RELATED["H"])}],
    }


def entitled(world: World) -> tuple[Journey, str]:
    """Somebody with a verified right; the path, and the right."""
    path = Journey(world)
    right = path.on("transition.right_registered", W, RIGHT)
    path.on("transition.right_verified", V, {"on": path.today, "evidence": "pwa_agreement"}, right)
    return path, right


def until(world: World, day: str) -> None:
    """Let the time pass until a day, and do all that becomes due."""
    world.pass_time((date.fromisoformat(day) - date_of(world.clock.now_us())).days)


def test_journey_c_an_unlimited_right_that_falls_asleep(world: World) -> None:
    """Sixty hours a month without an end; silence warns, and a year of nothing sleeps."""
    path, right = entitled(world)
    placement = path.start()
    path.report(placement, "2026-05", "60.00")
    until(world, "2026-07-05")
    path.report(placement, "2026-06", "60.00")
    assert path.state.rights[right].last_activity == "2026-06"

    later = [f"2026-{one:02}" for one in range(8, 13)]
    for month in [*later, *(f"2027-{one:02}" for one in range(1, 7))]:
        until(world, f"{month}-05")
        before = date.fromisoformat(f"{month}-01") - timedelta(days=1)
        path.report(placement, before.isoformat()[:7], "0.00")
    until(world, "2027-08-02")
    assert "transition.right_dormant" not in path.names()
    assert path.warnings() == ["hours_missing"]

    path.report(placement, "2027-06", "0.00")
    until(world, "2027-09-02")
    assert path.names()[-1] == "transition.right_dormant"
    assert path.state.rights[right].lapses_on == "2027-10-02"
    assert ("right_dormant", OCMW) in path.tasks()

    path.report(placement, "2027-09", "12.00")
    assert path.names()[-1] == "transition.right_revived"
    assert path.state.rights[right].state == "active"
    assert ("right_dormant", OCMW) not in path.tasks()


def test_journey_q_a_right_that_lapsed_in_error_comes_back(world: World) -> None:
    """The organiser reported late: VDAB is asked again, and new placements need no end again."""
    path = Journey(world)
    old = {**RIGHT, "last_activity_month": "2025-04"}
    right = path.on("transition.right_registered", W, old)
    path.on("transition.right_verified", V, {"on": path.today, "evidence": "declaration"}, right)
    placement = path.start()
    said = {"on": path.today, "ground": "no_activity_12m", "appeal_info": "Beroep bij VDAB."}
    path.on("transition.right_lapsed", V, said, right)
    until(world, path.state.rights[right].ends_on or "")
    path.refer_again()
    assert refused(world, path, "placement.planned", endless(path)) == "planned_end_missing"

    path.report(placement, "2026-05", "12.00")
    assert ("right_lapse_in_doubt", V) in path.tasks()
    path.on("transition.right_reinstated", V, {"on": path.today, "ground": "error"}, right)
    found = path.state.rights[right]
    assert (found.state, found.ends_on, found.last_activity) == ("active", None, "2026-05")
    assert path.tasks() == []
    assert refused(world, path, "placement.planned", endless(path)) == ""
    until(world, "2027-04-30")
    assert path.names()[-1] == "transition.right_reinstated"


def test_hours_on_another_case_of_the_person_wake_the_right(world: World) -> None:
    """The other OCMW's case knows nothing of the right; the hub goes there by an errand."""
    first = Journey(world, insz="71641212301")
    old = {**RIGHT, "last_activity_month": "2025-04"}
    right = first.on("transition.right_registered", W, old)
    first.on("transition.right_verified", V, {"on": first.today, "evidence": "declaration"}, right)
    until(world, "2026-06-02")
    assert first.state.rights[right].state == "dormant"

    other = Journey(world, 2, cast.STRANGERS["O"], insz="71641212301")
    assert other.id != first.id
    placement = other.start(end="2026-12-01")
    other.report(placement, "2026-06", "12.00")
    assert other.names() == []
    world.pass_time(0)

    found = first.state.rights[right]
    assert first.names()[-1] == "transition.right_revived"
    assert (found.state, found.last_activity) == ("active", "2026-06")


def with_switch(world: World, *moves: Conversion) -> None:
    """The registry after rules that convert were published."""
    shipped = shipped_rules()
    rules = ProgrammeRules(shipped.own, shipped.shared, moves=moves)
    world.registry = changed(world.registry, rules=rules)


def test_journey_r_running_placements_go_on_under_the_new_programme(
    stores: Stores, tmp_path: Path
) -> None:
    """On the first day, each once, a page at a time, whatever is restarted; hours count on."""
    with exchange(stores, tmp_path) as world:
        world.registry, world.page = cast.registry(), 2
        paths = [Journey(world, number) for number in range(5)]
        placements = [path.start(end="2026-11-27") for path in paths[:4]]
        paths[0].report(placements[0], "2026-05", "40.00")
        with_switch(world, SWITCH)
        world.new_timers()
        world.pass_time(90)
        assert [path.names() for path in paths] == [[]] * 5

        world.clock.advance(6 * 86_400)
        for _ in range(20):
            world.new_timers().step()

        assert [path.names() for path in paths] == [["transition.placement_converted"]] * 4 + [[]]
        first = paths[0].state.placements[placements[0]]
        assert first.programme == "samenlevingsjob"
        (carried,) = first.conversions
        assert (carried.effective, carried.hours, carried.months) == ("2026-09-01", 4000, 3)
        world.deliver()
        assert world.names(OCMW).count("transition.placement_converted") == 4
