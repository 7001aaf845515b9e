"""The rules of one programme in one period, as values (`domain.md` §3.7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from schemas import roles

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

DRAFT: Final = "draft"
PUBLISHED: Final = "published"
IN_FORCE: Final = "in_force"
ENDED: Final = "ended"
STATUSES: Final = frozenset({DRAFT, PUBLISHED, IN_FORCE, ENDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """The values of a rule set. None is unset and is not checked.

    `_days` are calendar days unless the name says working days; `handover_days` are working days.

    Attributes:
        is_capped: hours count towards the overlap rule.
        duration_months: length of a first placement; `max_duration_months` counts extensions in.
        answer_days: from sent to the escalation; the reminder comes at `answer_reminder_days`.
        escalation_days: from the escalation of a silent target to `referral.expired`.
        claimed_counts_until: last day on which a claimed right counts as verified.
        is_employment: people work under it for a wage; the same work at the same place under
            another programme is an overlap of offers.
        publication_notice_days: a rule that changes what holds for people is known as long before.
        protected_age: below it, while of compulsory school age, referrals go to O and V only.
        reveals_health: taking part lets health be inferred, so the programme is class S4.
    """

    # hours, duration, money
    is_capped: bool | None = None
    hours_per_month_min: int | None = None
    hours_per_month_max: int | None = None
    hours_per_year_max: int | None = None
    half_days_per_week_min: int | None = None
    duration_months: int | None = None
    min_duration_months: int | None = None
    extensions_max: int | None = None
    extension_months: int | None = None
    max_duration_months: int | None = None
    is_until_full_benefit_rights: bool | None = None
    allowance_per_hour: Decimal | None = None
    cheque_price_base: Decimal | None = None
    cheque_price_usual: Decimal | None = None
    evaluation_months: int | None = None
    # conditions
    domicile_region: str | None = None
    requires_jobseeker_or_living_wage: bool | None = None
    requires_displacement_test: bool | None = None
    is_employment: bool | None = None
    requires_trained_mentor: bool | None = None
    requires_written_document_before_start: bool | None = None
    is_compulsory: bool | None = None
    jobseeker_years_min: int | None = None
    min_age: int | None = None
    protected_age: int | None = None
    claimed_counts_until: date | None = None
    reveals_health: bool | None = None
    # referrals
    answer_days: int | None = None
    answer_reminder_days: int | None = None
    escalation_days: int | None = None
    reopen_days: int | None = None
    no_start_reminder_days: int | None = None
    no_start_close_days: int | None = None
    # trajectories
    unassigned_working_days: int | None = None
    unassigned_escalation_working_days: int | None = None
    handover_days: int | None = None
    closing_event_grace_days: int | None = None
    trajectory_idle_months: int | None = None
    trajectory_unassigned_idle_months: int | None = None
    trajectory_closing_reminder_months: int | None = None
    aftercare_months: int | None = None
    publication_notice_days: int | None = None
    # placements and guidance
    start_overdue_days: int | None = None
    start_confirmation_days: int | None = None
    end_warning_days: int | None = None
    end_overdue_days: int | None = None
    end_revoke_days: int | None = None
    outcome_missing_days: int | None = None
    hours_late_months: int | None = None
    hours_difference_percent: int | None = None
    contact_rhythm_weeks: int | None = None
    counsellor_silence_weeks: int | None = None
    # outcomes, offers, rights, mandates
    outcome_provisional_days: int | None = None
    displacement_answer_days: int | None = None
    right_claimed_days: int | None = None
    right_inactive_months: int | None = None
    right_lapse_notice_days: int | None = None
    mandate_late_hours_months: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcquiredRight:
    """What a verified, unlimited right from the time of the PWA changes in a programme."""

    is_duration_unlimited: bool | None = None
    is_year_cap_lifted: bool | None = None
    invitation_months: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet(Parameters):
    """The rules of one programme in one period.

    Attributes:
        version: what an event's `ruleset` says; names exactly these rules.
        status: draft, published, in_force or ended, on the day asked for.
        legal_reference: the law behind it; production asks for one.
        endorsement_required_from: role letters whose referral needs the decision of a V or O.
        left_open: names of values that a law still has to settle: named, and without a value.
    """

    programme: str
    version: str
    status: str
    valid_from: date
    valid_to: date | None
    legal_reference: str | None
    sources: tuple[str, ...]
    endorsement_required_from: frozenset[str]
    acquired_right: AcquiredRight | None = None
    left_open: frozenset[str] = frozenset()

    @property
    def is_in_force(self) -> bool:
        """Whether production accepts referrals and placements under it."""
        return self.status == IN_FORCE and self.legal_reference is not None

    def endorsement_required(self, channel: str) -> bool:
        """Tell whether a referral sent in a role (letter or name) waits for an endorsement.

        Raises:
            KeyError: no such role.
        """
        return roles.letter(channel) in self.endorsement_required_from

    def unset(self, *names: str) -> tuple[str, ...]:
        """Return those of the named parameters that have no value.

        Raises:
            AttributeError: no such parameter.
        """
        return tuple(name for name in names if getattr(self, name) is None)
