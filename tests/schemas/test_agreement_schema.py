"""The published form of an agreement and its reader agree on what a key and a value may be."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from schemas.agreement import parse_agreement
from schemas.agreement_schema import document_schema
from schemas.errors import InvalidAgreement
from tests.agreement_parties import ORGANISER, draft

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMA = Draft202012Validator(document_schema())
WHOLE: dict[str, Any] = {
    "to": ORGANISER,
    "max_age_days": 30,
    "onward": False,
    "no_sanction_use": True,
    "secrecy_bound": True,
    "legal_basis": "public_task_6_1_e",
}


def is_read(document: dict[str, Any]) -> bool:
    """Whether the reader takes a document."""
    try:
        parse_agreement(document)
    except InvalidAgreement:
        return False
    return True


def whole() -> dict[str, Any]:
    """A draft in which every key stands."""
    document = copy.deepcopy(draft(supersedes="the-older-one"))
    document["legal"] |= {"dpia": "dpia-7", "art9_ground": "care_9_2_h"}
    document["grants"][0] |= WHOLE
    return document


def test_both_take_a_document_with_every_key() -> None:
    """And the schema knows no key that the document lacks: each was tried."""
    document = whole()

    assert is_read(document)
    assert SCHEMA.is_valid(document)
    form = document_schema()["properties"]
    assert form.keys() == document.keys()
    assert form["legal"]["properties"].keys() == document["legal"].keys()
    assert form["grants"]["items"]["properties"].keys() == document["grants"][0].keys()


@pytest.mark.parametrize("key", sorted(whole()))
def test_both_need_the_same_keys(key: str) -> None:
    """What is required of one is required of the other."""
    document = whole()
    del document[key]

    assert is_read(document) is SCHEMA.is_valid(document)


@pytest.mark.parametrize("key", sorted(whole()["grants"][0]))
def test_both_need_the_same_of_a_grant(key: str) -> None:
    """Likewise in a grant."""
    document = whole()
    del document["grants"][0][key]

    assert is_read(document) is SCHEMA.is_valid(document)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d.update(colour="red"),
        lambda d: d.update(agreement_id="a b"),
        lambda d: d.update(parties=d["parties"][:1]),
        lambda d: d["legal"].update(instrument="handshake"),
        lambda d: d["legal"].update(art9_ground="because"),
        lambda d: d["legal"].update(colour="red"),
        lambda d: d["validity"].update(until="2027-01-01"),
        lambda d: d.update(grants=[]),
        lambda d: d["grants"][0].update(hours="9-17"),
        lambda d: d["grants"][0].update(to_role="hub_admin"),
        lambda d: d["grants"][0].update(events=[]),
        lambda d: d["grants"][0].update(purpose="curiosity"),
        lambda d: d["grants"][0].update(fieldsets=["everything"]),
        lambda d: d["grants"][0].update(territory_nis="some"),
        lambda d: d["grants"][0].update(territory_nis=["2410"]),
        lambda d: d["grants"][0].update(doors=["window"]),
        lambda d: d["grants"][0].update(max_age_days=-1),
        lambda d: d["grants"][0].update(onward="no"),
        lambda d: d["grants"][0].update(legal_basis="habit"),
    ],
)
def test_both_refuse_what_is_unknown(spoil: Callable[[dict[str, Any]], object]) -> None:
    """An unknown key or value passes neither."""
    document = whole()
    spoil(document)

    assert not is_read(document)
    assert not SCHEMA.is_valid(document)
