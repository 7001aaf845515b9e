"""Journeys D and O: a case changes hands while the person works, and moves with the person."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from gateway.exchange.registry import RegisteredAgreement
from gateway.exchange.render import Rendered
from schemas.agreement import parse_agreement
from tests.gateway.exchange import cast
from tests.gateway.exchange.exchange_world import (
    LEUVEN,
    NIS,
    OCMW,
    OCMW_URN,
    ORGANISER,
    ORGANISER_URN,
    REFERRAL,
    VDAB,
    VDAB_URN,
    World,
    exchange,
    rebuilt,
)
from tests.store_fixtures import stores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consumers.database import Stores
    from schemas.envelope import CloudEvent

__all__ = ["stores"]

HOST_URN, LEUVEN_URN = "urn:be:kbo:1999010444", "urn:be:kbo:1999010642"
LEUVEN_NIS = "24062"
CONTACT = {"name": "Onthaal", "phone": "+32000160009"}
TALK = {"kind": "phone", "on": "2026-05-27"}


@pytest.fixture
def world(stores: Stores, tmp_path: Path) -> Iterator[World]:
    """A running exchange of the demonstration."""
    with exchange(stores, tmp_path) as made:
        yield made


class Case:
    """One case on which events are sent and delivered."""

    def __init__(self, world: World, holder: str) -> None:
        self.world = world
        sent = world.send("referral.created", holder, REFERRAL)
        assert sent.receipt is not None
        self.id, self.referral = str(sent.receipt.trajectory_id), sent.receipt.aggregate_id
        world.deliver()

    def send(self, name: str, who: str, data: dict[str, Any], subject: str | None = None) -> str:
        """An event that is accepted; what it is about."""
        sent = self.world.send(name, who, data, trajectory_id=self.id, subject=subject)
        assert sent.receipt is not None
        self.world.deliver()
        return str(sent.receipt.aggregate_id)

    def works(self) -> None:
        """The organiser accepts, and the person starts at a work floor."""
        self.send("referral.accepted", ORGANISER, {}, self.referral)
        assignment = {
            "assignment_id": str(uuid.uuid4()),
            "host_org": HOST_URN,
            "activity_code": "green_maintenance",
            "mentor": {"name": "Noor Proefman"},
            "from": "2026-05-11",
        }
        planned = {
            "referral_id": self.referral,
            "programme": "wijk_werken",
            "contract_form": "wijk_werk_agreement",
            "assignments": [assignment],
            "start_date": "2026-05-11",
            "planned_end": "2026-10-30",
            "hours_per_week": 13,
            "exit_perspective": "regular_job",
            "allowance_scheme": "cheque_4_10",
            "insured": True,
            "declaration": {
                "declared": True,
                "declared_by": "diensthoofd",
                "declared_on": "2026-05-10",
            },
        }
        placement = self.send("placement.planned", ORGANISER, planned)
        self.send("placement.started", ORGANISER, planned, placement)

    def hand_over(self, giver: str, to: str, reason: str) -> None:
        """Offer the case."""
        offer = {"to": to, "reason": reason, "effective": "2026-06-01"}
        self.send("trajectory.handover_offered", giver, offer)

    def take(self, taker: str, giver_urn: str, own_urn: str) -> None:
        """Accept it."""
        taken = {"from": giver_urn, "to": own_urn, "effective": "2026-06-01", "contact": CONTACT}
        self.send("trajectory.case_holder_changed", taker, taken)


def test_a_benefit_ends_and_the_ocmw_takes_over_at_work(world: World) -> None:
    """Journey D: warm, with the history first; the placement goes on, and VDAB still hears."""
    case = Case(world, VDAB)
    case.works()
    assert world.names(OCMW) == []

    case.hand_over(VDAB, OCMW_URN, "benefit_ended")
    names = world.names(OCMW)
    assert names[-1] == "trajectory.handover_offered"
    assert all(one.startswith("(") for one in names[:-1])
    assert "(referral.created)" in names
    order = [row.event_id for row in world.rows(case.id)]
    got = [order.index(one.event_id) for one in world.inbox(OCMW)]
    assert got == sorted(got), "in ledger order"

    case.take(OCMW, VDAB_URN, OCMW_URN)
    assert {"(placement.planned)", "(placement.started)"} <= set(world.names(OCMW))
    case.send("guidance.contact_recorded", ORGANISER, TALK)
    assert world.names(OCMW)[-1] == "guidance.contact_recorded"
    assert "guidance.contact_recorded" in world.names(VDAB), "it referred"


def copies(world: World, door: str = "feed") -> dict[str, CloudEvent]:
    """What the OCMW is handed at a door, by event."""
    found = [one.event for one in world.fetch(OCMW, door) if isinstance(one, Rendered)]
    return {one.id: one for one in found}


def test_a_fuller_copy_says_that_it_replaces_the_narrow_one(world: World) -> None:
    """Offered, the OCMW gets the history with much withheld; it takes over, and gets the rest.

    A repetition, and a copy through another door, have the same number: who has one store for all
    doors keeps the copy with the highest.
    """
    case = Case(world, VDAB)
    case.hand_over(VDAB, OCMW_URN, "benefit_ended")
    narrow = copies(world)
    case.take(OCMW, VDAB_URN, OCMW_URN)
    fuller = copies(world)
    created = next(one.id for one in narrow.values() if one.event_name == "referral.created")
    again = [copies(world, door)[created] for door in ("feed", "webhook", "kafka")]
    first = fuller[created]

    assert {one.redelivery for one in narrow.values()} == {None}
    assert set(narrow[created].withheld) > set(first.withheld)
    assert "person.phone" in narrow[created].withheld
    assert "person.phone" not in first.withheld
    assert first.redelivery == 1
    assert again == [first] * 3
    for one in fuller.values():
        holds_more = one.id in narrow and set(narrow[one.id].withheld) > set(one.withheld)
        assert one.redelivery == (1 if holds_more else None)


def test_a_copy_that_holds_less_again_replaces_nothing(world: World) -> None:
    """The number of what was given before stays, and one store keeps the fuller copy."""
    case = Case(world, VDAB)
    case.hand_over(VDAB, OCMW_URN, "benefit_ended")
    copies(world)
    case.take(OCMW, VDAB_URN, OCMW_URN)
    fuller = copies(world)
    rows = [replace(one, relations=("offered_holder",)) for one in world.inbox(OCMW)]
    later = world.handover.hand_over(OCMW, rows, "feed")
    less = {one.event.id: one.event for one in later if isinstance(one, Rendered)}
    created = next(one.id for one in fuller.values() if one.event_name == "referral.created")

    assert set(less[created].withheld) > set(fuller[created].withheld)
    assert less[created].redelivery == fuller[created].redelivery == 1


def test_an_offered_holder_sees_the_case_until_it_answers(world: World) -> None:
    """Declined: it hears so itself no more of what comes, and still knows what it was given."""
    case = Case(world, VDAB)
    case.hand_over(VDAB, OCMW_URN, "benefit_ended")
    case.send("trajectory.handover_declined", OCMW, {"reason": "not_competent"})
    before = world.names(OCMW)

    case.send("guidance.contact_recorded", ORGANISER, TALK)
    assert world.names(OCMW) == before
    refused = world.try_send("guidance.contact_recorded", OCMW, TALK, trajectory_id=case.id)
    assert refused.error is not None
    assert refused.error.status == 404


def test_a_move_takes_the_case_to_the_new_ocmw_with_its_history(world: World) -> None:
    """Journey O: the grants of the new place open the history, also what happened in the old."""
    parties = [OCMW_URN, LEUVEN_URN, ORGANISER_URN, VDAB_URN]
    document = cast.document(parties, "prot-leuven")
    grants = [{**one, "territory_nis": [LEUVEN_NIS]} for one in document["grants"]]
    agreement = RegisteredAgreement(parse_agreement({**document, "grants": grants}))
    known = world.registry
    world.registry = rebuilt(known, agreements=[*known.agreements.values(), agreement])
    case = Case(world, OCMW)
    case.works()

    case.send("trajectory.territory_changed", OCMW, {"nis": LEUVEN_NIS, "from": "2026-05-20"})
    told = next(
        one.event.data
        for one in world.fetch(OCMW)
        if isinstance(one, Rendered) and one.row.event_name == "trajectory.task_raised"
    )
    assert (told["what"], told["other_org"]) == ("offer_handover", LEUVEN_URN)
    assert told["desk"]["phone"] == "+32000160007"
    assert world.names(ORGANISER)[-1] == "trajectory.territory_changed"
    assert world.names(LEUVEN) == []

    case.hand_over(OCMW, LEUVEN_URN, "moved")
    case.take(LEUVEN, OCMW_URN, LEUVEN_URN)
    opened = [one for one in world.fetch(LEUVEN) if isinstance(one, Rendered)]
    assert len(opened) == len(world.inbox(LEUVEN)), "nothing is stopped by the old place"
    created = next(one for one in opened if one.row.event_name == "referral.created")
    assert created.row.territory_nis == NIS
    assert created.event.data["person"]["given_name"] == REFERRAL["person"]["given_name"]
    case.send("guidance.contact_recorded", ORGANISER, TALK)
    assert world.names(LEUVEN)[-1] == "guidance.contact_recorded"
