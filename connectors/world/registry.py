"""The registry file of a world, as `schakel registry apply` takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.world import agreements
from connectors.world.keys import private_jwk, public_part
from connectors.world.organisations import ORGANISATIONS

if TYPE_CHECKING:
    from connectors.world.organisations import Organisation

NOTICE = "2026-01"
SCOPES = [
    "sj_offer_write",
    "sj_referral_write",
    "sj_referral_read",
    "sj_placement_write",
    "sj_guidance_write",
    "sj_outcome_write",
    "sj_rights_write",
    "sj_feed_read",
    "sj_agreement_write",
]


def client_id(participant: str) -> str:
    """The one client that a participant has in a world."""
    return f"{participant}-wereld"


def document(seed: int) -> dict[str, Any]:
    """Organisations, participants, clients with their public keys, and agreements."""
    return {
        "environment": "test",
        "organisations": [
            _organisation(seed, number, one) for number, one in enumerate(ORGANISATIONS)
        ],
        "agreements": agreements.documents(),
    }


def _organisation(seed: int, number: int, one: Organisation) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "urn": one.urn,
        "name": f"{one.name} (verzonnen)",
        "private": one.private,
        "sensitive_sender": one.sensitive,
        "participants": [
            {
                "id": one.id,
                "role": one.role,
                "name": one.name,
                "territory": list(one.territory) or "all",
                "notice_version": NOTICE,
                "contact": {
                    "name": "Onthaal",
                    "phone": f"+32 000 99 {number:02d} 00",
                    "email": f"onthaal@{one.id}.example.org",
                },
                "clients": [_client(seed, one.id)],
            }
        ],
    }
    if one.kbo is not None:
        entry["kbo"] = one.kbo
    return entry


def _client(seed: int, participant: str) -> dict[str, Any]:
    key = public_part(private_jwk(seed, client_id(participant)))
    return {
        "id": client_id(participant),
        "name": "Verzonnen koppeling",
        "trusted_trace": True,
        "scopes": list(SCOPES),
        "jwks": {"keys": [key]},
    }
