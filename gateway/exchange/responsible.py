"""Who has to act on a reminder: who is responsible for what it concerns."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.exchange.state import Referral, Trajectory

RESPONSIBLE = "responsible"

ABOUT_A_PART = frozenset(
    {
        "guidance.follow_up_due",
        "guidance.follow_up_done",
        "trajectory.reminder_due",
        "trajectory.task_raised",
        "trajectory.task_answered",
    }
)
"""Events of the trajectory that one participant has to act on, whoever else is told."""

TOLD = ABOUT_A_PART | {"trajectory.warning_raised"}
"""Events by which the hub tells whoever is responsible then; later ones were not meant."""


def for_case(case: Trajectory) -> str | None:
    """The case holder; without one whoever is proposed. During a hand-over still the old one."""
    return case.holder or case.proposed_holder


def for_referral(case: Trajectory, referral: Referral) -> str | None:
    """Whoever has to take the next step."""
    if referral.state == "pending_endorsement":
        return referral.endorser
    if referral.state == "waiting_info":
        return referral.referrer
    if referral.state == "accepted" and referral.organiser is not None:
        return referral.organiser
    return referral.handler or referral.target or for_case(case)


def for_part(case: Trajectory, part_id: str | None) -> str | None:
    """The participant responsible for a part of a case, or for the case when there is none."""
    if part_id in case.tasks:
        return case.tasks[part_id].addressee
    if part_id in case.referrals:
        return for_referral(case, case.referrals[part_id])
    if part_id in case.placements:
        return case.placements[part_id].organiser
    if part_id in case.rights:
        services = (one for one, role in case.members.items() if role == "V")
        return next(services, for_case(case))
    if case.state == "handing_over" and part_id is None:
        return case.offered_holder
    return for_case(case)
