"""A decree as one rule file: rules for a programme, a new programme, and a conversion."""

from __future__ import annotations

from datetime import date
from typing import Any

FROM = date(2026, 7, 1)


def rule_set(version: str, **changes: Any) -> dict[str, Any]:
    """A rule set in force from that day on."""
    return {
        "version": version,
        "status": "in_force",
        "valid_from": FROM.isoformat(),
        "valid_to": None,
        "legal_reference": "Voorbeelddecreet van 1 april 2026",
        "sources": ["a test"],
        "endorsement_required_from": [],
        "parameters": {},
        **changes,
    }


def decree(**changes: Any) -> dict[str, Any]:
    """The whole file."""
    return {
        "reference": "decree-2026-1",
        "title": {"nl": "Samenlevingsjobs", "en": "Community jobs"},
        "programmes": {
            "samenlevingsjob": {
                "rule_sets": [
                    rule_set(
                        "samenlevingsjob-2026-1",
                        parameters={
                            "is_capped": True,
                            "hours_per_month_max": 80,
                            "hours_per_year_max": None,
                            "min_duration_months": 12,
                            "max_duration_months": 24,
                            "allowance_per_hour": "5.00",
                            "reveals_health": False,
                        },
                    )
                ]
            },
            "buurtbaan": {
                "label": {"nl": "Buurtbaan", "en": "Neighbourhood job"},
                "rule_sets": [
                    rule_set("buurtbaan-2026-1", endorsement_required_from=["P"]),
                ],
            },
        },
        "conversions": [
            {
                "from_programme": "wijk_werken",
                "to_programme": "samenlevingsjob",
                "effective": FROM.isoformat(),
                "hours_carried": "all",
                "months_carried": "all",
                "basis": "decree",
                "placements": {"states": ["active", "suspended"]},
            }
        ],
        **changes,
    }
