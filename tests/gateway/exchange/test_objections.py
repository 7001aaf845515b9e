"""An objection asks each controller to decide within a month; its answer is on record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.exchange.pseudonym import pseudonym
from gateway.exchange.render import Rendered
from gateway.exchange.state_rows import loads_subject, loads_trajectory
from tests.gateway.exchange.exchange_world import (
    CAW,
    OCMW,
    OCMW_URN,
    ORGANISER,
    ORGANISER_URN,
    REFERRAL,
    World,
    exchange,
)
from tests.store_fixtures import stores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consumers.database import Stores
    from gateway.exchange.state import Task, Trajectory

__all__ = ["stores"]

RECORDED, LIFTED = "subject.objection_recorded", "subject.objection_lifted"
WITHDRAWN = "subject.consent_withdrawn"


@pytest.fixture
def world(stores: Stores, tmp_path: Path) -> Iterator[World]:
    """A running exchange."""
    with exchange(stores, tmp_path) as made:
        yield made


def referred(world: World, **person: Any) -> str:
    """A case that the OCMW holds and the organiser was asked to take up."""
    data = {**REFERRAL, "person": {**REFERRAL["person"], **person}}
    outcome = world.send("referral.created", OCMW, data)
    assert outcome.receipt is not None
    return str(outcome.receipt.trajectory_id)


def said(world: World, name: str, case: str, **scope: str) -> None:
    """The case holder records something for the person, and the hub does what follows."""
    world.send(name, OCMW, {"scope": scope}, trajectory_id=case, subject=case)
    while world.timers.step():
        pass
    world.deliver()


def case_of(world: World, trajectory: str) -> Trajectory:
    """The state that the ledger keeps."""
    query = "select id, state from trajectories"
    with world.engines["ledger_read"].connect() as connection:
        states = {one: state for one, state in connection.exec_driver_sql(query)}  # noqa: C416
    return loads_trajectory(bytes(states[trajectory]))


def decisions(world: World, trajectory: str) -> dict[str, Task]:
    """The tasks to decide, by addressee."""
    tasks = case_of(world, trajectory).tasks.values()
    return {one.addressee: one for one in tasks if one.what == "decide_objection"}


def given(world: World, participant: str, name: str) -> list[dict[str, Any]]:
    """The data of what somebody is handed of one kind."""
    copies = [one for one in world.fetch(participant) if isinstance(one, Rendered)]
    return [dict(one.event.data) for one in copies if one.row.event_name == name]


def test_each_controller_is_asked_to_decide_within_a_month(world: World) -> None:
    """Whoever takes part, once; it is asked although its deliveries are held."""
    case = referred(world)
    said(world, RECORDED, case)
    asked = decisions(world, case)

    assert asked.keys() == {OCMW, ORGANISER}
    assert {one.due for one in asked.values()} == {"2026-06-28"}
    (task,) = given(world, ORGANISER, "trajectory.task_raised")
    assert (task["what"], task["addressee"]) == ("decide_objection", ORGANISER_URN)
    assert given(world, ORGANISER, "referral.created") == []


def test_an_objection_to_one_organisation_asks_that_one(world: World) -> None:
    """The others have nothing to decide."""
    case = referred(world)
    said(world, RECORDED, case, organisation=ORGANISER_URN)

    assert decisions(world, case).keys() == {ORGANISER}


def test_the_answer_is_recorded_and_changes_no_hold(world: World) -> None:
    """A controller grants it or names compelling grounds; nothing else fits."""
    case = referred(world)
    said(world, RECORDED, case)
    task = decisions(world, case)[ORGANISER]
    answer = {"task_id": task.id, "answer": "done"}
    name = "trajectory.task_answered"
    refused = world.try_send(name, ORGANISER, answer, trajectory_id=case, subject=case)
    answer["answer"] = "objection_overridden"
    world.send(name, ORGANISER, answer, trajectory_id=case, subject=case)
    world.deliver()

    assert refused.error is not None
    assert refused.error.facts["rule"] == "answer_does_not_fit"
    assert decisions(world, case)[ORGANISER].answered == "objection_overridden"
    assert given(world, ORGANISER, "referral.created") == []


def test_whoever_is_silent_is_reminded_twice_and_no_more(world: World) -> None:
    """A week before its day and a day after; the one that answered is not."""
    case = referred(world)
    said(world, RECORDED, case)
    task = decisions(world, case)[ORGANISER]
    answer = {"task_id": task.id, "answer": "objection_granted"}
    world.send("trajectory.task_answered", ORGANISER, answer, trajectory_id=case, subject=case)
    for _ in range(12):
        world.pass_time(7)
    world.deliver()

    told = given(world, OCMW, "trajectory.reminder_due")
    mine = decisions(world, case)[OCMW].id
    whats = [one["what"] for one in told if one.get("concerns") == mine]

    assert whats == ["decision_near", "task_overdue"]
    assert not any(one.get("concerns") == task.id for one in told)


def test_lifting_the_objection_ends_the_question(world: World) -> None:
    """The hub answers what nobody has to decide any more."""
    case = referred(world)
    said(world, RECORDED, case)
    said(world, LIFTED, case)

    assert {one.answered for one in decisions(world, case).values()} == {"done"}
    assert given(world, ORGANISER, "referral.created")


def test_another_objection_is_another_question(world: World) -> None:
    """Whoever has answered the first is asked again."""
    case = referred(world)
    said(world, RECORDED, case)
    said(world, LIFTED, case)
    world.clock.advance(60)
    said(world, RECORDED, case)

    tasks = [one for one in case_of(world, case).tasks.values() if one.addressee == ORGANISER]

    assert [one.answered for one in tasks] == ["done", None]


def test_an_objection_after_the_case_closed_is_decided_on_too(world: World) -> None:
    """The data are still there, and so is the right."""
    case = referred(world)
    referral = world.rows(case)[0].aggregate_id
    end = {"reason": "person_request"}
    world.send("referral.withdrawn", OCMW, end, trajectory_id=case, subject=referral)
    world.send("trajectory.closed", OCMW, end, trajectory_id=case, subject=case)
    said(world, RECORDED, case)

    assert case_of(world, case).state == "closed"
    task = decisions(world, case)[OCMW]
    answer = {"task_id": task.id, "answer": "objection_granted"}
    world.send("trajectory.task_answered", OCMW, answer, trajectory_id=case, subject=case)
    assert decisions(world, case)[OCMW].answered == "objection_granted"


def linked(world: World) -> tuple[str, str]:
    """Two cases of one person, which the OCMW has linked; the CAW began the second."""
    first = referred(world)
    data = {
        **REFERRAL,
        "target_org": OCMW_URN,
        "person": {**REFERRAL["person"], "phone": "+32000999999", "family_name": "Anders"},
    }
    outcome = world.send("referral.created", CAW, data)
    assert outcome.receipt is not None
    second = str(outcome.receipt.trajectory_id)
    world.deliver()
    link = {"other_ref": reference(world, second), "ground": "confirmed_by_person"}
    world.send("subject.linked", OCMW, link, trajectory_id=first, subject=first)
    return first, second


def reference(world: World, trajectory: str) -> str:
    """The person of a case as the OCMW knows it."""
    subject = str(world.rows(trajectory)[0].subject_id)
    return pseudonym(world.keys.pseudonym_key(OCMW), subject)


def held(world: World) -> dict[str, int]:
    """How many holds are in force, by person."""
    query = "select state from subjects"
    with world.engines["ledger_read"].connect() as connection:
        states = [loads_subject(bytes(row)) for (row,) in connection.exec_driver_sql(query)]
    return {one.id: sum(hold.over_at is None for hold in one.holds) for one in states}


def test_a_link_brings_the_objection_along_and_parting_takes_it_back(world: World) -> None:
    """One person is one no, on every case; two persons are two."""
    first, second = linked(world)
    said(world, RECORDED, first)

    assert list(held(world).values()) == [1, 1]
    world.sweeper.step()
    on_second = [one for one in world.inbox(OCMW) if one.trajectory_id == second]
    legs = {one.event_name: one.stopped_leg for one in on_second}
    assert legs["referral.created"] == "objection"

    apart = {"other_ref": reference(world, second), "ground": "entered_in_error"}
    world.send("subject.unlinked", OCMW, apart, trajectory_id=first, subject=first)
    world.sweeper.step()

    assert sorted(held(world).values()) == [0, 1]
    found = [one for one in world.inbox(OCMW) if one.trajectory_id == second]
    assert next(one for one in found if one.event_name == "referral.created").stopped_leg is None
