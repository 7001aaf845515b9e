"""What the organisations of a world agreed: who may see what, as documents that they signed.

Authorities share most; organisers get neither national number nor income; a partner that referred
sees that it moved on and what came of it; a work floor sees who comes, when and for how long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.world.organisations import (
    BY_ID,
    LEARNING,
    OCMW_AARSCHOT,
    REGIONS,
    VDAB,
    Region,
    centres,
    urn,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

VALIDITY = {"from": "2026-01-01", "to": "2039-12-31"}
DOORS = ["feed", "webhook", "kafka"]
FAMILIES = {
    "activation_referral": ["referral.*", "trajectory.*", "subject.*"],
    "placement_execution": ["placement.*"],
    "guidance_coordination": ["guidance.*"],
    "outcome_monitoring": ["outcome.*"],
    "rights_transition": ["transition.*"],
}
BETWEEN_WORKERS = [
    "core", "identify", "name", "staff_contact", "decision", "work_limits", "guidance", "outcome",
    "outcome_summary", "rights", "attendance", "note",
]  # fmt: skip
BETWEEN_AUTHORITIES = [*BETWEEN_WORKERS, "insz", "status"]
FROM_PARTNER = ["core", "identify", "name", "staff_contact", "decision", "work_limits", "note"]
TO_PARTNER = ["core", "decision"]
TO_WORK_FLOOR = ["core", "name", "work_limits"]


def documents() -> list[dict[str, Any]]:
    """The agreements of every region, in a fixed order."""
    return [*(document for region in REGIONS for document in _of(region)), apart()]


def apart() -> dict[str, Any]:
    """The one agreement of OCMW Aarschot with a work floor for learners, which a journey ends."""
    region = next(one for one in REGIONS if one.id == "demer")
    parties = (OCMW_AARSCHOT, LEARNING)
    grants = _mutual(parties, parties, BETWEEN_WORKERS, region)
    return _document("wereld-demer-leerwerkplek", "data_sharing_agreement", parties, grants)


def _of(region: Region) -> list[dict[str, Any]]:
    authorities = (VDAB, *centres(region))
    found = [
        _authorities(region, authorities),
        _workers(region, authorities),
        _work_floors(region, authorities),
    ]
    if region.partners:
        found.append(_partners(region, authorities))
    if region.others:
        found.append(_others(region, authorities))
    if region.towns:
        found.append(_towns(region))
    return found


def _authorities(region: Region, authorities: Sequence[str]) -> dict[str, Any]:
    grants = _mutual(authorities, authorities, BETWEEN_AUTHORITIES, region)
    return _document(f"wereld-{region.id}-overheden", "ivc_deliberation", authorities, grants)


def _workers(region: Region, authorities: Sequence[str]) -> dict[str, Any]:
    parties = (*authorities, *region.organisers)
    grants = _mutual(authorities, region.organisers, BETWEEN_WORKERS, region)
    grants += _mutual(region.organisers, parties, BETWEEN_WORKERS, region)
    return _document(f"wereld-{region.id}-organisatoren", "protocol_art8", parties, grants)


def _others(region: Region, authorities: Sequence[str]) -> dict[str, Any]:
    parties = (*authorities, *region.organisers, *region.others)
    grants = _mutual((*authorities, *region.organisers), region.others, BETWEEN_WORKERS, region)
    grants += _mutual(region.others, parties, BETWEEN_WORKERS, region)
    return _document(
        f"wereld-{region.id}-maatwerk-opleiding", "data_sharing_agreement", parties, grants
    )


def _partners(region: Region, authorities: Sequence[str]) -> dict[str, Any]:
    takers = (*authorities, *region.organisers)
    grants = [
        _grant(one, role, "activation_referral", FROM_PARTNER, region)
        for one in region.partners
        for role in _roles(takers)
    ]
    for one in (*takers, *region.others):
        told = ["referral.*", "trajectory.*", "placement.started", "placement.ended"]
        back = _grant(one, "local_partner", "activation_referral", TO_PARTNER, region)
        grants.append({**back, "events": told})
        summary = ["core", "outcome_summary"]
        grants.append(_grant(one, "local_partner", "outcome_monitoring", summary, region))
    parties = (*takers, *region.others, *region.partners)
    return _document(f"wereld-{region.id}-partners", "data_sharing_agreement", parties, grants)


def _work_floors(region: Region, authorities: Sequence[str]) -> dict[str, Any]:
    organisers = (*authorities, *region.organisers)
    grants = [
        _grant(one, "host", "placement_execution", TO_WORK_FLOOR, region) for one in organisers
    ]
    for one in region.hosts:
        grants += [
            _grant(one, role, "placement_execution", ["core"], region)
            for role in _roles(organisers)
        ]
        grants += [
            _grant(one, role, "guidance_coordination", ["core", "guidance"], region)
            for role in _roles(organisers)
        ]
    parties = (*organisers, *region.hosts)
    lawful = [{**grant, "legal_basis": "contract_6_1_b"} for grant in grants]
    return _document(f"wereld-{region.id}-werkvloeren", "data_sharing_agreement", parties, lawful)


def _towns(region: Region) -> dict[str, Any]:
    parties = (VDAB, *region.organisers, *region.towns)
    grants = []
    for one in parties:
        for role in _roles(parties):
            made = _grant(one, role, "aggregate_policy", ["core"], region)
            grants.append({**made, "events": ["offer.*"], "doors": ["feed"]})
    return _document(f"wereld-{region.id}-gemeenten", "protocol_art8", parties, grants)


def _mutual(
    senders: Iterable[str], recipients: Iterable[str], fieldsets: list[str], region: Region
) -> list[dict[str, Any]]:
    """Everything about a person, from each sender to each role of the recipients."""
    roles = _roles(recipients)
    return [
        _grant(sender, role, purpose, fieldsets, region)
        for sender in senders
        for role in roles
        for purpose in FAMILIES
    ]


def _grant(
    sender: str, to_role: str, purpose: str, fieldsets: list[str], region: Region
) -> dict[str, Any]:
    return {
        "from": urn(sender),
        "to_role": to_role,
        "events": list(FAMILIES.get(purpose, ())),
        "purpose": purpose,
        "fieldsets": list(fieldsets),
        "territory_nis": list(region.municipalities),
        "doors": list(DOORS),
    }


def _roles(participants: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(BY_ID[one].role for one in participants))


def _document(
    agreement_id: str, instrument: str, parties: Iterable[str], grants: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "agreement_id": agreement_id,
        "parties": [urn(one) for one in parties],
        "legal": {
            "instrument": instrument,
            "ref": f"verzonnen-{agreement_id}",
            "dpo_advice": "2025-12-01",
            "dpia": "verzonnen-dpia",
            "art9_ground": "social_law_9_2_b",
        },
        "validity": dict(VALIDITY),
        "grants": grants,
    }
