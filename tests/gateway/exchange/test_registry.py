"""The registry snapshot: who serves where, and whom a URN means."""

from __future__ import annotations

from datetime import date

import pytest

from gateway.errors import TargetAmbiguous, UnknownOrganisation
from gateway.exchange.registry import Organisation, Participant, Registry

ON = date(2026, 3, 2)
ASSOCIATION, OCMW, VDAB, BOTH = (
    f"urn:schakel:org:{name}" for name in ("assoc", "ocmw", "vdab", "both")
)


def a_participant(
    identifier: str,
    organisation: str,
    role: str,
    territory: frozenset[str] | None,
    *,
    valid_from: date | None = None,
    valid_to: date | None = None,
    status: str = "active",
) -> Participant:
    """A participant named after its id."""
    return Participant(
        id=identifier,
        organisation=organisation,
        organisation_name=organisation,
        role=role,
        name=identifier,
        territory=territory,
        valid_from=valid_from,
        valid_to=valid_to,
        status=status,
    )


@pytest.fixture
def registry() -> Registry:
    """An OCMW, an association for several, VDAB, and an organisation in two roles."""
    return Registry.build(
        version=1,
        environment="test",
        organisations=[Organisation(urn, urn) for urn in (ASSOCIATION, OCMW, VDAB, BOTH)],
        participants=[
            a_participant("assoc", ASSOCIATION, "O", frozenset({"24107", "24059"})),
            a_participant("ocmw", OCMW, "O", frozenset({"24107"})),
            a_participant("vdab", VDAB, "V", None),
            a_participant("both-w", BOTH, "W", frozenset({"24107"})),
            a_participant("both-s", BOTH, "S", frozenset({"24107"})),
            a_participant("old", OCMW, "W", frozenset({"24107"}), valid_to=date(2025, 12, 31)),
            a_participant("gone", OCMW, "S", frozenset({"24107"}), status="revoked"),
            a_participant("merged", ASSOCIATION, "P", frozenset({"37012"})),
        ],
    )


def test_a_role_is_found_by_territory_and_day(registry: Registry) -> None:
    """Valid participants whose territory covers the municipality, by id."""
    assert [one.id for one in registry.in_role("O", "24107", ON)] == ["assoc", "ocmw"]
    assert [one.id for one in registry.in_role("O", "24059", ON)] == ["assoc"]
    assert [one.id for one in registry.in_role("W", "24107", ON)] == ["both-w"]
    assert [one.id for one in registry.in_role("W", "24107", date(2025, 6, 1))] == ["both-w", "old"]
    assert [one.id for one in registry.in_role("S", "24107", ON)] == ["both-s"]
    assert registry.in_role("O", "24062", ON) == ()


def test_a_merged_municipality_is_still_served(registry: Registry) -> None:
    """A territory written with an old code maps forward to the merged municipality."""
    assert [one.id for one in registry.in_role("P", "37021", ON)] == ["merged"]


def test_the_body_of_its_own_is_competent(registry: Registry) -> None:
    """An OCMW goes before an association for several; without one, the association."""
    for role, nis, expected in (
        ("O", "24107", "ocmw"),
        ("O", "24059", "assoc"),
        ("V", "24062", "vdab"),
    ):
        found = registry.competent(role, nis, ON)
        assert found is not None
        assert found.id == expected
    assert registry.competent("O", "24062", ON) is None


def test_a_urn_means_one_participant(registry: Registry) -> None:
    """The role a field implies, validity and territory choose the participant."""
    assert registry.resolve(OCMW, "VOWST", "24107", ON).id == "ocmw"
    assert registry.resolve(BOTH, "W", "24107", ON).id == "both-w"
    assert registry.resolve(BOTH, "VOWST", "24107", ON, target_role="S").id == "both-s"
    assert registry.resolve(VDAB, "V", None, ON).id == "vdab"


def test_a_urn_that_fits_several_is_ambiguous(registry: Registry) -> None:
    """Two fitting roles ask for `target_role`, and both are named."""
    with pytest.raises(TargetAmbiguous) as refused:
        registry.resolve(BOTH, "VOWST", "24107", ON)
    assert refused.value.facts["participants"] == ["both-s", "both-w"]


@pytest.mark.parametrize(
    ("organisation", "roles", "nis", "target_role"),
    [
        ("urn:schakel:org:nobody", "VO", "24107", None),
        (OCMW, "V", "24107", None),
        (OCMW, "O", "24062", None),
        (OCMW, "S", "24107", None),
        (BOTH, "W", "24107", "S"),
    ],
)
def test_a_urn_that_fits_nobody_is_refused(
    registry: Registry, organisation: str, roles: str, nis: str, target_role: str | None
) -> None:
    """Unknown, out of role, out of territory, revoked, or a role the field does not allow."""
    with pytest.raises(UnknownOrganisation):
        registry.resolve(organisation, roles, nis, ON, target_role)


def test_an_unknown_id_is_none(registry: Registry) -> None:
    """Looking up by id never raises."""
    assert registry.participant("x") is None
    assert registry.client("x") is None
    assert registry.agreement("x") is None
    assert registry.participants_of("x") == ()
