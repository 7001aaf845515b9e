"""Contacts of staff go into a part of their own and come back where they were."""

import copy
from typing import Any

import pytest

from schemas.catalogue import STAFF, catalogue
from schemas.staff import merge_staff, split_staff

PLANNED = catalogue().event("placement.planned")
DATA: dict[str, Any] = {
    "programme": "wijk_werken",
    "assignments": [
        {"assignment_id": "a", "mentor": {"name": "Canary One"}},
        {"assignment_id": "b"},
        {"assignment_id": "c", "mentor": {"name": "Canary Two"}},
    ],
    "coach": {"name": "Canary Three"},
}


def test_contacts_are_taken_out_by_their_path() -> None:
    """What is left holds nobody of staff."""
    main, staff = split_staff(PLANNED, DATA)
    assert staff == {
        "assignments[0].mentor": {"name": "Canary One"},
        "assignments[2].mentor": {"name": "Canary Two"},
        "coach": {"name": "Canary Three"},
    }
    assert "Canary" not in str(main)
    assert main["assignments"][1] == {"assignment_id": "b"}


def test_neither_way_changes_what_was_given() -> None:
    """Data is shared between recipients, so that nobody may write into it."""
    before = copy.deepcopy(DATA)
    main, staff = split_staff(PLANNED, DATA)
    assert before == DATA
    left = copy.deepcopy(main)
    assert merge_staff(main, staff) == DATA
    assert main == left


def test_data_without_contacts_has_no_staff_part() -> None:
    """Nothing is sealed where nothing is."""
    assert split_staff(PLANNED, {"programme": "wijk_werken"}) == (
        {"programme": "wijk_werken"},
        None,
    )
    assert merge_staff({"programme": "wijk_werken"}, None) == {"programme": "wijk_werken"}


def test_contacts_inside_records_are_found() -> None:
    """An added assignment and the answer to a question hold contacts deeper down."""
    added = {"assignment": {"from": "2026-04-01", "mentor": {"name": "Canary"}}}
    main, staff = split_staff(catalogue().event("placement.assignment_added"), added)
    assert main == {"assignment": {"from": "2026-04-01"}}
    assert staff == {"assignment.mentor": {"name": "Canary"}}
    assert merge_staff(main, staff) == added
    provided = {"values": {"contact_person": {"name": "Canary"}}}
    main, staff = split_staff(catalogue().event("referral.information_provided"), provided)
    assert main == {"values": {}}
    assert merge_staff(main, staff) == provided


@pytest.mark.parametrize("event", catalogue().all(), ids=lambda event: event.name)
def test_staff_contacts_are_whole_records(event: Any) -> None:
    """A record is either all contact or none of it, so that the split can move it as one."""
    parents: dict[str, set[bool]] = {}
    for field in event.fields:
        parent, _, _ = field.path.rpartition(".")
        parents.setdefault(parent, set()).add(field.fieldset == STAFF)
    assert all(len(kinds) == 1 for kinds in parents.values())
    assert True not in parents.get("", set())
