"""Nobody in a world exists, and nobody could."""

from __future__ import annotations

from datetime import date

import pytest

from connectors.world.dice import Dice, identifier
from connectors.world.organisations import ORGANISATIONS
from connectors.world.people import Person, invent, invented_number
from connectors.world.places import TIENEN, place
from schemas.errors import InvalidIdentifier
from schemas.identifiers import insz, is_uuid, kbo, looks_like_insz, organisation_urn


def _people(count: int = 3000) -> list[Person]:
    home = place(TIENEN)
    return [invent(Dice(3, "somebody", number), number, home) for number in range(count)]


def test_every_number_is_a_test_number() -> None:
    """A test installation takes each national number, and production refuses it."""
    for person in _people(300):
        assert insz(person.insz, "test") == person.insz
        with pytest.raises(InvalidIdentifier):
            insz(person.insz, "production")


def test_the_published_examples_come_out() -> None:
    """The numbers that the domain computed by hand are the ones that are made here."""
    assert invented_number(date(1971, 4, 12), 123) == "71641212301"
    assert invented_number(date(2004, 2, 29), 17)[:6] == "046229"
    assert insz(invented_number(date(2004, 2, 29), 17), "test")


def test_nobody_shares_a_number() -> None:
    """Two people of a world never have one national number, telephone number or address."""
    people = _people()

    for known in ("insz", "phone", "email"):
        assert len({getattr(one, known) for one in people}) == len(people)


def test_nobody_can_be_reached() -> None:
    """Telephone numbers and addresses are those that were set aside for examples."""
    for person in _people(300):
        assert person.phone.startswith("+32000")
        assert person.email.endswith("@example.org")


def test_organisations_have_sound_numbers() -> None:
    """Each enterprise number passes its check, and only VDAB's is outside the block of examples."""
    outside = set()
    for one in ORGANISATIONS:
        assert organisation_urn(one.urn) == one.urn
        if one.kbo is not None and not kbo(one.kbo).startswith("1999"):
            outside.add(one.id)

    assert outside == {"vdab"}


def test_no_id_looks_like_a_national_number() -> None:
    """Ids are UUIDs of the seed, and none holds digits that the hub would take for a person's."""
    made = [identifier(5, "thing", number) for number in range(20_000)]

    assert all(is_uuid(one) and not looks_like_insz(one) for one in made)
    assert len(set(made)) == len(made)
