"""The people of a world: nobody exists, and nobody could (`domain.md` §6).

National numbers have a month from 61 to 72, telephone numbers start with +32 000, addresses are at
example.org, and names are put together from two short lists that know nothing of each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connectors.world.dice import Dice
    from connectors.world.places import Place

GIVEN_NAMES = (
    "Amina", "Bart", "Chidi", "Daria", "Emre", "Fatima", "Giulia", "Hilde", "Ibrahim", "Jolien",
    "Karim", "Lotte", "Mehmet", "Nadia", "Oleksandr", "Petra", "Quinten", "Rosa", "Samira",
    "Thomas", "Uzma", "Viktor", "Wiktoria", "Xander", "Yusuf", "Zofia",
)  # fmt: skip
FAMILY_NAMES = (
    "Testaert", "Proefman", "Voorbeelds", "Verzonnen", "Testkanarie", "Fictief", "Oefenmans",
    "Testyildiz", "Proefkowska", "Testenko", "Voorbeeldi", "Testoglu", "Probeerders", "Testova",
    "Denkbeeld", "Proefdiallo", "Testhuysen", "Schijnbaar", "Modelaar", "Testers",
)  # fmt: skip
LANGUAGES = {"nl": 55, "fr": 8, "ar": 9, "tr": 8, "uk": 6, "en": 5, "pl": 4, "ro": 3, "so": 2}
SEQUENCES, LAPS = 997, 61
FIRST_BIRTH, LAST_BIRTH = date(1960, 1, 1), date(2006, 12, 31)


@dataclass(frozen=True, slots=True)
class Person:
    """An invented person.

    Attributes:
        insz: a test number; no citizen can have it.
        place: where the person lives.
    """

    given_name: str
    family_name: str
    birth_date: date
    insz: str
    phone: str
    email: str
    language: str
    postcode: str
    place: Place

    def details(self) -> dict[str, Any]:
        """The `person` of a referral."""
        return {
            "given_name": self.given_name,
            "family_name": self.family_name,
            "birth_date": self.birth_date.isoformat(),
            "postcode": self.postcode,
            "nis": self.place.nis,
            "phone": self.phone,
            "email": self.email,
            "language": self.language,
            "contact_preference": "phone",
        }


def invent(dice: Dice, number: int, place: Place, born: date | None = None) -> Person:
    """A person; `number` is its own in this world and keeps telephone numbers apart."""
    given, family = dice.one_of(GIVEN_NAMES), dice.one_of(FAMILY_NAMES)
    if born is None:
        born = _birth_date(dice, number)
    return Person(
        given_name=given,
        family_name=family,
        birth_date=born,
        insz=invented_number(born, number % SEQUENCES + 1),
        phone=f"+32000{number:06d}",
        email=f"{given}.{family}.{number}@example.org".lower(),
        language=dice.weighted(LANGUAGES),
        postcode=dice.one_of(place.postcodes),
        place=place,
    )


def _birth_date(dice: Dice, number: int) -> date:
    """A day that nobody shares who has the same sequence number: no two have one INSZ."""
    lap = number // SEQUENCES % LAPS
    days = (LAST_BIRTH - FIRST_BIRTH).days // LAPS - 1
    return FIRST_BIRTH + timedelta(days=dice.between(0, days) * LAPS + lap)


def invented_number(born: date, sequence: int) -> str:
    """The national number of a test person: month + 60, with its check digits."""
    digits = f"{born:%y}{born.month + 60}{born:%d}{sequence:03d}"
    century = "2" if born.year >= 2000 else ""  # noqa: PLR2004 - the year numbers changed
    return f"{digits}{97 - int(century + digits) % 97:02d}"
