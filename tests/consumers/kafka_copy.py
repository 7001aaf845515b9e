"""A copy as rendering makes one, for the tests of the Kafka door."""

from __future__ import annotations

from typing import Any

from schemas.envelope import CloudEvent, event_type, participant_source

TRAJECTORY = "0195a000-0000-7000-8000-00000000000a"
REFERRAL = "0195a000-0000-7000-8000-00000000000b"
CORE = {"programme": "wijk_werken", "reason_codes": ["work_rhythm"]}


def copy_of(number: int = 1, **changed: Any) -> CloudEvent:
    """A referral as the organiser gets it, without what its grant withholds."""
    made: dict[str, Any] = {
        "id": f"0195a000-0000-7000-8000-{number:012d}",
        "source": participant_source("ocmw-tienen"),
        "type": event_type("referral.created"),
        "time": 1_780_000_000_000_000,
        "data": CORE,
        "subject": REFERRAL,
        "dataschema": "/schemas/ids/58",
        "trajectoryid": TRAJECTORY,
        "purpose": "activation_referral",
        "legalbasis": "public_task_6_1_e",
        "agreementid": "prot-1",
        "territorynis": "24107",
        "aggregatetype": "referral",
        "aggregateversion": 1,
        "recordedtime": 1_780_000_001_000_000,
        "actorrole": "O",
        "subjectref": "K" * 52,
        "withheld": ("insz", "person.phone"),
        "ruleset": "wijk_werken/2026-01",
        "deliveredfor": "wijkwerk-hageland",
    }
    return CloudEvent(**(made | changed))
