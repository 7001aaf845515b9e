"""Who takes part around Tienen: the demonstration's registry, and those the letter also names.

Every organisation is invented. The further ones share one broad agreement, so that a scenario is
about the letter and not about what a grant withholds; the demonstration's own grants stay narrow.
"""

from __future__ import annotations

from typing import Any

from schemas.roles import NAME, PARTNER_LETTERS
from tests.registry_fixtures import demo_content

OCMW, VDAB, CAW = "ocmw-tienen", "vdab", "caw-hageland"
ORGANISER, HOST, TOWN = "wijkwerk-hageland", "wzc-de-linde", "stad-tienen"
LEUVEN = "ocmw-leuven"
SOCIAL, SCHOOL, SUCCESSOR, FARM = "maatwerk-hageland", "cvo-tienen", "werkpunt-hageland", "hoeve"
TIENEN, LEUVEN_NIS = "24107", "24062"

URN = {
    OCMW: "urn:be:kbo:1999000150",
    ORGANISER: "urn:be:kbo:1999000249",
    VDAB: "urn:be:kbo:0887010362",
    CAW: "urn:be:kbo:1999000348",
    HOST: "urn:be:kbo:1999010444",
    TOWN: "urn:be:kbo:1999010543",
    LEUVEN: "urn:be:kbo:1999010642",
    SOCIAL: "urn:schakel:org:maatwerk-hageland",
    SCHOOL: "urn:schakel:org:cvo-tienen",
    SUCCESSOR: "urn:schakel:org:werkpunt-hageland",
    FARM: "urn:schakel:org:hoeve",
}
FURTHER = {
    SOCIAL: ("social_economy", "Maatwerk Hageland"),
    SCHOOL: ("training", "CVO Tienen"),
    SUCCESSOR: ("organiser", "Werkpunt Hageland"),
    FARM: ("host", "Zorghoeve Hageland"),
}
ALL_FIELDSETS = [
    "core", "identify", "name", "staff_contact", "status", "decision", "work_limits", "guidance",
    "outcome", "outcome_summary", "rights", "attendance", "note",
]  # fmt: skip
PERSONAL = [
    "referral.*",
    "trajectory.*",
    "subject.*",
    "placement.*",
    "guidance.*",
    "outcome.*",
    "transition.*",
]


def registry_content() -> dict[str, Any]:
    """The registry file of these scenarios, as plain data."""
    content: dict[str, Any] = demo_content()
    content["organisations"] += [_organisation(one) for one in FURTHER]
    content["agreements"].append(_broad())
    return content


def _organisation(participant: str) -> dict[str, Any]:
    role, name = FURTHER[participant]
    return {
        "urn": URN[participant],
        "name": f"{name} (voorbeeld)",
        "participants": [
            {
                "id": participant,
                "role": role,
                "name": name,
                "territory": [TIENEN],
                "notice_version": "2026-01",
                "contact": {"name": "Onthaal", "phone": "+32 000 16 00 09"},
            }
        ],
    }


def _broad() -> dict[str, Any]:
    """Everything about a person, among all that were added and those they work with."""
    parties = [URN[one] for one in (*FURTHER, OCMW, VDAB, ORGANISER, LEUVEN, CAW)]
    further = {URN[one] for one in FURTHER}
    return {
        "agreement_id": "letter-2026",
        "parties": parties,
        "legal": {
            "instrument": "decree_article",
            "ref": "voorbeeld-decreet",
            "dpia": "dpia-7",
            "art9_ground": "social_law_9_2_b",
        },
        "validity": {"from": "2026-01-01", "to": "2030-12-31"},
        "grants": [
            {
                "from": party,
                "to_role": NAME[role],
                "events": PERSONAL,
                "purpose": "activation_referral",
                "fieldsets": ALL_FIELDSETS,
                "territory_nis": [TIENEN, LEUVEN_NIS],
                "doors": ["feed"],
                "onward": True,
            }
            for party in parties
            for role in sorted(PARTNER_LETTERS)
            if party in further or role in "STW"
        ],
    }
