"""Two organisations with keys, and documents between them, for tests of agreements."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gateway.exchange.agreement_statement import Statement, sign
from gateway.exchange.credentials import new_private_jwk, public_part
from schemas.agreement import document_hash
from tests.registry_fixtures import demo_content

if TYPE_CHECKING:
    from collections.abc import Mapping

OCMW, ORGANISER, VDAB = "urn:be:kbo:1999000150", "urn:be:kbo:1999000249", "urn:be:kbo:0887010362"
PRIVATE = "urn:be:kbo:1999000348"


def draft(agreement_id: str = "test-2026-001", **changes: Any) -> dict[str, Any]:
    """An agreement by which the OCMW lets the organiser see referrals; None leaves a key out."""
    values = {
        "agreement_id": agreement_id,
        "parties": [OCMW, ORGANISER],
        "legal": {
            "instrument": "protocol_art8",
            "ref": "voorbeeld-protocol",
            "dpo_advice": "2026-02-11",
            "publication": "https://example.org/protocol",
        },
        "validity": {"from": "2026-01-01", "to": "2028-12-31"},
        "grants": [
            {
                "from": OCMW,
                "to_role": "organiser",
                "events": ["referral.*"],
                "purpose": "activation_referral",
                "fieldsets": ["core", "identify"],
                "territory_nis": ["24107"],
                "doors": ["feed"],
            }
        ],
        **changes,
    }
    return {key: value for key, value in values.items() if value is not None}


@dataclass(frozen=True)
class Signers:
    """The private keys of organisations, and the registry file that has their public parts."""

    private: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)

    def content(self) -> dict[str, Any]:
        """The demonstration's registry with a key for each organisation, without agreements."""
        content: dict[str, Any] = {**demo_content(), "agreements": None}
        del content["agreements"]
        for organisation in content["organisations"]:
            key = self.private.setdefault(organisation["urn"], new_private_jwk())
            organisation["keys"] = [{"jwk": public_part(key)}]
        return content

    def signed(
        self,
        document: Mapping[str, Any],
        act: str,
        party: str,
        *,
        key: Mapping[str, Any] | None = None,
        at: float | None = None,
        reason: str | None = None,
    ) -> str:
        """A party's signature under an act."""
        moment = int((time.time() if at is None else at) * 1_000_000)
        statement = Statement(
            str(document["agreement_id"]), document_hash(document), act, party, moment, reason
        )
        return sign(statement, key or self.private[party])
