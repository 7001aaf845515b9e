"""Every fact is made from what was accepted, and taken back when it turns out not to be so."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from gateway.exchange.decide import decide
from gateway.exchange.decision import HUB, Accepted
from gateway.exchange.facts import COUNTED
from gateway.exchange.state_rows import dumps, loads_offer, loads_trajectory
from schemas.catalogue import catalogue
from schemas.facts import Fact, decode_fact, encode_fact
from schemas.programmes import shipped_rules
from tests.gateway.exchange import cast

if TYPE_CHECKING:
    from gateway.exchange.offer_state import Offer
    from gateway.exchange.state import Trajectory

V, W, P, H, S = (cast.RELATED[role] for role in "VWPHS")
REFERRAL = {"programme": "wijk_werken", "reason_codes": ["work_rhythm"]}
START = {"insured": True, "declaration": {"declared": True}, "start_date": "2026-05-28"}
FIRST = date(2026, 5, 28)
Key = tuple[object, ...]


class Story:
    """One case or offer, event by event, each on a day after the first; facts add up."""

    def __init__(self, case: Trajectory | None = None, offer: Offer | None = None) -> None:
        self.case = case
        self.offer = offer
        self.facts: list[Fact] = []
        self.numbers = cast.ids()

    def send(
        self,
        name: str,
        sender: str,
        data: dict[str, Any] | None = None,
        *,
        day: int = 0,
        **more: Any,
    ) -> list[Fact]:
        """What one accepted event adds; the state goes through its row's JSON."""
        now = cast.NOW + day * cast.DAY
        if self.case is not None:
            more.setdefault("trajectory_id", self.case.id)
        sent = cast.submission(name, sender, data or {}, occurred_at=now, **more)
        context = replace(cast.context(self.case, self.offer), now=now, new_id=self.numbers)
        decided = decide(sent, context)
        assert isinstance(decided, Accepted), decided.error.detail.en
        if decided.trajectory is not None:
            self.case = loads_trajectory(dumps(decided.trajectory))
        if decided.offer is not None:
            self.offer = loads_offer(dumps(decided.offer))
        self.facts += decided.facts
        return list(decided.facts)

    def stands(self, indicator: str, *names: str) -> dict[Key, int]:
        """How often each combination of the named fields stands, taken back ones gone."""
        found: Counter[Key] = Counter()
        for one in self.facts:
            if one.indicator == indicator:
                found[tuple(getattr(one, name) for name in names)] += one.count
        return {key: many for key, many in found.items() if many}


def started() -> Story:
    """A placement that started on the first day."""
    story = Story(cast.case_with("placement", "planned"))
    story.send("placement.started", W, START, subject=cast.PLACEMENT)
    return story


def test_inflow_says_channel_municipality_and_programme() -> None:
    """A referral counts once, by who referred, under the rules that applied."""
    story = Story()
    story.send("referral.created", P, REFERRAL)

    fields = ("month", "nis", "programme", "channel", "rule_set")
    assert story.stands("referral_inflow", *fields) == {
        (
            "2026-05",
            cast.NIS,
            "wijk_werken",
            "P",
            shipped_rules().rule_set("wijk_werken", cast.TODAY).version,
        ): 1
    }


def test_voiding_a_referral_takes_all_of_it_back() -> None:
    """The wrong person was never referred, never answered, and forecasts nothing."""
    story = Story()
    created = {**REFERRAL, "target_org": cast.urn_of(W), "benefit_ends_on": "2026-09-30"}
    story.send("referral.created", V, created)
    story.send("referral.declined", W, {"reason": "no_capacity"}, day=3)
    before = story.stands("referral_answer", "code", "detail", "days")
    story.send("referral.voided", V, {"reason": "wrong_person"}, day=40)

    assert before == {("declined", "no_capacity", 3): 1}
    for indicator in ("referral_inflow", "referral_answer", "benefit_end"):
        assert story.stands(indicator, "month", "nis", "code") == {}


def test_a_redirected_person_is_no_second_inflow() -> None:
    """The child of a redirection waits anew for its answer, and nobody new came in."""
    story = Story()
    story.send("referral.created", V, {**REFERRAL, "target_org": cast.urn_of(W)})
    target = {"child_referral_id": cast.FRESH, "new_target": cast.urn_of(S), "reason": "other"}
    story.send("referral.redirected", W, target, day=5)
    story.send("referral.accepted", S, {}, day=9, subject=cast.FRESH)

    assert story.stands("referral_inflow", "channel") == {("V",): 1}
    assert story.stands("referral_answer", "code", "days") == {("accepted", 4): 1}


def test_a_reopened_refusal_is_no_refusal() -> None:
    """Reopening takes the answer back; the next one counts, from the first day."""
    story = Story()
    story.send("referral.created", V, {**REFERRAL, "target_org": cast.urn_of(W)})
    story.send("referral.declined", W, {"reason": "no_capacity"}, day=2)
    story.send("referral.reopened", W, {"reason": "error"}, day=4)
    story.send("referral.accepted", W, {}, day=6)

    assert story.stands("referral_answer", "code", "days") == {("accepted", 6): 1}


def test_an_end_of_benefit_is_forecast_once_a_case_in_its_own_month() -> None:
    """The last date that was told counts, for the municipality (R12)."""
    story = Story()
    story.send("referral.created", V, {**REFERRAL, "benefit_ends_on": "2026-09-30"})
    changed = {"benefit_ends_on": "2026-11-30"}
    story.send("referral.corrected", V, changed, day=1)

    assert story.stands("benefit_end", "month", "nis") == {("2026-11", cast.NIS): 1}


def test_start_counts_the_days_since_the_answer_and_the_mentor() -> None:
    """From answer to start, on the first day of the work, by the channel of the referral."""
    story = Story(cast.case(referrals={cast.REFERRAL: cast.referral("sent")}))
    story.send("referral.accepted", W, {}, day=-8)
    plan = {
        "programme": "wijk_werken",
        "referral_id": cast.REFERRAL,
        "start_date": "2026-06-01",
        "planned_end": "2026-11-30",
        "assignments": [
            {"assignment_id": cast.ASSIGNMENT, "host_org": cast.urn_of(H), "mentor": {"name": "M"}}
        ],
    }
    story.send("placement.planned", W, plan, day=-3)
    story.send("placement.started", W, {**START, "start_date": "2026-06-01"})

    fields = ("month", "channel", "code", "days")
    assert story.stands("placement_start", *fields) == {("2026-06", "P", "mentor", 12): 1}


@pytest.mark.parametrize("undone", ["placement.voided", "placement.end_revoked"])
def test_an_end_that_was_none_is_taken_back(undone: str) -> None:
    """Duration, reason and minutes are gone when the end is revoked or the placement voided."""
    story = started()
    end = {"reason": "person_stopped", "end_date": "2026-06-20", "early": True}
    story.send(
        "guidance.contact_recorded", W, {"kind": "phone", "on": "2026-06-02", "duration_min": 20}
    )
    story.send("placement.ended", W, end, day=24, subject=cast.PLACEMENT)
    ended = story.stands("placement_end", "month", "code", "detail", "days")
    minutes = story.stands("placement_guidance", "value")
    story.send(undone, W, {"reason": "error"}, day=25, subject=cast.PLACEMENT)

    assert ended == {("2026-06", "person_stopped", "early", 23): 1}
    assert minutes == {(20,): 1}
    assert (
        story.stands("placement_end", "code") == story.stands("placement_guidance", "value") == {}
    )
    assert bool(story.stands("placement_start", "code")) is (undone == "placement.end_revoked")


def test_another_first_day_changes_start_and_duration() -> None:
    """A correction counts as if it had been right at once."""
    story = started()
    story.send("placement.ended", W, {"reason": "goal_reached", "end_date": "2026-06-27"}, day=31)
    story.send(
        "placement.corrected", W, {"start_date": "2026-06-07"}, day=32, subject=cast.PLACEMENT
    )

    assert story.stands("placement_start", "month") == {("2026-06",): 1}
    assert story.stands("placement_end", "code", "days") == {("goal_reached", 20): 1}


def test_each_period_of_the_rhythm_is_guided_or_not() -> None:
    """Four weeks with a contact and four without, by the programme's own rhythm (R6)."""
    story = started()
    story.send("guidance.contact_recorded", W, {"kind": "coach_visit", "on": "2026-06-10"}, day=13)
    story.send("guidance.plan_aligned", V, day=60)

    fields = ("month", "code")
    assert story.stands("contact_period", *fields) == {
        ("2026-06", "guided"): 1,
        ("2026-07", "no_contact"): 1,
    }


def test_a_contact_told_late_counts_in_its_own_period() -> None:
    """What was counted as missed is set right."""
    story = started()
    story.send("guidance.plan_aligned", V, day=30)
    missed = story.stands("contact_period", "code")
    story.send("guidance.contact_recorded", W, {"kind": "phone", "on": "2026-06-10"}, day=31)

    assert missed == {("no_contact",): 1}
    assert story.stands("contact_period", "code") == {("guided",): 1}


def test_a_suspended_period_and_one_after_the_end_count_for_nobody() -> None:
    """Nobody is asked to guide who is not there."""
    story = started()
    story.send("placement.suspended", W, {"reason": "holiday"}, day=2, subject=cast.PLACEMENT)
    story.send("placement.resumed", W, {}, day=30, subject=cast.PLACEMENT)
    ended = {"reason": "absence", "end_date": (FIRST + timedelta(days=40)).isoformat()}
    story.send("placement.ended", W, ended, day=70, subject=cast.PLACEMENT)

    assert story.stands("contact_period", "code") == {}


def test_evaluations_are_on_time_by_the_programmes_own_months() -> None:
    """One evaluation in the first half year, none in the second."""
    story = started()
    story.send("guidance.evaluation_completed", W, {"on": "2026-11-20"}, day=176)
    story.send("guidance.plan_aligned", V, day=400)

    assert story.stands("evaluation_period", "code") == {("on_time",): 1, ("missed",): 1}


def test_growth_is_counted_from_the_first_evaluation_to_the_last() -> None:
    """Each competence by its levels, the rhythm by its codes; what lies between is gone (R18)."""
    story = started()
    for day, level, rhythm in ((30, 2, "unstable"), (90, 3, "building"), (180, 5, "stable")):
        scores = [
            {"competence": "punctual", "level": level},
            {"competence": "Free text", "level": 1},
        ]
        on = (FIRST + timedelta(days=day)).isoformat()
        data = {"on": on, "scores": scores, "rhythm": rhythm}
        story.send("guidance.evaluation_completed", W, data, day=day)

    assert story.stands("competence_growth", "code", "value") == {("punctual", 3): 1}
    assert story.stands("rhythm_growth", "code", "detail") == {("unstable", "stable"): 1}


def test_minutes_count_by_kind() -> None:
    """Mentors' and coaches' time is known apart (R17)."""
    story = started()
    for kind, minutes in (("mentor_talk", 30), ("coach_visit", 45)):
        data = {"kind": kind, "on": "2026-06-01", "duration_min": minutes}
        story.send("guidance.contact_recorded", W, data, day=4)

    assert story.stands("guidance_contact", "code", "value") == {
        ("mentor_talk", 30): 1,
        ("coach_visit", 45): 1,
    }


def test_exits_follow_their_corrections() -> None:
    """The type that holds is the one that counts, in the month of the outcome, also later on."""
    story = Story(cast.case_with("placement", "ended"))
    story.send(
        "outcome.recorded", W, {"type": "regular_job", "on": "2026-05-20"}, subject=cast.OUTCOME
    )
    story.send("outcome.confirmed", V, {"evidence": "document"}, day=1)
    story.send("outcome.follow_up_recorded", V, {"month": 12, "still_in": "yes"}, day=365)
    story.send("outcome.corrected", W, {"type": "education"}, day=370)

    assert story.stands("exit", "month", "code") == {("2026-05", "education"): 1}
    assert story.stands("sustained_12", "month", "code", "detail") == {
        ("2027-05", "yes", "education"): 1
    }
    story.send("outcome.voided", W, {"reason": "wrong_person"}, day=371)
    assert story.stands("exit", "code") == story.stands("sustained_12", "code") == {}


def test_an_exit_without_a_placement_is_that_of_the_only_one() -> None:
    """The programme that led to it gets it, also when the sender leaves it out."""
    story = Story(cast.case_with("placement", "ended"))
    story.send("outcome.recorded", W, {"type": "regular_job"}, subject=cast.OUTCOME)

    assert story.stands("exit", "programme", "channel") == {("wijk_werken", "P"): 1}


def test_rights_are_a_stock_that_moves() -> None:
    """A right leaves one state in the month in which it enters the other."""
    story = Story(cast.case_with("right", "none"))
    right = {"basis": "pwa_agreement_2017_09_30"}
    story.send("transition.right_registered", W, right, subject=cast.RIGHT)
    story.send("transition.right_verified", V, {"on": "2026-07-01"}, day=35, subject=cast.RIGHT)

    moves = [
        (one.month, one.code, one.count) for one in story.facts if one.indicator == "right_state"
    ]
    assert moves == [
        ("2026-05", "claimed", 1),
        ("2026-07", "claimed", -1),
        ("2026-07", "active", 1),
    ]


def test_a_hand_over_says_from_which_role_to_which_and_why() -> None:
    """Benefit to OCMW is counted in the month in which it takes effect (R12)."""
    story = Story(cast.case("handing_over"))
    data = {"reason": "benefit_ended", "effective": "2026-07-01"}
    data |= {"from": cast.urn_of(V), "to": cast.urn_of(cast.OFFERED)}
    story.send("trajectory.case_holder_changed", cast.OFFERED, data)

    concerned = tuple(sorted((V, cast.OFFERED)))
    fields = ("month", "code", "detail", "concerned")
    assert story.stands("handover", *fields) == {("2026-07", "benefit_ended", "V-O", concerned): 1}
    assert story.stands("open_case", "code") == {("O",): 1}


def test_places_follow_the_offer() -> None:
    """Free and used places move with the capacity and are gone with the offer."""
    story = Story()
    declared = {"non_displacement": {"declared": True}, "places": 4}
    story.send("offer.published", W, declared, subject=cast.OFFER, territory_nis=cast.NIS)
    story.send("offer.capacity_changed", W, {"free_places": 1}, subject=cast.OFFER, day=1)
    standing = story.stands("places", "code", "value")
    story.send("offer.withdrawn", W, {"reason": "other"}, subject=cast.OFFER, day=2)

    assert standing == {("free", 1): 1, ("used", 3): 1}
    assert story.stands("places", "code", "value") == {}


def test_displacement_is_counted_when_reported_and_when_resolved() -> None:
    """With its ground, its decision, and the days between."""
    story = Story(offer=cast.offer("published"))
    report = {"ground": "replaces_regular_staff", "reporter_role": "social_economy"}
    story.send("offer.displacement_reported", S, report, subject=cast.OFFER)
    decided = {"decision": "unfounded", "decided_by": cast.urn_of(V)}
    story.send("offer.displacement_resolved", V, decided, subject=cast.OFFER, day=10)

    assert story.stands("displacement", "code", "detail", "days") == {
        ("reported", "replaces_regular_staff", None): 1,
        ("resolved", "unfounded", 10): 1,
    }


def test_a_warning_is_counted_by_its_kind() -> None:
    """Overlap with another programme shows in the figures (R9)."""
    story = Story(cast.case_with("placement", "active"))
    story.send("trajectory.warning_raised", HUB, {"kind": "overlap", "detail_code": "x"})

    assert story.stands("warning", "code") == {("overlap",): 1}


def test_registration_is_counted_for_its_sender() -> None:
    """What a partner makes, corrects and voids, and how many days after it happened."""
    story = Story()
    story.send("referral.created", V, dict(REFERRAL))
    story.send("referral.corrected", V, {"benefit_ends_on": "2026-09-30"}, day=1)
    story.send("referral.voided", V, {"reason": "duplicate"}, day=2)

    fields = ("code", "channel", "concerned")
    assert story.stands("registration", *fields) == {
        (code, "V", (V,)): 1 for code in ("created", "corrected", "voided")
    }


def test_only_organisations_that_have_the_case_are_concerned() -> None:
    """Holder, organiser and handler; neither the referring partner nor the host is named."""
    story = started()
    (fact,) = (one for one in story.facts if one.indicator == "placement_start")

    assert set(fact.concerned) == {V, W}


def test_no_fact_names_a_person_or_a_case() -> None:
    """Whatever the data hold, no id, name or text of them is in a fact or in the tally."""
    story = Story()
    person = {"given_name": "Kanarie", "family_name": "Testers", "postcode": "3300"}
    data = {**REFERRAL, "target_org": cast.urn_of(W), "person": person, "note": "kanarie"}
    story.send("referral.created", V, data)
    story.send("referral.declined", W, {"reason": "other", "reason_text": "kanarie"}, day=1)
    assert story.case is not None

    published = b"".join(encode_fact(one) for one in story.facts).lower()
    assert b"kanarie" not in published
    assert not [
        one
        for one in (story.case.id, story.case.subject_id, *story.case.referrals)
        if one.encode() in published
    ]
    assert b"kanarie" not in dumps(story.case).lower()
    assert b"reason_text" not in dumps(story.case)


def test_a_fact_survives_the_log() -> None:
    """Every column is read as it was written."""
    fact = Fact(
        "exit", "2026-05", cast.NIS, "wijk_werken", "P", "regular_job", -1, 3, "x", 4, "r", (V,)
    )

    assert decode_fact(encode_fact(fact)) == fact


def test_every_counted_event_is_in_the_catalogue() -> None:
    """A name that no event has would never count."""
    known = {one.name for one in catalogue().all()}

    assert set(COUNTED) <= known
