"""By what two records may be about one person, and how little a digest says."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.exchange.likeness import is_candidate, traits
from gateway.exchange.locating import Locator
from tests.gateway.exchange.ledger_world import submission

PERSON = {
    "given_name": "Amina",
    "family_name": "El Idrissi",
    "birth_date": "1985-07-30",
    "postcode": "3300",
    "phone": "+32000123456",
    "email": "amina@example.org",
}
KEY = b"k" * 32


def found(**person: str | None) -> dict[str, tuple[str, ...]]:
    """The traits of the person, written in another way."""
    given = {key: value for key, value in {**PERSON, **person}.items() if value is not None}
    return dict(traits({"person": given}))


@pytest.mark.parametrize(
    ("kind", "person"),
    [
        ("phone", {"phone": "0032 000 12 34 56"}),
        ("email", {"email": " Amina@Example.org"}),
        ("birth", {"family_name": "EL-IDRISSI", "given_name": "Aminata"}),
        ("place", {"family_name": "Elidrïssi", "given_name": "AMINA"}),
    ],
)
def test_a_trait_survives_how_people_write(kind: str, person: dict[str, str]) -> None:
    """Signs, accents, case, and all of a given name but its first letter do not matter."""
    assert found(**person)[kind] == found()[kind]


@pytest.mark.parametrize(
    ("kind", "person"),
    [
        ("phone", {"phone": "+32000123457"}),
        ("email", {"email": "amina2@example.org"}),
        ("birth", {"birth_date": "1985-07-31"}),
        ("birth", {"given_name": "Omar"}),
        ("place", {"given_name": "Aminata"}),
        ("place", {"postcode": "3310"}),
    ],
)
def test_a_trait_tells_people_apart(kind: str, person: dict[str, str]) -> None:
    """Another number, date, name or place is another trait."""
    assert found(**person)[kind] != found()[kind]


def test_a_trait_needs_all_that_it_is_made_of() -> None:
    """Nothing is guessed of what was not given; nobody at all has none."""
    assert set(found(birth_date=None, phone=None)) == {"email", "place"}
    assert set(found(given_name=None)) == {"phone", "email"}
    assert dict(traits({})) == {}


def test_answers_to_a_question_are_looked_at_too() -> None:
    """What a referrer adds later is as good as what it sent first."""
    assert dict(traits({"values": {"person": PERSON}})) == found()


@pytest.mark.parametrize(
    ("kinds", "wanted"),
    [
        (["phone"], True),
        (["email"], True),
        (["birth"], True),
        (["place"], False),
        (["place", "phone"], True),
        ([], False),
    ],
)
def test_what_makes_a_candidate(kinds: list[str], wanted: bool) -> None:  # noqa: FBT001 - a column of the table
    """A number, an address or a birth date does; a name in a place needs a second hit."""
    assert is_candidate(kinds) is wanted


def like(of: str = "partner-a", *, matching: bool = True, **given: Any) -> dict[str, str]:
    """The digests of a referral, by kind."""
    data = given or {"programme": "wijk_werken", "person": PERSON}
    sent = submission(of=of, data=data)
    return dict(Locator(KEY, matching=matching).handles(sent).likeness)


def test_digests_meet_across_partners_and_say_nothing() -> None:
    """They belong to nobody and are keyed, so that no name or number can be seen in them."""
    assert like("partner-a") == like("partner-b")
    assert len(like()) == 4
    said = " ".join(like().values())
    assert not any(value in said for value in ("Idrissi", "123456", "example", "3300"))


def test_without_a_controller_nothing_is_compared() -> None:
    """The switch is off in production until somebody answers for matching."""
    assert like(matching=False) == {}
