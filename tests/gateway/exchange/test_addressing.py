"""For any history: a newcomer gets what its grants allow of it, in order, before it joined."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.exchange.addressing import addressed, backfilled, newcomers
from gateway.exchange.authorise import fieldsets_of
from gateway.exchange.decision import Recipient
from gateway.exchange.records import COLUMNS, LedgerRow
from gateway.exchange.registry import RegisteredAgreement, Registry
from schemas.agreement import parse_agreement
from schemas.catalogue import catalogue
from schemas.projection import projection
from schemas.roles import NAME
from tests.gateway.exchange import cast

ORGANISATIONS = [cast.RELATED[one] for one in "OWP"]
NEWCOMER = cast.RELATED["V"]
EVENTS = ["referral.created", "trajectory.opened", "guidance.plan_aligned", "placement.suspended"]
PATTERNS = ["referral.*", "trajectory.*", "guidance.*", "placement.*"]
PLACES = [cast.NIS, "24062"]
HERE: Any = {"on": cast.TODAY, "now": cast.NOW, "nis": cast.NIS}
HOLDER = Recipient(NEWCOMER, "V", ("case_holder",))


def grants() -> st.SearchStrategy[list[dict[str, Any]]]:
    """Who lets whom have which events where, and whether it may go on from there."""
    one = st.fixed_dictionaries(
        {
            "from": st.sampled_from([cast.urn_of(one) for one in ORGANISATIONS]),
            "to_role": st.sampled_from([NAME["V"], NAME["O"]]),
            "events": st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=2, unique=True),
            "territory_nis": st.lists(st.sampled_from(PLACES), min_size=1, unique=True),
            "onward": st.booleans(),
        }
    )
    return st.lists(one, min_size=1, max_size=6)


def history() -> st.SearchStrategy[list[tuple[str, str]]]:
    """Who sent what, one after another."""
    sent = st.tuples(st.sampled_from([*ORGANISATIONS, NEWCOMER]), st.sampled_from(EVENTS))
    return st.lists(sent, max_size=12)


def registry(given_grants: list[dict[str, Any]]) -> Registry:
    """The cast with one agreement of these grants."""
    whole = cast.registry()
    common = {"purpose": "activation_referral", "fieldsets": cast.ALL_FIELDSETS, "doors": ["feed"]}
    document = cast.document([one.organisation for one in whole.participants.values()])
    document["grants"] = [{**common, **one} for one in given_grants]
    return Registry.build(
        version=1,
        environment="test",
        organisations=whole.organisations.values(),
        participants=whole.participants.values(),
        agreements=[RegisteredAgreement(parse_agreement(document))],
    )


def row(seq: int, sender: str, name: str, **changes: Any) -> LedgerRow:
    """An event of the case; the OCMW was given everything that it did not send itself."""
    member = Recipient(cast.RELATED["O"], "O", ("case_holder",), "prot-2026-001")
    empty: dict[str, Any] = dict.fromkeys(COLUMNS)
    known = {
        "seq": seq,
        "event_id": f"event-{seq}",
        "participant": sender,
        "event_name": name,
        "trajectory_id": cast.TRAJECTORY,
        "producer_org": cast.urn_of(sender),
        "caused_by": sender,
        "territory_nis": cast.NIS,
        "recorded_at": cast.NOW,
        "recipients": (member,) if sender != member.participant else (),
        "joined": (),
    }
    return LedgerRow(**{**empty, **known, **changes})


def lets(one: dict[str, Any], sender: str, role: str, name: str, nis: str) -> bool:
    """Whether a grant is of this sender, to this role, about this event in this place."""
    about = any(
        pattern.removesuffix("*") == name.partition(".")[0] + "." for pattern in one["events"]
    )
    return (
        about
        and one["from"] == cast.urn_of(sender)
        and one["to_role"] == NAME[role]
        and nis in one["territory_nis"]
    )


def expected(given_grants: list[dict[str, Any]], sender: str, name: str, nis: str) -> bool:
    """As a person reading the agreement would say; of several grants the first one counts."""
    if sender == NEWCOMER:
        return False
    if any(lets(one, sender, "V", name, nis) for one in given_grants):
        return True
    first = [one for one in given_grants if lets(one, sender, "O", name, nis)]
    passes_on = any(lets(one, cast.RELATED["O"], "V", name, nis) for one in given_grants)
    return sender != cast.RELATED["O"] and bool(first) and first[0]["onward"] and passes_on


@pytest.mark.parametrize("name", ["trajectory.task_raised", "trajectory.warning_raised"])
def test_what_the_holder_was_told_is_no_history_of_an_organiser(name: str) -> None:
    """Responsible for its placement is not for what the case holder was asked or warned of."""
    asked = row(1, cast.RELATED["O"], name)
    organiser = Recipient(cast.RELATED["W"], "W", ("organiser", "responsible"))
    known = cast.registry()

    found = backfilled(known, [asked], organiser, joined_by="p", **HERE)
    assert found == []
    holder = Recipient(NEWCOMER, "V", ("case_holder",))
    assert backfilled(known, [asked], holder, joined_by="t", **HERE)


def test_who_handles_one_referral_reads_others_as_one_of_the_team() -> None:
    """A note to who handles the first is not for who handles the second of the same case."""
    known = cast.registry()
    first = row(1, cast.RELATED["O"], "referral.created", aggregate_type="referral")
    handler = Recipient(cast.RELATED["W"], "W", ("handler", "target"))

    (other,) = backfilled(known, [first], handler, joined_by="another", **HERE)
    (own,) = backfilled(known, [first], handler, joined_by=first.aggregate_id, **HERE)

    assert other.relations == ("in_team",)
    assert own.relations == ("handler", "target")
    whole = fieldsets_of(catalogue().event("referral.created"))
    seen, seen_of_own = (
        projection(
            catalogue().event("referral.created"),
            role="W",
            relations=frozenset(one.relations),
            fieldsets=whole,
        ).delivered
        for one in (other, own)
    )
    assert {"programme", "person.phone"} <= seen < seen_of_own
    assert {"note", "work_limits"} <= seen_of_own - seen


@given(grants(), history(), st.sampled_from(PLACES))
def test_a_newcomer_gets_what_its_grants_allow(
    given_grants: list[dict[str, Any]], sent: list[tuple[str, str]], nis: str
) -> None:
    """From each original producer or onward, in ledger order, all of it before the joining event.

    Grants are asked for the place in which it joins, wherever the person lived before.
    """
    earlier = [row(number, *one) for number, one in enumerate(sent, 1)]
    joining = row(
        99, cast.RELATED["O"], "trajectory.handover_offered",
        territory_nis=nis, recipients=(HOLDER,), joined=(NEWCOMER,),
    )  # fmt: skip

    (newcomer,) = newcomers(joining)
    found = backfilled(
        registry(given_grants),
        earlier,
        newcomer,
        joined_by="t",
        on=cast.TODAY,
        now=cast.NOW,
        nis=nis,
    )
    rows = [*found, *addressed(joining)]

    wanted = [
        one.event_id
        for one in earlier
        if expected(given_grants, one.participant, one.event_name, nis)
    ]
    assert [one.event_id for one in found] == wanted
    assert all(one.backfill and one.nis == nis and one.participant == NEWCOMER for one in found)
    assert [one.event_id for one in rows][-1] == joining.event_id
    assert not rows[-1].backfill
