"""Free text: numbers that identify and words about health are found, and ordinary words are not."""

from datetime import date
from typing import Any

import pytest

from schemas import avsc
from schemas.catalogue import catalogue
from schemas.errors import InvalidData
from schemas.free_text import KINDS, NOTE, holds_number, word_list, word_lists
from schemas.validation import parse

HUB_RECORDS = {
    *("EventHeader", "RoutingHeader", "SealedPart", "SealedMain", "SealedStaff"),
    "ActivationFact",
}
"""Written by the hub, or checked as attributes."""

LEAVES = [(event.name, field) for event in catalogue().all() for field in event.fields]


@pytest.mark.parametrize(
    "text",
    [
        "nummer 71641212301",
        "nummer 71.64.12-123.01",
        "71 64 12 123 01",
        "71/64/12-123-01",
        "rekening BE68539007547034",
        "rekening BE68 5390 0754 7034, graag voor maandag",
        "be68-5390-0754-7034",
        "BE68.5390.0754.7034",
        "NL91 ABNA 0417 1643 00",
    ],
)
def test_numbers_that_identify_are_found(text: str) -> None:
    """However they are spaced, punctuated or followed by words."""
    assert holds_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "BE68 5390 0754 7035",
        "AB12 CDEF 1234 5678 9012",
        "dossier 2026-000123-45",
        "0195a8f0-0000-7000-8000-000000000004",
        "bel na 16 uur op +32 000 12 34 56",
        "BE68",
        "",
    ],
)
def test_other_numbers_are_left_alone(text: str) -> None:
    """Check digits decide, so that a case number or a phone number passes."""
    assert not holds_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "heeft een depressie gehad",
        "DEPRESSIE!",
        "is Depressief,",
        "burn-out",
        "werd suicidaal",
        "Suïcidaal",
        "lijdt aan multiple  sclerose",
        "(epilepsie)",
        "volgt een ontwenningskuur.",
        "woont in een depressief dorp en kreeg zelf een depressie",
    ],
)
def test_health_is_found(text: str) -> None:
    """Whole words, whatever their case, accents and signs around them."""
    assert word_list().mentions_health(text)


@pytest.mark.parametrize(
    "text",
    [
        "woont in een depressief dorp",
        "de Kankerstraat 5",
        "wil helpen bij Kom op tegen Kanker",
        "werkte met mensen met dementie",
        "mag niet zwaar tillen, zit liever",
        "is gemotiveerd en stipt; de bus van 8 uur",
        "verslag van de intake volgt",
        "tuin, keuken, diagnostiek van fietsen",
        "chemokar",
    ],
)
def test_ordinary_words_are_left_alone(text: str) -> None:
    """A false alarm is worked around, so that the list is conservative."""
    assert not word_list().mentions_health(text)


def test_word_lists_follow_each_other() -> None:
    """Each text is read with the list of its day; a day before the first has the first."""
    lists = word_lists()

    assert [one.version for one in lists] == list(range(1, len(lists) + 1))
    assert sorted(one.valid_from for one in lists) == [one.valid_from for one in lists]
    assert word_list(lists[0].valid_from) is lists[0]
    assert word_list(date(1900, 1, 1)) is lists[0]
    assert word_list() is lists[-1]


def test_every_text_of_ones_own_is_classified() -> None:
    """A text without a format or code list of its own says what kind of text it is."""
    types = [one for name, one in avsc.named_types().items() if name not in HUB_RECORDS]
    for schema in [*avsc.event_records().values(), *types]:
        for field in schema.get("fields", ()):
            own = avsc.branch(field) == "string" and "codelist" not in field
            open_text = own and field.get("format", "text") == "text" and "sensitivity" in field
            assert (field.get("text_kind") in KINDS) is open_text, (schema["name"], field["name"])


def test_words_about_a_person_are_notes() -> None:
    """Long text in a person's event is a note, but for what an authority must print."""
    long = {
        field.path.rpartition(".")[2]
        for name, field in LEAVES
        if field.format == "text" and field.text_kind != NOTE and catalogue().event(name).personal
    }
    assert long == {"appeal_info"}


NOTES = [(name, field.path) for name, field in LEAVES if field.text_kind == NOTE]


def nested(path: str, value: Any) -> dict[str, Any]:
    """Data with one value at a path; lists get one item."""
    head, _, rest = path.partition(".")
    inner = nested(rest, value) if rest else value
    return {head.removesuffix("[]"): [inner] if head.endswith("[]") else inner}


@pytest.mark.parametrize(("name", "path"), NOTES)
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("kanariewoord depressie", "health_information"),
        ("kanariewoord 71.64.12-123.01", "identification_number"),
        ("kanariewoord BE68 5390 0754 7034", "identification_number"),
    ],
)
def test_every_note_is_read(name: str, path: str, text: str, code: str) -> None:
    """The field is named with a hint, and not a word of the text is repeated."""
    with pytest.raises(InvalidData) as caught:
        parse(catalogue().event(name), nested(path, text), environment="test")
    found = {one.name: one for one in caught.value.invalid}
    one = found[path.replace("[]", "[0]")]

    assert one.code == code
    said = repr(caught.value.invalid) + repr(caught.value.detail) + repr(caught.value.facts)
    assert "kanariewoord" not in said
    assert "depressie" not in said


def test_offers_speak_about_places() -> None:
    """A care home may say whom it cares for, and may not print an account number."""
    offer = catalogue().event("offer.updated")

    assert parse(offer, {"description": "Afdeling psychiatrie"}, environment="test")
    with pytest.raises(InvalidData):
        parse(offer, {"description": "BE68 5390 0754 7034"}, environment="test")


TEXTS = [(name, field.path) for name, field in LEAVES if field.text_kind is not None]


@pytest.mark.parametrize(("name", "path"), TEXTS)
@pytest.mark.parametrize("text", ["k 71.64.12-123.01", "BE68 5390 0754 7034"])
def test_every_text_of_every_event_is_read_for_numbers(name: str, path: str, text: str) -> None:
    """Notes, public words, names and references alike: mechanically, from the catalogue."""
    with pytest.raises(InvalidData) as caught:
        parse(catalogue().event(name), nested(path, text), environment="test")
    found = {one.name: one.code for one in caught.value.invalid}

    assert found[path.replace("[]", "[0]")] == "identification_number"


def test_there_are_texts_of_every_kind() -> None:
    """So that the tests above are about something."""
    assert {field.text_kind for _, field in LEAVES} >= KINDS
