"""Mail goes to a desk that the registry knows, or into its domain, and to nobody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from gateway.exchange.alert_addresses import is_known, owner_of
from gateway.exchange.registry import Contact, Registry
from tests.gateway.exchange import cast

OCMW, OTHER = cast.RELATED["O"], cast.RELATED["W"]
EMAIL = "activering@ocmw.example.org"


def registry(email: str | None = EMAIL, **changes: object) -> Registry:
    """The cast, in which the OCMW has a contact."""
    found = cast.registry()
    desk = Contact("Desk", email=email)
    own = replace(found.participants[OCMW], contact=desk, **changes)  # type: ignore[arg-type]  # each test names its own
    return replace(found, participants={**found.participants, OCMW: own})


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        (EMAIL, True),
        ("wacht@OCMW.example.org", True),
        ("wacht@sub.ocmw.example.org", False),
        ("wacht@evilocmw.example.org", False),
        ("wacht@example.org", False),
        (f"{EMAIL}, x@ocmw.example.org", False),
        ("", False),
    ],
)
def test_only_a_domain_of_the_registry_counts(email: str, *, expected: bool) -> None:
    """The whole of it, whatever its case."""
    assert is_known(registry(), OCMW, email) is expected


def test_another_organisation_lends_no_domain() -> None:
    """Nor does one that the registry has no address of, or does not know."""
    assert not is_known(registry(), OTHER, EMAIL)
    assert not is_known(registry(None), OCMW, EMAIL)
    assert not is_known(registry(), "nobody", EMAIL)


def test_who_takes_no_part_is_not_told() -> None:
    """Revoked, ended, or unknown; who takes part without a contact is told by webhook only."""
    today = date(2026, 5, 28)
    found = owner_of(registry(), OCMW, today)

    assert found is not None
    assert (found.email, EMAIL in repr(found)) == (EMAIL, False)
    assert owner_of(registry(status="revoked"), OCMW, today) is None
    assert owner_of(registry(valid_to=today - timedelta(1)), OCMW, today) is None
    assert owner_of(registry(), "nobody", today) is None
    without = owner_of(cast.registry(), OCMW, today)
    assert without is not None
    assert without.email is None
