"""What each event does to the state, by its name: two tables, which only `decide` reads.

Each effect changes the draft of one decision and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.exchange import conversion_effects as conversion
from gateway.exchange import endings, hours
from gateway.exchange import erasure_effects as erasure
from gateway.exchange import guidance_effects as guidance
from gateway.exchange import hold_effects as hold
from gateway.exchange import mandate_effects as mandate
from gateway.exchange import offer_effects as offer
from gateway.exchange import person_effects as person
from gateway.exchange import placement_effects as placement
from gateway.exchange import record_effects as record
from gateway.exchange import referral_effects as referral
from gateway.exchange import right_effects as right
from gateway.exchange import trajectory_effects as trajectory
from gateway.exchange.draft import Draft, Move
from gateway.exchange.tasks import raise_task

Effect = Callable[[Draft, Move], None]

EFFECTS: dict[str, Effect] = {
    "referral.created": referral.created,
    "referral.endorsed": referral.endorsed,
    "referral.endorsement_refused": referral.declined,
    "referral.claimed": referral.claimed,
    "referral.accepted": referral.accepted,
    "referral.declined": referral.declined,
    "referral.expired": referral.declined,
    "referral.redirected": referral.redirected,
    "referral.withdrawn": referral.withdrawn,
    "referral.closed": referral.closed,
    "referral.reopened": referral.reopened,
    "placement.planned": placement.planned,
    "placement.rescheduled": placement.rescheduled,
    "placement.corrected": placement.corrected,
    "placement.started": placement.started,
    "placement.mentor_assigned": placement.mentor_assigned,
    "placement.assignment_added": placement.assignment_added,
    "placement.assignment_ended": placement.assignment_ended,
    "placement.hours_reported": hours.reported,
    "placement.hours_stated": hours.stated,
    "placement.extended": placement.extended,
    "placement.start_confirmed": placement.start_confirmed,
    "placement.suspended": placement.suspended,
    "placement.ended": endings.ended,
    "placement.end_revoked": endings.end_revoked,
    "placement.voided": endings.voided,
    "transition.placement_converted": conversion.converted,
    "outcome.recorded": record.outcome_recorded,
    "transition.right_registered": right.registered,
    "transition.right_verified": right.verified,
    "transition.right_refused": right.ended,
    "transition.right_dormant": right.dormant,
    "transition.right_revived": right.awake,
    "transition.right_lapsed": right.lapsed,
    "transition.right_closed": right.ended,
    "transition.right_reinstated": right.awake,
    "outcome.follow_up_recorded": record.outcome_followed_up,
    "outcome.corrected": record.outcome_corrected,
    "guidance.contact_recorded": guidance.contacted,
    "guidance.evaluation_completed": guidance.evaluated,
    "offer.published": offer.published,
    "offer.updated": offer.updated,
    "offer.capacity_changed": offer.capacity_changed,
    "offer.displacement_resolved": offer.resolved,
    "offer.withdrawn": offer.ended,
    "offer.lapsed": offer.ended,
    "transition.organiser_mandate_changed": mandate.proposed,
    "transition.organiser_mandate_accepted": mandate.accepted,
    "trajectory.organiser_changed": mandate.organiser_changed,
    "trajectory.opened": trajectory.opened,
    "trajectory.case_holder_assigned": trajectory.assigned,
    "trajectory.handover_offered": trajectory.offered,
    "trajectory.case_holder_changed": trajectory.changed,
    "trajectory.handover_declined": trajectory.declined,
    "trajectory.closed": trajectory.closed,
    "trajectory.reopened": mandate.reopened,
    "trajectory.territory_changed": trajectory.territory_changed,
    "trajectory.task_raised": trajectory.task_raised,
    "trajectory.warning_raised": offer.case_warned(raise_task),
    "trajectory.task_answered": trajectory.task_answered,
    "trajectory.viewing_right_granted": trajectory.viewing_granted,
    "trajectory.viewing_right_ended": trajectory.viewing_ended,
    "trajectory.joined": person.joined,
    "subject.details_changed": person.details_changed,
    "subject.linked": person.linked,
    "subject.unlinked": person.unlinked,
    "subject.merged": person.merged,
    "subject.erased": erasure.erased,
    "subject.objection_recorded": hold.objected,
    "subject.objection_lifted": hold.lifted,
    "subject.consent_withdrawn": hold.withdrawn,
}
"""What an event does beyond changing the state of its aggregate."""

MOVED: dict[str, Effect] = {
    "referral": referral.moved,
    "placement": placement.moved,
    "outcome": record.outcome_moved,
    "right": right.moved,
    "offer": offer.moved,
    "mandate": mandate.moved,
    "trajectory": trajectory.moved,
}
"""What every other event does, by aggregate type."""
