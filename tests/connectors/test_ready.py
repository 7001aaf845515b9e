"""The ready connector for a spreadsheet of seven fields, from its own template."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import connectors
from connectors.answers import ItemAnswer
from connectors.errors import InvalidConnector, RowRefused
from connectors.mapping_file import parse_row_map
from connectors.pump import advice
from schemas.catalogue import catalogue
from schemas.errors import InvalidParam, Message
from schemas.validation import parse

if TYPE_CHECKING:
    from tests.connectors.stub_hub import StubHub
    from tests.connectors.workshop import Bench

FOLDER = Path(connectors.__file__).parent / "ready" / "toeleiding"
DOCUMENT: dict[str, Any] = yaml.safe_load((FOLDER / "connector.yaml").read_text("utf-8"))
HEADING, ROW = (FOLDER / "toeleiding.csv").read_bytes().decode("utf-8-sig").split("\r\n")[:2]


def document() -> dict[str, Any]:
    """The shipped connector, in this test's haste."""
    return {**DOCUMENT, "settings": {**DOCUMENT["settings"], "look": "1ms", "every": "50ms"}}


def cells(**changes: str) -> dict[str, str]:
    """The template's row by column."""
    return dict(zip(HEADING.split(";"), ROW.split(";"), strict=True)) | changes


def apply(**changes: str) -> dict[str, Any]:
    """The event data of a row of the template."""
    (entry,) = DOCUMENT["in"]
    rest = {key: value for key, value in entry.items() if key not in {"file", "name"}}
    return dict(parse_row_map("toeleidingen", rest).apply(cells(**changes)).data)


def test_the_template_is_a_valid_referral(bench: Bench, hub: StubHub) -> None:
    """Dropped as it is, its row is sent, and the report says so in Dutch."""
    bench.put("toeleiding.csv", ROW, heading=HEADING)
    bench.run(hub.url, document=document())

    assert hub.names() == ["referral.created"]
    data = hub.events[0]["data"]
    assert parse(catalogue().event("referral.created"), data, environment="test")
    assert bench.report("toeleiding") == [["2", "verzonden", "referral.created", "", ""]]


@pytest.mark.parametrize(
    ("known", "role"),
    [("vdab", "pes"), *((one, "welfare_centre") for one in ("ocmw", "beide", "onbekend", ""))],
)
def test_it_goes_to_the_desk(known: str, role: str) -> None:
    """To VDAB for whom VDAB alone knows, to the OCMW for everybody else."""
    data = apply(**{"gekend bij": known})

    assert data["target_role"] == role
    assert "target_org" not in data


@pytest.mark.parametrize("column", ["programma", "reden", "voornaam", "familienaam", "postcode"])
def test_an_empty_cell_is_named(column: str) -> None:
    """Each of the seven fields is asked for by its column."""
    with pytest.raises(RowRefused) as refused:
        apply(**{column: " "})

    assert (refused.value.reason, refused.value.column) == ("missing", column)
    assert f"'{column}'" in refused.value.detail.nl


def test_phone_or_e_mail_is_enough() -> None:
    """One of the two; without both, both are named."""
    assert apply(telefoon="", **{"e-mail": "amina@example.org"})["person"]["email"]
    with pytest.raises(RowRefused) as refused:
        apply(telefoon="")
    assert "'telefoon' of 'e-mail'" in refused.value.detail.nl


def test_the_same_file_with_one_changed_row_is_one_correction(bench: Bench, hub: StubHub) -> None:
    """Journey J: nothing is sent twice, and the changed row corrects what was sent."""
    other = ROW.replace("1;", "2;", 1).replace("Amina", "Bilal")
    bench.put("toeleiding.csv", ROW, other, heading=HEADING)
    bench.run(hub.url, document=document())
    bench.put("toeleiding.csv", ROW, other.replace("arbeidsritme", "eigen vraag"), heading=HEADING)
    bench.run(hub.url, document=document())

    assert hub.names() == ["referral.created", "referral.created", "referral.corrected"]
    assert [line[1] for line in bench.report("toeleiding")] == ["ongewijzigd", "verzonden"]


@pytest.mark.parametrize(
    ("field", "named"),
    [
        ("person.phone", "kolom 'telefoon'"),
        ("reason_codes[0]", "kolom 'reden'"),
        ("sourcerecordid", "kolom 'nummer'"),
        ("consent_ref", "consent_ref"),
    ],
)
def test_what_the_hub_refuses_is_told_by_its_column(field: str, named: str) -> None:
    """The report speaks of the file; a field that no column made keeps its own name."""
    (entry,) = DOCUMENT["in"]
    rest = {key: value for key, value in entry.items() if key not in {"file", "name"}}
    mapped = parse_row_map("toeleidingen", rest).apply(cells())
    fault = InvalidParam(field, "wrong", Message("Klopt niet.", "Is wrong."))
    answer = ItemAnswer("e-1", "rejected", detail="1 veld klopt niet.", invalid=(fault,))

    assert advice(answer, mapped) == f"1 veld klopt niet. {named}: Klopt niet."


def test_needs_name_columns_that_are_used() -> None:
    """A misspelt column in `needs` is found when the connector is checked."""
    (entry,) = DOCUMENT["in"]
    rest = {key: value for key, value in entry.items() if key not in {"file", "name"}}
    for needs in (["voornam"], "voornaam"):
        with pytest.raises(InvalidConnector):
            parse_row_map("toeleidingen", {**rest, "needs": needs})
