"""A placement from plan to the year after it, with the hub asking for what does not come (R5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from consumers.clock import date_of
from gateway.exchange import sealing
from gateway.exchange.key_file import FileKeyEncryption
from tests.gateway.exchange.erasure_world import wired
from tests.gateway.exchange.exchange_world import (
    OCMW,
    ORGANISER,
    REFERRAL,
    World,
    exchange,
    rebuilt,
)
from tests.store_fixtures import stores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consumers.database import Stores

__all__ = ["stores"]

HOST_URN = "urn:be:kbo:1999010444"
DUE = "guidance.follow_up_due"
ASSIGNMENT = "01950000-0000-7000-9000-000000000008"


@dataclass
class Case:
    """One person's case in a running exchange that begins on 28 May 2026."""

    world: World
    trajectory_id: str
    referral_id: str

    def send(self, name: str, sender: str, data: dict[str, Any], **given: Any) -> str:
        """Send an event on this case; the id of its aggregate."""
        now = self.world.clock.now_us()
        outcome = self.world.send(
            name, sender, data, trajectory_id=self.trajectory_id, occurred_at=now, **given
        )
        assert outcome.receipt is not None
        return outcome.receipt.aggregate_id

    def plan(self, start: str, end: str) -> str:
        """Accept the referral and plan a placement; its id."""
        self.send("referral.accepted", ORGANISER, {}, subject=self.referral_id)
        assignment = {
            "assignment_id": ASSIGNMENT,
            "host_org": HOST_URN,
            "activity_code": "green_maintenance",
            "mentor": {"name": "Testmentor"},
            "from": start,
        }
        data = {
            "referral_id": self.referral_id,
            "programme": "wijk_werken",
            "contract_form": "wijk_werk_agreement",
            "assignments": [assignment],
            "start_date": start,
            "planned_end": end,
            "hours_per_week": 10,
            "exit_perspective": "regular_job",
            "allowance_scheme": "cheque_4_10",
            "insured": True,
        }
        return self.send("placement.planned", ORGANISER, data)

    def live_until(self, day: str) -> None:
        """Let day after day begin, up to this one."""
        while date_of(self.world.clock.now_us()).isoformat() < day:
            self.world.pass_time(1)

    def asked(self) -> list[tuple[str, str, str]]:
        """What the hub asked for or saw done: the day, the event and what about."""
        found = []
        for row in self.world.rows(self.trajectory_id):
            if row.event_name.startswith("guidance.follow_up"):
                opened = sealing.open_row(row, self.world.keys, (sealing.MAIN,)).data
                assert opened is not None
                day = date_of(row.recorded_at).isoformat()
                found.append((day, row.event_name.rpartition("_")[2], opened["what"]))
        return found


@pytest.fixture
def path(stores: Stores, tmp_path: Path) -> Iterator[Case]:
    """A person whom the OCMW referred to the organiser."""
    with exchange(stores, tmp_path) as world:
        sent = world.send("referral.created", OCMW, REFERRAL)
        assert sent.receipt is not None
        yield Case(world, str(sent.receipt.trajectory_id), sent.receipt.aggregate_id)


def test_a_rescheduled_placement_moves_its_clock(path: Case) -> None:
    """Nothing is asked three days after the first date, but three days after the second."""
    placement = path.plan("2026-06-08", "2026-11-30")
    path.live_until("2026-06-10")
    data = {"start_date": "2026-06-22", "reason": "person_request"}
    path.send("placement.rescheduled", ORGANISER, data, subject=placement)

    path.live_until("2026-06-24")
    assert path.asked() == []
    path.live_until("2026-06-25")
    assert path.asked() == [("2026-06-25", "due", "start_overdue")]


def test_a_guided_placement_is_asked_about_only_what_does_not_come(path: Case) -> None:
    """Contact comes late once, the end is announced, and the outcome is asked for."""
    placement = path.plan("2026-06-08", "2026-09-30")
    path.live_until("2026-06-08")
    start = {"insured": True, "declaration": {"declared": True}}
    path.send("placement.started", ORGANISER, start, subject=placement)
    path.live_until("2026-07-08")
    contact = {"kind": "coach_visit", "on": "2026-07-08"}
    path.send("guidance.contact_recorded", ORGANISER, contact)
    path.live_until("2026-08-04")
    path.send("guidance.contact_recorded", ORGANISER, {**contact, "on": "2026-08-04"})
    path.live_until("2026-08-31")
    path.send("guidance.contact_recorded", ORGANISER, {**contact, "on": "2026-08-31"})
    path.live_until("2026-09-15")
    end = {"end_date": "2026-09-15", "reason": "regular_job", "early": True}
    path.send("placement.ended", ORGANISER, end, subject=placement)
    path.live_until("2026-09-29")
    outcome = {"type": "regular_job", "on": "2026-09-16", "placement_id": placement}
    path.send("outcome.recorded", ORGANISER, outcome)

    assert path.asked() == [
        ("2026-06-15", "due", "start_unconfirmed"),
        ("2026-07-06", "due", "contact_overdue"),
        ("2026-07-08", "done", "contact_overdue"),
        ("2026-08-31", "due", "planned_end_near"),
        ("2026-09-15", "done", "start_unconfirmed"),
        ("2026-09-15", "done", "planned_end_near"),
        ("2026-09-29", "due", "outcome_missing"),
        ("2026-09-29", "done", "outcome_missing"),
    ]


def test_what_an_organiser_left_undone_is_asked_of_the_holder_once_it_erased(
    path: Case, tmp_path: Path
) -> None:
    """The outcome is missing still; the case goes on, and closes in the end."""
    world = path.world
    end_early(path)
    erasing = wired(world, FileKeyEncryption(tmp_path / "kek"))
    order = erasing.order(ORGANISER, case=path.trajectory_id)
    erasing.settle()
    assert erasing.found(order).destroyed_at is not None
    for _ in range(30):
        world.pass_time(30)

    told = [one for one in world.rows(path.trajectory_id) if one.event_name == DUE]
    assert [one.caused_by for one in told][-1] == OCMW
    assert "trajectory.closed" in {one.event_name for one in world.rows(path.trajectory_id)}
    assert world.timers.figures()["timers_refused_total"] == 0


def test_a_clock_that_is_refused_holds_up_no_other(path: Case) -> None:
    """The registry knows the organiser no more: its reminder waits, and the case still closes."""
    world = path.world
    end_early(path)
    others = [one for one in world.registry.participants.values() if one.id != ORGANISER]
    world.registry = rebuilt(world.registry, participants=others)
    for _ in range(30):
        world.pass_time(30)
        world.pass_time(0)

    names = [one.event_name for one in world.rows(path.trajectory_id)]
    assert (DUE in names, names.count("trajectory.closed")) == (False, 1)
    assert world.timers.figures()["timers_put_off"] == 1


def end_early(path: Case) -> None:
    """A placement that began and ended, without an outcome; everything was received."""
    placement = path.plan("2026-06-01", "2026-11-30")
    path.live_until("2026-06-01")
    start = {"insured": True, "declaration": {"declared": True}}
    path.send("placement.started", ORGANISER, start, subject=placement)
    path.live_until("2026-06-03")
    end = {"end_date": "2026-06-03", "reason": "person_stopped", "early": True}
    path.send("placement.ended", ORGANISER, end, subject=placement)
    path.world.deliver()


def test_a_year_of_work_is_asked_about_after_the_case_is_closed(path: Case) -> None:
    """After 3, 6 and 12 months, until the follow-up is recorded; the OCMW closed in between."""
    placement = path.plan("2026-06-08", "2026-09-30")
    path.live_until("2026-06-08")
    start = {"insured": True, "declaration": {"declared": True}}
    path.send("placement.started", ORGANISER, start, subject=placement)
    end = {"end_date": "2026-06-08", "reason": "regular_job", "early": True}
    path.send("placement.ended", ORGANISER, end, subject=placement)
    data = {"type": "regular_job", "on": "2026-06-08", "placement_id": placement}
    outcome = path.send("outcome.recorded", ORGANISER, data)
    path.send("outcome.confirmed", OCMW, {"evidence": "document"}, subject=outcome)
    path.send("trajectory.closed", OCMW, {"reason": "sustainable_job"})
    path.live_until("2026-09-08")
    path.send("outcome.follow_up_recorded", OCMW, {"month": 3, "still_in": "yes"}, subject=outcome)
    path.live_until("2027-06-08")
    path.send("outcome.follow_up_recorded", OCMW, {"month": 12, "still_in": "yes"}, subject=outcome)

    assert [one for one in path.asked() if one[2] == "after_care_due"] == [
        ("2026-09-08", "due", "after_care_due"),
        ("2026-09-08", "done", "after_care_due"),
        ("2026-12-08", "due", "after_care_due"),
        ("2027-06-08", "due", "after_care_due"),
        ("2027-06-08", "done", "after_care_due"),
    ]
