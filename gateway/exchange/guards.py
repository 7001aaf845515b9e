"""The conditions that the lifecycle tables name: what else must hold for a transition.

Each guard is a pure check on the draft; it raises the refusal that names the field and the fix.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.exchange import assignment_guards as assignment
from gateway.exchange import case_guards as case
from gateway.exchange import conversion_guards as conversion
from gateway.exchange import entry_guards as entry
from gateway.exchange import erasure_effects as erasure
from gateway.exchange import hold_effects as hold
from gateway.exchange import hours_guards as hours
from gateway.exchange import mandate_guards as mandate
from gateway.exchange import offer_guards as offer
from gateway.exchange import outcome_guards as outcome
from gateway.exchange import person_guards as person
from gateway.exchange import placement_guards as placement
from gateway.exchange import referral_guards as referral
from gateway.exchange import right_guards as right
from gateway.exchange import terms
from gateway.exchange.draft import Draft, Move

Guard = Callable[[Draft, Move], None]

GUARDS: dict[str, Guard] = {
    guard.__name__: guard
    for guard in (
        referral.target_covered,
        referral.programme_determined,
        referral.new_child,
        referral.no_living_placement,
        referral.still_reversible,
        entry.informed_before,
        entry.programme_open,
        entry.consent_referenced,
        entry.minor_to_desk,
        entry.protected_to_desk,
        entry.undecided_to_desk,
        placement.may_plan,
        placement.mentor,
        placement.insured,
        placement.declaration,
        placement.case_holder_known,
        offer.independent_of_offer,
        offer.declaration_kept,
        offer.not_over,
        offer.within_places,
        offer.offer_open,
        offer.still_used,
        placement.endorsed,
        placement.hosts_covered,
        assignment.assignments_distinct,
        assignment.assignment_fresh,
        assignment.assignment_known,
        assignment.assignment_left,
        terms.term_fits,
        terms.extension_fits,
        hours.period_not_future,
        hours.report_fits,
        hours.statement_fits,
        outcome.independent_evidence,
        outcome.outcome_dated,
        outcome.outcome_of_known,
        outcome.followed_up_once,
        case.nothing_open,
        case.offered_to_another,
        case.holder_is_sender,
        case.handover_named,
        case.moved_elsewhere,
        case.may_view,
        case.is_viewer,
        case.open_task,
        case.still_to_decide,
        case.decline_fits,
        case.talk_of_mentor,
        case.after_care,
        conversion.converts_this,
        conversion.as_published,
        mandate.mover_serves,
        mandate.organisers_differ,
        mandate.still_served,
        mandate.own_period,
        right.registered_once,
        right.activity_not_future,
        right.decided,
        right.lapse_ground,
        right.closing_ground,
        right.reinstating_ground,
        person.another_person,
        person.linked_person,
        person.two_persons,
        person.same_person,
        person.fitting_answer,
        erasure.no_duty_to_keep,
        hold.objection_in_force,
    )
}
"""Guard by the name that the tables use."""
