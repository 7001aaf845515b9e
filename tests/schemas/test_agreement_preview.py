"""A dry run of a draft answers as a hand-over would, and names what withholds each field."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from schemas.agreement import parse_agreement
from schemas.agreement_preview import REASONS, Question, Sender, preview
from schemas.catalogue import catalogue
from schemas.errors import UnknownEventType
from schemas.projection import projection
from tests.agreement_parties import OCMW, ORGANISER, VDAB, draft

ASKED = Question(
    event="referral.created",
    from_org=OCMW,
    to_org=ORGANISER,
    to_role="W",
    on=date(2026, 5, 28),
    relations=frozenset({"target", "handler"}),
    territory="24107",
    door="feed",
)


def legs(document: dict[str, Any] | None = None, **changes: Any) -> dict[str, str | None]:
    """Leg by path of a question with changes."""
    agreement = parse_agreement(document or draft())
    return {one.path: one.leg for one in preview(agreement, replace(ASKED, **changes)).fields}


@pytest.mark.parametrize(
    ("changes", "leg"),
    [
        ({"to_org": VDAB}, "agreement"),
        ({"to_role": "O"}, "agreement"),
        ({"event": "outcome.recorded"}, "event"),
        ({"on": date(2029, 1, 1)}, "validity"),
        ({"territory": "24062"}, "territory"),
        ({"territory": None}, "territory"),
        ({"door": "kafka"}, "door"),
        ({"to_org": OCMW}, "own_event"),
        ({"to_role": "H"}, "host_referral"),
        ({"relations": frozenset()}, "membership"),
    ],
)
def test_the_leg_that_stops_everything_is_named(changes: dict[str, Any], leg: str) -> None:
    """Then no field is delivered, and every one says the same leg."""
    found = preview(parse_agreement(draft()), replace(ASKED, **changes), {"programme": "x"})

    assert found.leg == leg
    assert {one.leg for one in found.fields} == {leg}
    assert found.data == {}
    assert REASONS[leg].nl != REASONS[leg].en


def test_an_old_event_is_too_old() -> None:
    """`max_age_days` counts to the day."""
    document = draft()
    document["grants"][0]["max_age_days"] = 30

    assert legs(document, age_days=30)["programme"] is None
    assert legs(document, age_days=31)["programme"] == "age"


def test_each_field_says_why_it_stays_behind() -> None:
    """A field set that is not granted, an audience that is another, a ground that lacks."""
    document = draft()
    document["grants"][0]["fieldsets"] = ["core", "work_limits", "identify"]
    bare = legs(document)
    document["legal"]["art9_ground"] = "social_law_9_2_b"
    grounded = legs(document)

    assert (bare["programme"], bare["insz"], bare["work_limits"]) == (None, "fieldset", "art9")
    assert grounded["work_limits"] is None
    assert legs(document, relations=frozenset({"referrer"}))["work_limits"] == "audience"
    assert legs(document, relations=None)["work_limits"] is None


def test_a_sensitive_senders_desk_is_for_the_case_holder_alone() -> None:
    """Its contact persons would tell who it is; the case holder knows."""
    document = draft()
    document["grants"][0]["fieldsets"] = ["core", "staff_contact"]
    path = "contact_person.name"

    assert legs(document)[path] is None
    assert legs(document, is_sensitive=True)[path] == "masked"
    holder = frozenset({"handler", "case_holder"})
    assert legs(document, is_sensitive=True, relations=holder)[path] is None


@pytest.mark.parametrize("name", [one.name for one in catalogue().all() if one.personal])
def test_it_delivers_exactly_what_a_projection_does(name: str) -> None:
    """For every event about a person: the same fields as at hand-over."""
    document = draft()
    document["grants"][0]["events"] = [f"{name.partition('.')[0]}.*"]
    agreement = parse_agreement(document)
    asked = replace(ASKED, event=name)
    found = preview(agreement, asked)
    kept = projection(
        catalogue().event(name),
        role="W",
        relations=frozenset({"target", "handler"}),
        fieldsets=agreement.grants[0].fieldsets,
        has_art9_ground=False,
    )

    delivered = {one.path for one in found.fields if one.leg is None}
    assert delivered == kept.delivered


def test_an_example_shows_what_would_go_out() -> None:
    """The delivered part of the data, and which fields hold a value."""
    data = {"programme": "wijk_werken", "person": {"given_name": "An"}, "insz": "x"}
    found = preview(parse_agreement(draft()), ASKED, data)
    held = {one.path for one in found.fields if one.has_value}

    assert found.data == {"programme": "wijk_werken"}
    assert held == {"programme", "person.given_name", "insz"}


def test_defaults_that_follow_from_the_sender_are_shown() -> None:
    """A local partner's events may not serve a sanction; an OCMW's legal basis is its task."""
    plain = preview(parse_agreement(draft()), ASKED).grant
    by_ocmw = preview(parse_agreement(draft()), replace(ASKED, senders=(Sender(OCMW, "O"),))).grant
    by_partner = preview(
        parse_agreement(draft()), replace(ASKED, senders=(Sender(OCMW, "P"),))
    ).grant

    assert plain is not None
    assert by_ocmw is not None
    assert by_partner is not None
    assert (plain.no_sanction_use, plain.legal_basis) == (False, None)
    assert (by_ocmw.no_sanction_use, by_ocmw.legal_basis) == (False, "public_task_6_1_e")
    assert by_partner.no_sanction_use is True


def test_an_event_that_does_not_exist_is_refused() -> None:
    """A name that is none is no silent nothing."""
    with pytest.raises(UnknownEventType):
        preview(parse_agreement(draft()), replace(ASKED, event="referral.dreamt"))
