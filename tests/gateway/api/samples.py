"""Events and forms as a partner sends them; synthetic people only."""

from __future__ import annotations

from typing import Any

import orjson

ONE = "application/cloudevents+json"
MANY = "application/cloudevents-batch+json"
AVRO = "application/avro"
CANARY = "Kanariepiet"
"""A family name that must not come back in any refusal."""


def referral_data(**changes: Any) -> dict[str, Any]:
    """The data of a good referral."""
    return {
        "programme": "wijk_werken",
        "reason_codes": ["work_rhythm"],
        "person": {
            "given_name": "Amina",
            "family_name": CANARY,
            "phone": "+3216000000",
            "postcode": "3300",
        },
        "contact_person": {"name": "Onthaal"},
        "informed": {
            "on": "2026-05-20",
            "channel": "oral",
            "notice_version": "2026-1",
            "language": "nl",
            "by_role": "local_partner",
        },
        **changes,
    }


def event(sender: str, event_id: str = "r-1", **changes: Any) -> dict[str, Any]:
    """A CloudEvent; by default a referral of that sender."""
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": f"urn:schakel:participant:{sender}",
        "type": "be.schakel.activation.v1.referral.created",
        "time": "2026-05-28T08:00:00Z",
        "data": referral_data(),
        **changes,
    }


def form(**changes: Any) -> dict[str, Any]:
    """The seven-field form; a change to None leaves the field out."""
    whole = {
        "programme": "wijk_werken",
        "reason": "work_rhythm",
        "given_name": "Amina",
        "family_name": CANARY,
        "phone": "+32 16 00 00 00",
        "postcode": "3300",
        "informed_person_at": "2026-05-20",
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not None}


def body(value: Any) -> bytes:
    """JSON."""
    return orjson.dumps(value)
