"""The root of the error trees."""

import pytest

from schemas import errors
from schemas.errors import (
    InvalidIdentifier,
    InvalidParam,
    Message,
    SchakelError,
    SchemasError,
    UnknownFields,
)


def tree(root: type[SchakelError]) -> list[type[SchakelError]]:
    """Return a class and everything below it."""
    return [root, *(below for child in root.__subclasses__() for below in tree(child))]


OURS = [error for error in tree(SchemasError) if error.__module__ == errors.__name__]


def test_a_message_speaks_dutch_unless_asked_for_english() -> None:
    """Any tag that is not English gets Dutch."""
    message = Message(nl="hallo", en="hello")

    assert message.text("en") == message.text("en-GB") == message.text("EN") == "hello"
    assert message.text("nl") == message.text("nl-BE") == message.text("fr") == "hallo"


def test_an_error_keeps_what_it_was_given() -> None:
    """Detail, invalid parameters and facts are values of their own."""
    param = InvalidParam(name="person.nis", code="missing", reason=Message(nl="a", en="b"))
    facts = {"leg": "territory"}
    error = SchakelError(Message(nl="nee", en="no"), invalid=[param], facts=facts)
    facts["leg"] = "changed"

    assert str(error) == "no"
    assert error.invalid == (param,)
    assert error.facts == {"leg": "territory"}


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_every_error_has_a_code_a_status_and_a_title_of_its_own(kind: type[SchakelError]) -> None:
    """Codes are stable and distinct, statuses are HTTP errors, titles are in two languages."""
    assert kind.code.replace("_", "").isalpha()
    assert 400 <= kind.status < 600
    assert kind.title.nl
    assert kind.title.en
    assert [other.code for other in OURS].count(kind.code) == 1


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_the_docstring_draws_the_whole_tree(kind: type[SchakelError]) -> None:
    """Name, status and code of every class stand in the drawing."""
    drawn = errors.__doc__ or ""

    assert kind.__name__ in drawn
    if kind is not SchemasError:
        line = next(line for line in drawn.splitlines() if f" {kind.__name__} " in line)
        assert f"{kind.status} {kind.code}" in line


def test_unknown_fields_are_a_kind_of_invalid_data_with_another_status() -> None:
    """A typo from a spreadsheet is 400, a wrong value 422."""
    assert issubclass(UnknownFields, errors.InvalidData)
    assert (UnknownFields.status, errors.InvalidData.status) == (400, 422)


def test_an_invalid_identifier_becomes_the_fault_of_a_field() -> None:
    """The code says which kind of identifier it is."""
    error = InvalidIdentifier("kbo", Message(nl="fout", en="wrong"))

    param = error.param("target_org")

    assert (param.name, param.code, param.reason.en) == ("target_org", "invalid_kbo", "wrong")
