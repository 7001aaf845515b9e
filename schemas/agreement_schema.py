"""The form of an agreement document as JSON Schema, for whoever writes one by program.

Made of the same words that `schemas/agreement.py` reads. What a schema cannot say (that a sender
is a party, that a period ends after it began) is refused by the reader all the same.
"""

from __future__ import annotations

from typing import Any

from schemas import roles
from schemas.vocabulary import (
    ART9_GROUNDS,
    DOORS,
    FIELDSETS,
    LEGAL_BASES,
    LEGAL_INSTRUMENTS,
    PURPOSES,
)

_DAY = {"type": "string", "format": "date"}
_URN = {"type": "string", "description": "URN of an organisation."}


def document_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of an agreement document."""
    return _object(
        {
            "agreement_id": _agreement_id(),
            "parties": {"type": "array", "items": _URN, "minItems": 2, "uniqueItems": True},
            "legal": _legal(),
            "validity": _object({"from": _DAY, "to": _DAY}, required=["from"]),
            "grants": {"type": "array", "items": _grant(), "minItems": 1},
            "supersedes": {
                **_agreement_id(),
                "description": "The agreement that ends when this one begins.",
            },
        },
        required=["agreement_id", "parties", "legal", "validity", "grants"],
    )


def _legal() -> dict[str, Any]:
    return _object(
        {
            "instrument": {"enum": sorted(LEGAL_INSTRUMENTS)},
            "ref": {"type": "string", "minLength": 1, "maxLength": 500},
            "dpo_advice": {**_DAY, "description": "Day of the data-protection officer's advice."},
            "dpia": {"type": "string", "minLength": 1, "maxLength": 500},
            "publication": {"type": "string", "format": "uri", "maxLength": 500},
            "art9_ground": {
                "enum": sorted(ART9_GROUNDS),
                "description": "Without it no field that may reveal health is handed over.",
            },
        },
        required=["instrument", "ref"],
    )


def _grant() -> dict[str, Any]:
    return _object(
        {
            "from": _URN,
            "to": {**_URN, "description": "The only reader; every other party when left out."},
            "to_role": {"enum": sorted(roles.NAME[one] for one in roles.PARTNER_LETTERS)},
            "events": {**_texts(), "description": "Names, or families as `referral.*`."},
            "purpose": {"enum": sorted(PURPOSES)},
            "fieldsets": _codes(FIELDSETS),
            "territory_nis": {"oneOf": [{"const": "all"}, _texts("^[0-9]{5}$")]},
            "doors": _codes(DOORS),
            "max_age_days": {"type": "integer", "minimum": 0},
            "onward": {"type": "boolean"},
            "no_sanction_use": {"type": "boolean"},
            "secrecy_bound": {"type": "boolean"},
            "legal_basis": {"enum": sorted(LEGAL_BASES)},
        },
        required=["from", "to_role", "events", "purpose", "fieldsets", "territory_nis", "doors"],
    )


def _agreement_id() -> dict[str, Any]:
    return {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{2,63}$"}


def _codes(codes: frozenset[str]) -> dict[str, Any]:
    return {"type": "array", "items": {"enum": sorted(codes)}, "minItems": 1, "uniqueItems": True}


def _texts(pattern: str | None = None) -> dict[str, Any]:
    items = {"type": "string"} if pattern is None else {"type": "string", "pattern": pattern}
    return {"type": "array", "items": items, "minItems": 1, "uniqueItems": True}


def _object(properties: dict[str, Any], *, required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required,
        "properties": properties,
    }
