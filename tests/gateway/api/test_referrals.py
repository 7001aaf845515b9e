"""The seven-field form: checked, located, and turned into an event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.api import desk
from gateway.errors import InvalidReferral, MalformedRequest, TerritoryAmbiguous
from schemas import codec
from schemas.catalogue import catalogue
from tests.gateway.api.conftest import PARTNER
from tests.gateway.api.samples import CANARY, body, form
from tests.gateway.exchange import cast

if TYPE_CHECKING:
    from tests.gateway.api.conftest import Interface

JSON = "application/json"


def test_the_form_becomes_a_valid_event() -> None:
    """What the hub fills in for the referrer is what the catalogue asks."""
    registry = cast.registry()
    sender = registry.participant(PARTNER)
    assert sender is not None
    checked = desk.check_form(form())
    place = desk.locate(checked, registry, cast.TODAY)
    data = desk.event_data(checked, place, sender)

    parsed = codec.parse(catalogue().event("referral.created"), data, environment="test")
    assert place.nis == "24107"
    assert parsed["target_org"] == cast.urn_of(cast.RELATED["O"])
    assert parsed["informed"]["by_role"] == "local_partner"


@pytest.mark.parametrize(("known_at", "role"), [("vdab", "V"), ("both", "O"), (None, "O")])
def test_the_desk_depends_on_where_the_person_is_known(known_at: str | None, role: str) -> None:
    """Known at VDAB alone means VDAB; everything else is the OCMW's."""
    place = desk.locate(desk.check_form(form(known_at=known_at)), cast.registry(), cast.TODAY)

    assert place.desk is not None
    assert place.desk.id == cast.RELATED[role]


def test_a_desk_does_not_refer_to_itself() -> None:
    """The OCMW that fills in the form refers openly."""
    registry = cast.registry()
    sender = registry.participant(cast.RELATED["O"])
    assert sender is not None
    checked = desk.check_form(form())
    data = desk.event_data(checked, desk.locate(checked, registry, cast.TODAY), sender)

    assert "target_org" not in data


def test_a_postcode_of_two_municipalities_names_both() -> None:
    """1804 lies in Vilvoorde and in Zemst."""
    with pytest.raises(TerritoryAmbiguous) as refused:
        desk.locate(desk.check_form(form(postcode="1804")), cast.registry(), cast.TODAY)

    names = {one["name"] for one in refused.value.facts["municipalities"]}
    assert names == {"Vilvoorde", "Zemst"}


def test_every_missing_field_is_named() -> None:
    """The whole list at once, and one of phone and e-mail is enough."""
    with pytest.raises(InvalidReferral) as refused:
        desk.check_form({})

    names = [one.name for one in refused.value.invalid]
    assert set(names) == {*desk.REQUIRED, "phone", "postcode"}
    desk.check_form(form(phone=None, email="amina@example.test"))


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"programme": "No such"}, "programme"),
        ({"reason": "nonsense"}, "reason"),
        ({"phone": "x"}, "phone"),
        ({"informed_person_at": "tomorrow"}, "informed_person_at"),
        ({"informed_person_at": {}}, "informed_person_at"),
        ({"family_name": ["x"]}, "family_name"),
    ],
)
def test_faults_have_the_forms_names(
    interface: Interface, change: dict[str, Any], name: str
) -> None:
    """What the catalogue finds is told under the form's own field, without the value."""
    response = interface.post(
        "/v1/referrals", body(form(**change)), JSON, **{"idempotency-key": "k"}
    )

    assert response.status_code == 422
    assert response.json()["code"] == "referral_invalid"
    assert [one["name"] for one in response.json()["invalidParams"]] == [name]
    assert CANARY not in response.text


def test_unknown_fields_are_400(interface: Interface) -> None:
    """A field that the form does not have is named when it looks like a field."""
    sent = {**form(), "shoe_size": "44", "Jan Peeters": "x"}
    response = interface.post("/v1/referrals", body(sent), JSON, **{"idempotency-key": "k"})

    assert response.status_code == 400
    assert {one["name"] for one in response.json()["invalidParams"]} == {"shoe_size", "?"}


def test_the_key_is_required(interface: Interface) -> None:
    """No Idempotency-Key: a coded problem."""
    response = interface.post("/v1/referrals", body(form()), JSON)

    assert response.status_code == 400
    assert response.json()["code"] == "idempotency_key_required"


def test_other_content_types_are_415(interface: Interface) -> None:
    """The form is JSON."""
    response = interface.post("/v1/referrals", b"a=b", "text/plain", **{"idempotency-key": "k"})

    assert response.status_code == 415


def test_a_reference_address_stands_in_for_a_postcode() -> None:
    """Who has no address is led in through the OCMW of the reference address."""
    checked = desk.check_form(
        form(postcode=None, reference_address_of=cast.urn_of(cast.RELATED["O"]))
    )

    assert desk.locate(checked, cast.registry(), cast.TODAY).nis == cast.NIS


def test_what_more_is_given_goes_along() -> None:
    """Optional fields keep their names, and the notice's language is the person's."""
    sender = cast.registry().participant(PARTNER)
    assert sender is not None
    given = {
        "birth_date": "1984-03-02",
        "language": "ar",
        "represented_by": "none",
        "consent_ref": "map 12",
        "note": "liefst buiten",
        "known_at": "both",
    }
    checked = desk.check_form(form(**given))
    data = desk.event_data(checked, desk.locate(checked, cast.registry(), cast.TODAY), sender)
    parsed = codec.parse(catalogue().event("referral.created"), data, environment="test")

    assert parsed["person"]["birth_date"] == "1984-03-02"
    assert parsed["informed"]["language"] == parsed["person"]["language"] == "ar"
    assert {parsed["consent_ref"], parsed["note"]} == {"map 12", "liefst buiten"}


def test_an_unknown_field_of_the_form_names_the_one_that_is_meant() -> None:
    """A typo is told with the name that comes closest."""
    with pytest.raises(MalformedRequest) as refused:
        desk.check_form(form(postkode="3300"))

    assert "postcode?" in refused.value.invalid[0].reason.nl
