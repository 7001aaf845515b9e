"""Code lists: every enum has one, with labels in both languages, and the other way round."""

from datetime import date

import pytest

from schemas import avsc
from schemas.codelists import CodeList, code_list, code_lists, label
from schemas.errors import UnknownCodeList

OPEN_LISTS = {"activity_code", "generic_v1", "programme", "rule"}
ENUMS = [schema for schema in avsc.named_types().values() if schema["type"] == "enum"]
LISTS = code_lists()


@pytest.mark.parametrize("schema", ENUMS, ids=lambda schema: schema["name"])
def test_every_symbol_has_an_entry_and_every_entry_a_symbol(schema: dict[str, list[str]]) -> None:
    """Enum and list hold the same codes; only UNKNOWN has no entry."""
    codes = code_list(str(schema["codelist"])).codes
    assert set(codes) == set(schema["symbols"]) - {"UNKNOWN"}


def test_every_list_stands_behind_something() -> None:
    """No list is left over; open lists are those that fields name themselves."""
    behind_enums = {schema["codelist"] for schema in ENUMS}
    assert {entry.name for entry in LISTS} - behind_enums == OPEN_LISTS


@pytest.mark.parametrize("entry", LISTS, ids=lambda entry: entry.name)
def test_labels_are_there_in_both_languages(entry: CodeList) -> None:
    """Titles and codes have a Dutch and an English label, and labels tell codes apart."""
    assert entry.version >= 1
    assert entry.title.nl
    assert entry.title.en
    for language in ("nl", "en"):
        labels = [code.label.text(language) for code in entry.codes.values()]
        assert all(text.strip() == text and text for text in labels)
        assert len(set(labels)) == len(labels)


def test_neutral_codes_only() -> None:
    """Codes that would say something about health were left out on purpose."""
    codes = {code for entry in LISTS for code in entry.codes}
    assert not codes & {"incapacity", "health_circumstances", "unjustified", "amasec"}


def test_label_in_a_language() -> None:
    """A label is what people read; Dutch unless English is asked for."""
    assert label("decline_reason", "no_capacity", "nl") == "Geen plaats"
    assert label("decline_reason", "no_capacity", "en-GB") == "No capacity"


def test_code_without_label_is_shown_as_it_is() -> None:
    """A code of a newer version still reads as something."""
    assert label("decline_reason", "brand_new", "nl") == "brand_new"


def test_historic_code_is_not_valid_for_new_events() -> None:
    """Local services economy takes no new referrals since 1 July 2023."""
    lde = code_list("programme").codes["lde"]
    assert lde.valid_on(date(2023, 6, 30))
    assert not lde.valid_on(date(2023, 7, 1))


@pytest.mark.parametrize("name", ["no_such_list", "../ids", ""])
def test_unknown_list_is_refused(name: str) -> None:
    """A list that does not exist is a fault of the caller, and no way out of the folder."""
    with pytest.raises(UnknownCodeList):
        code_list(name)
