"""Issuers and delegations of the registry file, as entries of it and as rows of the store.

They are kept as they stood in the file, so that what is in force is what somebody signed off; one
reader reads them from both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gateway.exchange import delegations, trusted_issuers
from schemas.documents import Faults, Section

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.exchange.delegations import Delegation
    from gateway.exchange.registry import Environment
    from gateway.exchange.trusted_issuers import TrustedIssuer


@dataclass(frozen=True, slots=True)
class IssuerEntry:
    """A trusted issuer as the file has it; `revoked` is None when the file does not say."""

    path: str
    issuer: TrustedIssuer
    document: Mapping[str, Any]
    revoked: bool | None

    def row(self) -> dict[str, Any]:
        """The columns of its row."""
        return {
            "id": self.issuer.issuer,
            "document": dict(self.document),
            "status": self.issuer.status,
        }


@dataclass(frozen=True, slots=True)
class DelegationEntry:
    """A delegation as the file has it; `revoked` is None when the file does not say."""

    path: str
    delegation: Delegation
    document: Mapping[str, Any]
    revoked: bool | None

    def row(self) -> dict[str, Any]:
        """The columns of its row."""
        return {
            "id": self.delegation.id,
            "document": dict(self.document),
            "status": self.delegation.status,
        }


def read_issuer_entry(
    value: Any, path: str, faults: Faults, environment: Environment
) -> IssuerEntry:
    """The issuer at a place of the file; its faults are noted."""
    issuer = trusted_issuers.read_issuer(value, path, faults, environment)
    document, revoked = _without_status(value, path, faults)
    return IssuerEntry(path, issuer, document, revoked)


def read_delegation_entry(value: Any, path: str, faults: Faults) -> DelegationEntry:
    """The delegation at a place of the file; its faults are noted."""
    document, revoked = _without_status(value, path, faults)
    return DelegationEntry(path, _delegation(value, path, faults), document, revoked)


def stored_issuer(document: Any, status: str, environment: Environment) -> TrustedIssuer:
    """The issuer of a row."""
    issuer = trusted_issuers.read_issuer(document, "", Faults(), environment)
    return replace(issuer, status=status)


def stored_delegation(document: Any, status: str) -> Delegation:
    """The delegation of a row."""
    return replace(_delegation(document, "", Faults()), status=status)


def _delegation(value: Any, path: str, faults: Faults) -> Delegation:
    section = Section(
        value,
        path,
        known=frozenset(delegations.KEYS),
        required=frozenset(delegations.REQUIRED),
        faults=faults,
    )
    return delegations.read_delegation(section, section.text("id") or "", path, faults)


def _without_status(value: Any, path: str, faults: Faults) -> tuple[dict[str, Any], bool | None]:
    """What is kept of an entry, and whether it says that it is revoked."""
    document = dict(value) if isinstance(value, dict) else {}
    revoked = document.pop("revoked", None)
    if revoked is not None and not isinstance(revoked, bool):
        nl, en = "Moet true of false zijn.", "Is not true or false."
        faults.add(f"{path}.revoked", "invalid_format", nl, en)
        revoked = None
    return document, revoked
