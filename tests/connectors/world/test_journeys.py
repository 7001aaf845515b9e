"""Every journey sends what the hub's catalogue knows, and can be told in words."""

from __future__ import annotations

import re
from typing import Any

import pytest

from connectors.errors import UnknownJourney
from connectors.world import crowd, journeys, wording
from connectors.world.organisations import BY_ID
from connectors.world.script import REFERENCE, Sending, Sight, Step
from schemas import attributes, validation
from schemas.attributes import JSON
from schemas.catalogue import catalogue
from schemas.roles import LETTER

SOME_ID = "0195a8f0-0000-7000-8000-000000000001"
LETTERS = sorted(journeys.JOURNEYS)


def _steps(letter: str, seed: int = 1) -> list[Step]:
    return journeys.scripted(seed, journeys.journey(letter)).steps


def _sent(letter: str) -> list[Sending]:
    return [one for one in _steps(letter) if isinstance(one, Sending)]


def _known(value: Any) -> Any:
    """With an id wherever only the hub can tell one."""
    if isinstance(value, dict):
        return {name: _known(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_known(one) for one in value]
    return SOME_ID if isinstance(value, str) and value.startswith(REFERENCE) else value


def _check(step: Sending) -> None:
    event = _known(step.event)
    data = event.pop("data")
    attributes.check(event, [], content_types=(JSON,))
    validation.parse(catalogue().event(step.name), data, environment="test")


@pytest.mark.parametrize("letter", LETTERS)
def test_every_event_is_valid(letter: str) -> None:
    """Attributes and data of everything sent are what the catalogue says."""
    sent = _sent(letter)
    assert sent
    for step in sent:
        _check(step)


def test_every_event_of_the_crowd_is_valid() -> None:
    """The same holds for everybody who is no journey."""
    for number in range(60):
        for step in crowd.scripted(1, number)[0].steps:
            assert isinstance(step, Sending)
            _check(step)


AGAIN = ("duplicate", "event_id_reused")
"""Answers to what was sent before: recorded already, or erased since."""


@pytest.mark.parametrize("letter", LETTERS)
def test_ids_are_sent_once(letter: str) -> None:
    """An event id comes again only where the journey is about sending twice."""
    sent = [str(one.event["id"]) for one in _sent(letter) if one.answer not in AGAIN]

    assert len(set(sent)) == len(sent)


@pytest.mark.parametrize("letter", LETTERS)
def test_only_roles_that_may_send(letter: str) -> None:
    """Nobody sends what its role never may, but where the refusal is the point."""
    for step in _sent(letter):
        event = catalogue().event(step.name)
        assert step.answer != "accepted" or not event.hub_only
        assert LETTER[BY_ID[step.who].role] in "VOWPHSTG"


@pytest.mark.parametrize("letter", LETTERS)
def test_the_journey_has_something_to_see(letter: str) -> None:
    """Somebody else has to see something, so that playing it checks the hub."""
    assert any(isinstance(one, Sight) for one in _steps(letter))


@pytest.mark.parametrize("letter", LETTERS)
def test_title_and_story_are_readable(letter: str) -> None:
    """Both languages have a title and a paragraph, without codes or field names."""
    one = journeys.journey(letter)

    for said in (one.title, one.story):
        assert said.nl != said.en
        assert not re.search(r"\w_\w|\w\.\w", f"{said.nl} {said.en}")
    assert 80 < len(one.story.nl) < 500


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("letter", LETTERS)
def test_what_is_sent_can_be_put_in_words(letter: str, language: str) -> None:
    """No code or field name with an underscore is left in what a story shows."""
    for step in _sent(letter):
        for name, value in wording.fields(step.name, _known(step.event["data"]), language):
            assert "_" not in name
            assert not re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", value), (step.name, name)


def test_a_letter_in_either_case() -> None:
    """`a` and `A` are the same journey."""
    assert journeys.journey("a") is journeys.journey("A")


def test_an_unknown_letter_is_refused() -> None:
    """The refusal lists the letters there are."""
    with pytest.raises(UnknownJourney) as refused:
        journeys.journey("z")

    assert "A B" in refused.value.detail.nl
