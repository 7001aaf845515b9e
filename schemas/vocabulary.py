"""The closed words of agreements and envelopes (`domain.md` §3.3, §3.6, §4)."""

from __future__ import annotations

from typing import Final

PURPOSES: Final = frozenset(
    {
        "activation_referral",
        "placement_execution",
        "guidance_coordination",
        "outcome_monitoring",
        "rights_transition",
        "aggregate_policy",
        "audit",
    }
)

CONSENT_6_1_A: Final = "consent_6_1_a"

LEGAL_BASES: Final = frozenset(
    {
        "public_task_6_1_e",
        "legal_obligation_6_1_c",
        CONSENT_6_1_A,
        "contract_6_1_b",
    }
)

ART9_GROUNDS: Final = frozenset(
    {
        "explicit_consent_9_2_a",
        "social_law_9_2_b",
        "vital_interests_9_2_c",
        "substantial_public_interest_9_2_g",
        "care_9_2_h",
        "archiving_and_statistics_9_2_j",
    }
)
"""Grounds of article 9(2) GDPR on which fields that may reveal health are handed over."""

FIELDSETS: Final = frozenset(
    {
        "core",
        "identify",
        "name",
        "staff_contact",
        "insz",
        "status",
        "decision",
        "work_limits",
        "guidance",
        "outcome",
        "outcome_summary",
        "rights",
        "attendance",
        "note",
    }
)

DOORS: Final = frozenset({"feed", "webhook", "kafka"})

LEGAL_INSTRUMENTS: Final = frozenset(
    {
        "protocol_art8",
        "ivc_deliberation",
        "decree_article",
        "joint_controller_art26",
        "data_sharing_agreement",
        "processor_art28",
    }
)
