"""One person has another name at each participant, and nothing delivered joins two of its cases."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.exchange.locating import PERSON_FIELDS
from gateway.exchange.pseudonym import PERSONS, as_seen_by, pseudonym
from gateway.exchange.render import Rendered
from schemas.catalogue import catalogue
from schemas.envelope import to_structured
from tests.gateway.exchange.exchange_world import (
    OCMW,
    OCMW_URN,
    ORGANISER,
    REFERRAL,
    VDAB,
    World,
    exchange,
)
from tests.store_fixtures import stores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consumers.database import Stores

__all__ = ["stores"]

INSZ = "71641212301"
TOKEN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[A-Z2-7]{52}")
TRACE = re.compile(r"\b[0-9a-f]{32}\b")
keys = st.binary(min_size=32, max_size=32)
subjects = st.uuids().map(str)


@settings(deadline=None)
@given(st.lists(keys, min_size=2, max_size=4, unique=True), st.lists(subjects, unique=True))
def test_two_references_are_equal_for_one_participant_and_one_person_only(
    known: list[bytes], people: list[str]
) -> None:
    """Never between two participants, nor between two people; and never the hub's own id."""
    found = [pseudonym(key, one) for key in known for one in people]

    assert len(set(found)) == len(known) * len(people)
    assert not set(found) & set(people)
    assert found == [pseudonym(key, one) for key in known for one in people]


@settings(deadline=None)
@given(keys, keys, subjects, subjects)
def test_everybody_named_in_data_is_named_in_the_recipients_way(
    own: bytes, other: bytes, first: str, second: str
) -> None:
    """Also both sides of a merge; other fields are left as they are."""
    data = {"old_ref": first, "new_ref": second, "ground": "x"}
    seen = as_seen_by(own, "subject.merged", data)

    assert seen == {
        "old_ref": pseudonym(own, first),
        "new_ref": pseudonym(own, second),
        "ground": "x",
    }
    if own != other:
        theirs = as_seen_by(other, "subject.merged", data)
        assert not {seen["old_ref"], seen["new_ref"]} & {theirs["old_ref"], theirs["new_ref"]}


def test_every_field_that_names_a_person_is_known() -> None:
    """A new one that is forgotten would carry the hub's own id out of the hub."""
    for name in catalogue().names:
        event = catalogue().event(name)
        named = {one.path for one in event.fields if one.path.rpartition(".")[2] in PERSON_FIELDS}
        assert named == set(PERSONS.get(name, ())), name
        assert not [one.path for one in event.fields if "subject" in one.path], name


@pytest.fixture
def world(stores: Stores, tmp_path: Path) -> Iterator[World]:
    """A running exchange of the demonstration."""
    with exchange(stores, tmp_path) as made:
        yield made


def traced(number: int) -> str:
    """A trace of its own for each call, as the gateway begins one."""
    return f"00-{number:032x}-b7ad6b7169203331-01"


def begun(world: World, sender: str, number: int, **changes: Any) -> str:
    """A referral; its trajectory."""
    made = world.send("referral.created", sender, REFERRAL | changes, traceparent=traced(number))
    assert made.receipt is not None
    return str(made.receipt.trajectory_id)


def handed(world: World, participant: str, trajectory: str) -> list[dict[str, Any]]:
    """All that a participant is given of one case, as it leaves the feed."""
    copies = [one for one in world.fetch(participant) if isinstance(one, Rendered)]
    mine = [one for one in copies if one.row.trajectory_id == trajectory]
    return [orjson.loads(orjson.dumps(to_structured(one.event))) for one in mine]


def tokens(copies: list[dict[str, Any]]) -> set[str]:
    """Whatever could be a key to join two sets of data by: ids, references, traces."""
    text = orjson.dumps(copies).decode()
    return {*TOKEN.findall(text), *TRACE.findall(text)}


def test_two_participants_cannot_join_two_cases_of_one_person(world: World) -> None:
    """The same person, found by INSZ, in two cases: no id, reference or trace is in both.

    Names and telephones are what each was given; everything that the hub adds tells them nothing.
    """
    first = begun(world, OCMW, 1, insz=INSZ)
    second = begun(world, VDAB, 2, insz=INSZ, target_org=OCMW_URN)
    world.pass_time(0)
    world.deliver()
    subject_ids = {str(world.rows(one)[0].subject_id) for one in (first, second)}
    one, other = handed(world, ORGANISER, first), handed(world, OCMW, second)

    assert first != second
    assert len(subject_ids) == 1
    assert tokens(one) & tokens(handed(world, OCMW, first)), "within a case ids are shared"
    assert one
    assert other
    assert not tokens(one) & tokens(other)
    assert not {copy["subjectref"] for copy in one} & {copy["subjectref"] for copy in other}


def test_a_merge_is_told_to_each_in_its_own_names(world: World) -> None:
    """Two records become one by their number; nobody is told an id that another is told too."""
    first = begun(world, OCMW, 1, insz=INSZ)
    second = begun(world, VDAB, 2, target_org=OCMW_URN)
    details = {"insz": INSZ}
    world.send(
        "subject.details_changed", VDAB, details, trajectory_id=second, subject=second,
        traceparent=traced(3),
    )  # fmt: skip
    world.pass_time(0)
    world.deliver()
    ids = {str(row.subject_id) for one in (first, second) for row in world.rows(one)}
    one, other = handed(world, ORGANISER, first), handed(world, OCMW, second)
    merged = [[copy["data"] for copy in some if "merged" in copy["type"]] for some in (one, other)]

    assert len(ids) == 2
    assert all(merged)
    assert not tokens(one) & tokens(other)
    for participant, some in ((ORGANISER, merged[0]), (OCMW, merged[1])):
        own = {pseudonym(world.keys.pseudonym_key(participant), one) for one in ids}
        assert {some[0]["old_ref"], some[0]["new_ref"]} == own


def test_the_hubs_own_id_of_a_person_leaves_nowhere(world: World) -> None:
    """Not in copies, not in journeys of sender, recipient or overseer, not in a refusal."""
    first = begun(world, OCMW, 1, insz=INSZ)
    begun(world, VDAB, 2, insz=INSZ, target_org=OCMW_URN)
    world.pass_time(0)
    world.deliver()
    subject = str(world.rows(first)[0].subject_id)
    refused = world.try_send(
        "subject.linked", OCMW, {"other_ref": subject, "ground": "confirmed_by_person"},
        trajectory_id=first, subject=first,
    )  # fmt: skip
    documents = [world.journeys_of(first, viewer) for viewer in (OCMW, ORGANISER, VDAB)]
    copies = [handed(world, one, first) for one in (OCMW, ORGANISER)]
    error = refused.error

    assert error is not None
    told = (documents, copies, error.detail.nl, error.detail.en, str(error.facts))
    assert subject not in repr(told)
