"""For any event and any reader: what happened since only ever takes away, and duties go through."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as changed

from gateway.exchange.authorise import Granted, Stopped, Verdict, authorise
from gateway.exchange.decision import Recipient
from gateway.exchange.holds import CONSENT_WITHDRAWN, OBJECTION, Hold
from gateway.exchange.legs import LEGS
from gateway.exchange.records import COLUMNS, LedgerRow
from gateway.exchange.registry import Registry
from gateway.exchange.standing import Membership, Standing
from gateway.exchange.state import Left
from gateway.exchange.territory_moves import Move
from schemas.catalogue import catalogue
from schemas.duties import duties
from schemas.projection import top_of
from tests.gateway.exchange import cast

V, O, W = (cast.RELATED[one] for one in "VOW")  # noqa: E741 - the role's letter
SENDER = cast.RELATED["P"]
EVENTS = [one for one in catalogue().names if catalogue().event(one).personal]
RELATIONS = ["target", "handler", "organiser", "case_holder", "proposed_holder", "referrer", "host"]
LEAVING = Left(cast.NOW, ("handler",), "e-5")
HELD = Hold(OBJECTION, cast.SUBJECT, cast.NOW)


def row(name: str, **changes: Any) -> LedgerRow:
    """An event that the local partner sent about the person."""
    empty: dict[str, Any] = dict.fromkeys(COLUMNS)
    known = {
        "event_id": "e-4",
        "participant": SENDER,
        "producer_org": cast.urn_of(SENDER),
        "caused_by": SENDER,
        "event_name": name,
        "trajectory_id": cast.TRAJECTORY,
        "subject_id": cast.SUBJECT,
        "territory_nis": cast.NIS,
        "purpose": "activation_referral",
        "legal_basis": "public_task_6_1_e",
        "recorded_at": cast.NOW,
        "recipients": (Recipient(W, "W", ("organiser",), served=True),),
    }
    return LedgerRow(**empty | known | changes)


def asked(
    one: LedgerRow, who: str, relations: set[str], standing: Standing, registry: Registry
) -> Verdict:
    """What a door is told today."""
    return authorise(
        registry,
        one,
        who,
        frozenset(relations),
        on=cast.TODAY,
        now=cast.NOW,
        door="feed",
        standing=standing,
    )


def membership(**changes: Any) -> Membership:
    """A case of which the organiser is no member, changed."""
    bare = cast.case()
    return Membership(changed(bare, referrals={}, placements={}, outcomes={}, rights={}, **changes))


def reads(verdict: Verdict) -> frozenset[str]:
    """The fields that somebody gets."""
    return verdict.projection.delivered if isinstance(verdict, Granted) else frozenset()


holds = st.builds(
    Hold,
    kind=st.sampled_from([OBJECTION, CONSENT_WITHDRAWN]),
    said_of=st.just(cast.SUBJECT),
    at=st.just(cast.NOW),
    organisation=st.sampled_from([None, cast.urn_of(W), cast.urn_of(SENDER), cast.urn_of(O)]),
    purpose=st.sampled_from([None, "activation_referral", "outcome_monitoring"]),
    over_at=st.sampled_from([None, cast.NOW - 1, cast.NOW + 1]),
)
leavings = st.dictionaries(st.sampled_from([V, O, W]), st.just(LEAVING))


@settings(deadline=None)
@given(
    name=st.sampled_from(EVENTS),
    who=st.sampled_from([V, O, W]),
    relations=st.sets(st.sampled_from(RELATIONS), min_size=1),
    since=st.tuples(st.lists(holds, max_size=3), leavings, st.sampled_from([None, V, O])),
)
def test_what_happened_since_only_takes_away(
    name: str,
    who: str,
    relations: set[str],
    since: tuple[list[Hold], dict[str, Left], str | None],
) -> None:
    """No hold, departure or hand-over of a case ever opens a field."""
    said, left, holder = since
    registry, one = cast.registry(), row(name)
    before = asked(one, who, relations, Standing(), registry)
    after = asked(
        one, who, relations, Standing(tuple(said), membership(left=left, holder=holder)), registry
    )

    assert reads(after) <= reads(before)
    if isinstance(before, Granted) and isinstance(after, Granted):
        assert before.is_masked <= after.is_masked


@settings(deadline=None)
@given(
    name=st.sampled_from(EVENTS),
    who=st.sampled_from([V, O, W]),
    relations=st.sets(st.sampled_from(RELATIONS), min_size=1),
)
def test_an_objection_lets_through_what_a_duty_names_and_nothing_else(
    name: str, who: str, relations: set[str]
) -> None:
    """By the file: another event stops, and of a duty's event only the fields that it names go."""
    registry, one = cast.registry(), row(name)
    before = asked(one, who, relations, Standing(), registry)
    after = asked(one, who, relations, Standing((HELD,)), registry)
    named = [d for d in duties().values() if d.binds(OBJECTION, name, frozenset(relations))]

    if isinstance(before, Stopped):
        assert isinstance(after, Stopped)
    elif not named:
        assert after == Stopped(OBJECTION)
    else:
        only = named[0].events[name]
        assert isinstance(after, Granted)
        if only is not None:
            assert {top_of(path) for path in reads(after)} <= only
        sets = named[0].fieldsets
        kept = {f.fieldset for f in catalogue().event(name).fields if f.path in reads(after)}
        assert sets is None or kept <= sets


@pytest.mark.parametrize(
    ("organisation", "purpose"),
    list(product([None, W, SENDER, O], [None, "activation_referral", "outcome_monitoring"])),
)
def test_an_objection_stops_in_its_scope(organisation: str | None, purpose: str | None) -> None:
    """Data of, or deliveries to, an organisation; for one purpose; or all of it."""
    hold = Hold(
        OBJECTION,
        cast.SUBJECT,
        cast.NOW,
        None if organisation is None else cast.urn_of(organisation),
        purpose,
    )
    verdict = asked(row("referral.created"), W, {"handler"}, Standing((hold,)), cast.registry())
    stops = organisation != O and purpose != "outcome_monitoring"

    assert isinstance(verdict, Stopped) is stops
    assert not stops or verdict == Stopped(OBJECTION)


@pytest.mark.parametrize(
    ("basis", "over_at", "stops"),
    [
        ("consent_6_1_a", None, True),
        ("consent_6_1_a", cast.NOW + 1, True),
        ("consent_6_1_a", cast.NOW, False),
        ("public_task_6_1_e", None, False),
    ],
)
def test_withdrawn_consent_stops_what_rests_on_it(
    basis: str, over_at: int | None, *, stops: bool
) -> None:
    """On that ground alone, and not what was recorded since it was given anew."""
    hold = Hold(CONSENT_WITHDRAWN, cast.SUBJECT, cast.NOW - 1, over_at=over_at)
    one = row("referral.created", caused_by=W, legal_basis=basis)
    verdict = asked(one, W, {"handler"}, Standing((hold,)), cast.registry())

    assert verdict == Stopped(CONSENT_WITHDRAWN) if stops else isinstance(verdict, Granted)


@pytest.mark.parametrize(
    ("recorded_at", "event_id", "stops"),
    [
        (cast.NOW - 1, "e-9", True),
        (cast.NOW, "e-4", True),
        (cast.NOW, "e-5", False),
        (cast.NOW, "e-6", False),
        (cast.NOW + 1, "e-1", False),
    ],
)
def test_who_left_gets_what_came_before_no_more(
    recorded_at: int, event_id: str, *, stops: bool
) -> None:
    """The event by which it left goes through, and what was meant for it afterwards."""
    one = row("referral.created", recorded_at=recorded_at, event_id=event_id)
    gone = Standing(membership=membership(left={W: LEAVING}))
    verdict = asked(one, W, {"handler"}, gone, cast.registry())

    assert verdict == Stopped("membership_ended") if stops else isinstance(verdict, Granted)


def test_who_came_back_gets_it_again() -> None:
    """Present members count, whatever was noted of them before."""
    back = Standing(membership=membership(left={V: LEAVING}, holder=V))
    early = row("referral.created", recorded_at=cast.NOW - 5)

    assert isinstance(asked(early, V, {"handler"}, back, cast.registry()), Granted)


def test_late_hours_outlive_a_membership_and_an_objection() -> None:
    """The organiser has to pay and insure what was worked; it is told the hours and no more."""
    stated = row("placement.hours_stated", recorded_at=cast.NOW - 1)
    gone = Standing((HELD,), membership(left={W: LEAVING}))
    verdict = asked(stated, W, {"organiser"}, gone, cast.registry())

    assert reads(verdict) == {"assignment_id", "period", "hours"}
    assert asked(stated, W, {"handler"}, gone, cast.registry()) == Stopped("membership_ended")


def test_a_former_case_holder_reads_as_what_it_is_now() -> None:
    """Whoever handed the case over and still takes part loses what only a holder may read."""
    one, registry = row("referral.created"), cast.registry()
    still = Standing(membership=membership(viewers=(O,), holder=V))
    was = {"case_holder", "viewer"}

    assert reads(asked(one, O, was, still, registry)) == reads(
        asked(one, O, {"viewer"}, Standing(), registry)
    )
    assert reads(asked(one, O, was, Standing(), registry)) > reads(
        asked(one, O, was, still, registry)
    )


def serving(nis: frozenset[str], *moves: Move) -> Registry:
    """The cast in which the organiser serves other municipalities."""
    known = cast.registry()
    members = [
        replace(one, territory=nis, moves=moves) if one.id == W else one
        for one in known.participants.values()
    ]
    return Registry.build(
        version=2,
        environment="test",
        organisations=known.organisations.values(),
        participants=members,
        agreements=known.agreements.values(),
    )


def test_a_lost_territory_stops_what_rested_on_it() -> None:
    """What it has as the organiser stops; what it has as a referrer or case holder does not."""
    elsewhere, one = serving(frozenset({"24062"})), row("referral.created")

    assert asked(one, W, {"organiser"}, Standing(), elsewhere) == Stopped("territory_lost")
    assert isinstance(asked(one, W, {"organiser", "referrer"}, Standing(), elsewhere), Granted)
    assert isinstance(asked(one, W, {"case_holder"}, Standing(), elsewhere), Granted)


def test_a_territory_that_was_never_served_is_not_lost() -> None:
    """Somebody may take part in a case of another town, as after a move of the person."""
    elsewhere = serving(frozenset({"24062"}))
    guest = row("referral.created", recipients=(Recipient(W, "W", ("organiser",)),))

    assert isinstance(asked(guest, W, {"organiser"}, Standing(), elsewhere), Granted)


def test_a_mandate_that_moved_takes_nothing_of_the_time_before() -> None:
    """The former organiser keeps reading its own period (`domain.md` §3.4)."""
    move = Move(cast.TODAY, frozenset({cast.NIS}), gained=False, other="organiser-2")
    gave, one = serving(frozenset({"24062"}), move), row("referral.created", event_id="e-1")
    succeeded = Left(cast.NOW, ("organiser",), "e-5", keeps=True)
    gone = Standing(membership=membership(left={W: succeeded}))

    assert isinstance(asked(one, W, {"organiser"}, gone, gave), Granted)


def test_only_the_hand_over_renders() -> None:
    """Every door goes through it, so that none can leave out what happened since."""
    root = Path(__file__).parents[3]
    files = [one for name in ("gateway", "consumers") for one in (root / name).rglob("*.py")]
    found = {one.name for one in files if "renderer.render(" in one.read_text("utf-8")}

    assert found == {"handover.py"}


def test_every_duty_names_known_events_fields_and_legs() -> None:
    """The file is held against the catalogue, so that a misspelt field is no silent refusal."""
    for duty in duties().values():
        assert duty.lifts <= LEGS.keys()
        assert duty.source
        for name, only in duty.events.items():
            found = catalogue().event(name).fields
            tops = {top_of(one.path) for one in found}
            assert only is None or only <= tops, (duty.code, name)
            sets = duty.fieldsets
            kept = {one.fieldset for one in found if only is None or top_of(one.path) in only}
            assert sets is None or not only or sets & kept, (duty.code, name)


def test_no_duty_lets_an_identity_through() -> None:
    """Insurance and hours are about work done: who the person is, the organiser knows."""
    for duty in (duties()["insurance"], duties()["hours"]):
        assert duty.fieldsets == frozenset({"core"})
