"""Journeys H, M and T: one person in several cases is recognised, and nobody learns too much."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from sqlalchemy import text

from gateway.exchange.decide import decide
from gateway.exchange.decision import Errand
from gateway.exchange.ledger import Ledger, PublishRequest
from gateway.exchange.render import Rendered
from gateway.exchange.state_rows import loads_subject, loads_trajectory
from tests.gateway.exchange.exchange_world import (
    CANARY,
    NIS,
    OCMW,
    ORGANISER,
    REFERRAL,
    VDAB,
    VDAB_URN,
    World,
    demo_registry,
    exchange,
    submitted,
    without_agreement,
)
from tests.store_fixtures import opened, stores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consumers.database import Stores
    from gateway.exchange.publication import ItemOutcome
    from gateway.exchange.state import Trajectory
    from gateway.exchange.subject_state import Subject

__all__ = ["stores"]

CAW = "caw-hageland"
INSZ, OTHER_INSZ = "71641212301", "63710300477"
STATE_OF_CASE = text("select state from trajectories where id = :id")
STATE_OF_PERSON = text("select state from subjects where id = :id")
INFORMED = {**REFERRAL["informed"], "by_role": "local_partner"}


@pytest.fixture
def world(stores: Stores, tmp_path: Path) -> Iterator[World]:
    """A running exchange of the demonstration."""
    with exchange(stores, tmp_path) as made:
        yield made


def referral(phone: str = "+32000123456", **changes: Any) -> dict[str, Any]:
    """A referral to the organiser of somebody with this telephone."""
    person = {**REFERRAL["person"], "phone": phone, **changes.pop("person", {})}
    return {**REFERRAL, "person": person, **changes}


def homeless(phone: str = "+32000123456") -> dict[str, Any]:
    """What a CAW knows of somebody without address: no postcode, no number."""
    person = {"given_name": "Mina", "family_name": CANARY, "phone": phone}
    kept = {key: REFERRAL[key] for key in ("programme", "reason_codes", "contact_person")}
    return {**kept, "person": person, "informed": INFORMED}


def refer(world: World, participant: str, data: dict[str, Any], **given: Any) -> str:
    """Refer, and do what the hub has to do by itself; the trajectory."""
    outcome = world.send("referral.created", participant, data, **given)
    settle(world)
    return trajectory_of(outcome)


def trajectory_of(outcome: ItemOutcome) -> str:
    """The trajectory that an accepted event is on."""
    assert outcome.receipt is not None
    return str(outcome.receipt.trajectory_id)


def settle(world: World) -> None:
    """Let the hub's errands be done, and deliver."""
    world.pass_time(0)
    world.deliver()


def case(world: World, trajectory_id: str) -> Trajectory:
    """The state of a case."""
    with world.engines["ledger_read"].connect() as connection:
        rows = connection.execute(STATE_OF_CASE, {"id": trajectory_id})
        return loads_trajectory(rows.scalar_one())


def subject(world: World, trajectory_id: str) -> Subject:
    """The state of a case's person."""
    with world.engines["ledger_read"].connect() as connection:
        rows = connection.execute(STATE_OF_PERSON, {"id": case(world, trajectory_id).subject_id})
        return loads_subject(rows.scalar_one())


def copies(world: World, participant: str, name: str) -> list[dict[str, Any]]:
    """The data of all copies of one event type in an inbox, as they are handed over."""
    handed = [one for one in world.fetch(participant) if isinstance(one, Rendered)]
    return [one.event.data for one in handed if one.row.event_name == name]


def reference(world: World, participant: str, trajectory_id: str) -> str:
    """How a participant knows the person of a case."""
    handed = [one for one in world.fetch(participant) if isinstance(one, Rendered)]
    return next(
        str(one.event.subjectref) for one in handed if one.row.trajectory_id == trajectory_id
    )


def questions(world: World, trajectory_id: str) -> list[tuple[str, str, str | None]]:
    """What is asked on a case, of whom, and what was answered."""
    tasks = case(world, trajectory_id).tasks.values()
    return [(one.what, one.addressee, one.answered) for one in tasks]


SAME, TWO = "possible_same_person", "same_person_two_trajectories"


def test_both_case_holders_are_asked_and_told_whom_to_call(world: World) -> None:
    """OCMW and VDAB refer somebody with one telephone: each is told of the other, no more."""
    first, second = refer(world, OCMW, referral()), refer(world, VDAB, referral())

    assert questions(world, first) == [(SAME, OCMW, None)]
    assert questions(world, second) == [(SAME, VDAB, None)]
    (told,) = copies(world, OCMW, "trajectory.task_raised")
    assert told["other_org"] == VDAB_URN
    assert told["desk"]["phone"] == "+32000160003"
    assert set(told) == {"task_id", "what", "addressee", "due", "other_ref", "other_org", "desk"}
    assert "trajectory.task_raised" not in world.names(ORGANISER)


def test_a_link_joins_people_and_not_members(world: World) -> None:
    """Journey M: linked by the reference of the task, each still sees its own case alone."""
    first, second = refer(world, OCMW, referral()), refer(world, VDAB, referral())
    (told,) = copies(world, VDAB, "trajectory.task_raised")
    before = world.names(OCMW), set(case(world, first).members)

    link = {"other_ref": told["other_ref"], "ground": "confirmed_by_person"}
    world.send("subject.linked", VDAB, link, trajectory_id=second)
    settle(world)

    assert subject(world, first).links == (subject(world, second).id,)
    assert subject(world, second).links == (subject(world, first).id,)
    assert questions(world, second) == [(SAME, VDAB, "linked")]
    assert questions(world, first) == [(SAME, OCMW, "linked")]
    assert set(case(world, first).members) == before[1]
    assert world.names(OCMW) == [*before[0], "trajectory.task_answered"]
    assert {row.trajectory_id for row in world.rows(first)} == {first}


def test_a_wrong_link_is_undone_and_not_proposed_again(world: World) -> None:
    """Both persons are as before, but for the answer, which is remembered."""
    first, second = refer(world, OCMW, referral()), refer(world, VDAB, referral())
    before = subject(world, first), subject(world, second)
    (told,) = copies(world, VDAB, "trajectory.task_raised")
    link = {"other_ref": told["other_ref"], "ground": "confirmed_by_person"}
    world.send("subject.linked", VDAB, link, trajectory_id=second)
    undo = {**link, "ground": "entered_in_error"}
    world.send("subject.unlinked", VDAB, undo, trajectory_id=second)
    settle(world)

    after = subject(world, first), subject(world, second)
    assert tuple(msgspec.structs.replace(one, not_same=()) for one in after) == before
    assert [one.not_same for one in after] == [(after[1].id,), (after[0].id,)]
    changed = {"person": {"phone": "+32000123456"}}
    world.send("subject.details_changed", VDAB, changed, trajectory_id=second)
    settle(world)
    assert len(questions(world, first)) == len(questions(world, second)) == 1


def test_not_the_same_is_remembered_on_both_sides(world: World) -> None:
    """One holder answers; the other need not, and nobody asks again."""
    first, second = refer(world, OCMW, referral()), refer(world, VDAB, referral())
    (told,) = copies(world, OCMW, "trajectory.task_raised")
    answer = {"task_id": told["task_id"], "answer": "not_same"}
    world.send("trajectory.task_answered", OCMW, answer, trajectory_id=first)
    settle(world)

    assert questions(world, second) == [(SAME, VDAB, "not_same")]
    world.send("referral.created", VDAB, referral(), trajectory_id=second)
    settle(world)
    assert len(questions(world, first)) == len(questions(world, second)) == 1


def test_the_other_side_is_told_without_an_agreement_between_the_two(world: World) -> None:
    """What is asked of somebody is its own: VDAB answers, and the OCMW hears that it is settled."""
    known = without_agreement(world.registry, "demo-ocmw-vdab-2026")
    world.registry = known
    first, second = refer(world, OCMW, referral()), refer(world, VDAB, referral())
    (told,) = copies(world, VDAB, "trajectory.task_raised")
    answer = {"task_id": told["task_id"], "answer": "not_same"}
    world.send("trajectory.task_answered", VDAB, answer, trajectory_id=second)
    settle(world)

    assert questions(world, first) == [(SAME, OCMW, "not_same")]
    assert copies(world, OCMW, "trajectory.task_answered")[0]["answer"] == "not_same"


def test_that_two_are_one_is_said_by_linking_them(world: World) -> None:
    """A task cannot simply be called linked or done; the refusal says what to send."""
    first = refer(world, OCMW, referral())
    refer(world, VDAB, referral())
    (told,) = copies(world, OCMW, "trajectory.task_raised")

    for answer in ("linked", "done"):
        data = {"task_id": told["task_id"], "answer": answer}
        outcome = world.try_send("trajectory.task_answered", OCMW, data, trajectory_id=first)
        assert outcome.error is not None
        assert outcome.error.facts["rule"] == "answer_does_not_fit"
        assert "subject.linked" in outcome.error.detail.en


@pytest.mark.parametrize("said", ["NOBODY", "of-somebody-else"])
def test_a_reference_of_nobody_and_of_anothers_person_are_one_refusal(
    world: World, said: str
) -> None:
    """A pseudonym is the participant's own: what another one calls a person means nothing."""
    first = refer(world, OCMW, referral())
    refer(world, VDAB, referral("+32000999999"))
    if said != "NOBODY":
        said = reference(world, ORGANISER, first)
    link = {"other_ref": said, "ground": "confirmed_by_person"}
    outcome = world.try_send("subject.linked", OCMW, link, trajectory_id=first)

    assert outcome.error is not None
    assert outcome.error.facts["rule"] == "unknown_reference"
    assert outcome.error.invalid[0].name == "other_ref"


def test_a_partner_never_learns_of_a_candidate(world: World) -> None:
    """Receipt, warnings, what follows, feed and refusals: the same with and without one."""
    seen = []
    for phone in ("+32000111111", "+32000222222"):
        if phone == "+32000222222":
            refer(world, OCMW, referral(phone))
        outcome = world.send("referral.created", CAW, homeless(phone), territory_nis=NIS)
        settle(world)
        here = trajectory_of(outcome)
        wrong = world.try_send("referral.closed", CAW, {"result": "placed"}, trajectory_id=here)
        assert outcome.receipt is not None
        assert wrong.error is not None
        inbox = [one for one in world.inbox(CAW) if one.trajectory_id == here]
        seen.append(
            (
                outcome.receipt.aggregate_version,
                outcome.receipt.agreement,
                outcome.warnings,
                [one.event.name for one in outcome.follow],
                [one.event_name for one in inbox],
                wrong.error.code,
                wrong.error.facts,
                case(world, here).last_event_at - world.clock.now_us(),
            )
        )
        last = here

    assert seen[0] == seen[1]
    assert questions(world, last) == [(SAME, OCMW, None)]


def test_a_number_that_many_share_recognises_nobody(world: World) -> None:
    """A shelter's telephone: after five people it tells nothing any more."""
    asked = []
    for number in range(8):
        name = {"given_name": f"Test{chr(97 + number)}", "family_name": f"T{number}"}
        here = refer(world, OCMW, referral("+32000777777", person=name))
        asked.append(len(questions(world, here)))

    assert asked == [0, 1, 2, 3, 4, 5, 0, 0]


def test_the_same_number_is_one_person_in_two_cases(world: World) -> None:
    """Journey T: VDAB and OCMW refer in one week; equal INSZ, two cases, a task for each holder."""
    first = refer(world, OCMW, referral(insz=INSZ))
    world.pass_time(3)
    second = refer(world, VDAB, referral("+32000444444", insz=INSZ))

    assert first != second
    assert case(world, first).subject_id == case(world, second).subject_id
    assert subject(world, first).recognised_by == "insz"
    assert questions(world, first) == [(TWO, OCMW, None)]
    assert questions(world, second) == [(TWO, VDAB, None)]
    assert VDAB not in case(world, first).members
    again = refer(world, VDAB, referral("+32000555555", insz=INSZ))
    assert again == second, "the same trajectory, where the sender is a member"


def test_two_numbers_are_two_persons_of_one_name_and_telephone(world: World) -> None:
    """Father and son, referred by one OCMW: two cases, each number its own, and a question."""
    father = refer(world, OCMW, referral(insz=INSZ, person={"birth_date": "1971-04-12"}))
    son = refer(world, OCMW, referral(insz=OTHER_INSZ, person={"birth_date": "1999-01-02"}))

    assert father != son
    assert case(world, father).subject_id != case(world, son).subject_id
    assert questions(world, son) == [(SAME, OCMW, None)]
    elsewhere = refer(world, VDAB, referral("+32000999999", insz=OTHER_INSZ))
    assert case(world, elsewhere).subject_id == case(world, son).subject_id


def test_a_merge_settles_the_question_whether_two_are_one(world: World) -> None:
    """Asked because of a telephone, then known by the number: nobody has to answer any more."""
    first = refer(world, OCMW, referral(insz=INSZ))
    second = refer(world, VDAB, referral(insz=OTHER_INSZ))
    assert questions(world, second) == [(SAME, VDAB, None)]

    world.send("subject.details_changed", OCMW, {"insz": OTHER_INSZ}, trajectory_id=first)
    settle(world)

    assert case(world, first).subject_id == case(world, second).subject_id
    assert questions(world, first) == [(SAME, OCMW, "linked")]
    assert questions(world, second) == [(SAME, VDAB, "linked")]


def test_a_case_is_joined_into_the_other_when_nothing_in_it_is_open(world: World) -> None:
    """Refused while a referral is open; then the members stay apart and the tasks are done."""
    first = refer(world, OCMW, referral(insz=INSZ))
    sent = world.send("referral.created", VDAB, referral(insz=INSZ))
    settle(world)
    second = trajectory_of(sent)
    join = {"into": first}

    open_still = world.try_send("trajectory.joined", VDAB, join, trajectory_id=second)
    assert open_still.error is not None
    assert open_still.error.facts["rule"] == "still_open"
    withdrawn = {"reason": "entered_elsewhere"}
    world.send("referral.withdrawn", VDAB, withdrawn, trajectory_id=second)
    stranger = refer(world, OCMW, referral("+32000888888"))
    other = world.try_send("trajectory.joined", VDAB, {"into": stranger}, trajectory_id=second)
    assert other.error is not None
    assert other.error.facts["rule"] == "not_the_same_person"

    world.send("trajectory.joined", VDAB, join, trajectory_id=second)
    settle(world)
    assert case(world, second).state == "joined"
    assert VDAB not in case(world, first).members
    assert {answer for *_, answer in questions(world, second)} == {"done"}
    assert {answer for *_, answer in questions(world, first)} == {"done"}


def test_a_replaced_number_merges_two_persons(world: World) -> None:
    """Journey H: the older subject stands for both, both numbers lead to it, all can be read."""
    first = refer(world, OCMW, referral(insz=INSZ))
    world.pass_time(1)
    second = refer(world, VDAB, referral("+32000444444", insz=OTHER_INSZ))
    old_ref = reference(world, VDAB, second)
    new_ids = subject(world, first).id, subject(world, second).id
    assert new_ids[0] != new_ids[1]

    world.send("subject.details_changed", OCMW, {"insz": OTHER_INSZ}, trajectory_id=first)
    settle(world)

    assert case(world, first).subject_id == case(world, second).subject_id == new_ids[0]
    assert subject(world, first).merged == (new_ids[1],)
    assert [row.event_name for row in world.rows(second)][-1] == "subject.merged"
    (told,) = copies(world, VDAB, "subject.merged")
    assert told["old_ref"] == old_ref
    assert told["new_ref"] not in (old_ref, *new_ids)
    assert all(isinstance(one, Rendered) for one in world.fetch(VDAB)), "earlier ones still open"
    for number in (INSZ, OTHER_INSZ):
        again = refer(world, VDAB, referral("+32000555555", insz=number))
        assert again == second
    later = world.send("referral.created", VDAB, referral(), trajectory_id=second)
    assert trajectory_of(later) == second


def test_changed_details_reach_the_cases_of_their_sender(world: World) -> None:
    """VDAB takes part in both cases of the person; the errand for the other one names no value."""
    first = refer(world, OCMW, referral(insz=INSZ))
    view = {"participant": VDAB, "ground": "case_conference"}
    world.send("trajectory.viewing_right_granted", OCMW, view, trajectory_id=first)
    second = refer(world, VDAB, referral(), trajectory_id=None)
    number = {"insz": INSZ}
    world.send("subject.details_changed", VDAB, number, trajectory_id=second)
    settle(world)
    assert case(world, first).subject_id == case(world, second).subject_id

    new = {"person": {"phone": "+32000666666"}}
    world.send("subject.details_changed", VDAB, new, trajectory_id=second)
    assert all("666666" not in repr(one) for one in errands(world))
    settle(world)
    assert [row.event_name for row in world.rows(first)].count("subject.details_changed") >= 1
    assert new in copies(world, OCMW, "subject.details_changed")

    told = len(world.rows(second))
    own = {"person": {"phone": "+32000666667"}}
    world.send("subject.details_changed", OCMW, own, trajectory_id=first)
    settle(world)
    assert len(world.rows(second)) == told, "OCMW takes no part in it"


def errands(world: World) -> list[Errand]:
    """What waits to be sent."""
    with world.engines["ledger_read"].connect() as connection:
        rows = connection.exec_driver_sql("select errand from errands").scalars()
        return [msgspec.json.decode(row, type=Errand) for row in rows]


PEOPLE = 30


def test_two_gateways_that_bring_one_half_each_do_not_miss_it(world: World, stores: Stores) -> None:
    """Both record the same people at once: whoever is second sees the first, every time."""
    answered = threading.Semaphore(0)
    with ExitStack() as stack:
        engine = stack.enter_context(opened(stores.ledger))
        other = Ledger(
            engine,
            keys=world.keys,
            decide=decide,
            registry=demo_registry,
            clock=world.clock,
            environment="test",
            complete=lambda pairs: answered.release(len(pairs)),
            wake=lambda: None,
        )
        other.start()
        stack.callback(other.stop)
        tickets = []
        for number in range(PEOPLE):
            data = referral(f"+3200050{number:04d}", person={"family_name": f"T{number}"})
            for participant, ledger in ((OCMW, world.ledger), (VDAB, other)):
                tickets.append(ticket := object())
                ledger.submit(
                    PublishRequest((submitted("referral.created", participant, data),)), ticket
                )
        for _ in range(PEOPLE):
            assert answered.acquire(timeout=60)
        outcomes = [world.answer(one) for one in tickets[::2]]
    assert {one.status for one in outcomes} == {"accepted"}

    asked = [one for one in errands(world) if one.data.get("what") == SAME]
    assert len(asked) == 2 * PEOPLE
