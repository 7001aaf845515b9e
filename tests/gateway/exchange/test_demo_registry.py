"""The demo registry lets journey A of the domain run, and keeps from others what it must."""

from __future__ import annotations

import copy
import uuid
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from consumers.database import Stores
from gateway.exchange.authorise import Stopped
from gateway.exchange.render import Rendered
from gateway.exchange.standing import NOTHING_KNOWN
from tests.gateway.exchange import exchange_world as world
from tests.gateway.exchange.exchange_world import World, exchange
from tests.registry_fixtures import ROOT
from tests.store_fixtures import migrated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOST_URN = "urn:be:kbo:1999010444"


@pytest.fixture
def played(tmp_path: Path) -> Iterator[tuple[World, str]]:
    """The exchange after the whole journey, and its trajectory."""
    stores = migrated(Stores.sqlite(tmp_path))
    with exchange(stores, tmp_path) as opened:
        trajectory = play(opened)
        while opened.deliver():
            pass
        yield opened, trajectory


def example(name: str, **changes: Any) -> dict[str, Any]:
    """The complete example of an event, changed."""
    found = orjson.loads((ROOT / "schemas" / "examples" / name / "complete.json").read_bytes())
    data = {**found, **changes}
    return {key: value for key, value in data.items() if value is not None}


def play(exchange: World) -> str:
    """Journey A: referred, placed, guided, taken over by VDAB, left for a job, confirmed."""
    made = exchange.send("referral.created", world.OCMW, copy.deepcopy(world.REFERRAL))
    assert made.receipt is not None
    trajectory, referral = made.receipt.trajectory_id, made.receipt.aggregate_id

    def send(name: str, sender: str, subject: str | None, **changes: Any) -> str:
        data = example(name, **changes)
        outcome = exchange.send(name, sender, data, subject=subject, trajectory_id=trajectory)
        assert outcome.receipt is not None
        return str(outcome.receipt.aggregate_id)

    send("referral.accepted", world.ORGANISER, referral, offer_id=None, organiser_org=None)
    assignment = {
        "assignment_id": str(uuid.uuid4()),
        "host_org": HOST_URN,
        "workplace": {"name": "Keuken", "nis": world.NIS},
        "activity_code": "green_maintenance",
        "mentor": {"name": "Noor Proefman"},
        "from": "2026-05-11",
    }
    planned = {
        "referral_id": referral,
        "offer_id": None,
        "assignments": [assignment],
        "start_date": "2026-05-11",
        "planned_end": "2026-10-30",
        "declaration": {
            "declared": True,
            "declared_by": "diensthoofd",
            "declared_on": "2026-05-20",
        },
    }
    placement = send("placement.planned", world.ORGANISER, None, **planned)
    send("placement.started", world.ORGANISER, placement, **planned)
    send("placement.start_confirmed", world.HOST, placement, on="2026-05-11")
    send(
        "placement.hours_reported", world.ORGANISER, placement,
        assignment_id=assignment["assignment_id"], period="2026-05", correction_of=None,
    )  # fmt: skip
    send("guidance.contact_recorded", world.ORGANISER, trajectory)
    send("trajectory.handover_offered", world.OCMW, trajectory, to=world.VDAB_URN)
    taken = {"to": world.VDAB_URN, "from": world.OCMW_URN}
    send("trajectory.case_holder_changed", world.VDAB, trajectory, **taken)
    send("placement.ended", world.ORGANISER, placement, end_date="2026-05-28")
    outcome = send(
        "outcome.recorded", world.ORGANISER, None, placement_id=placement, on="2026-05-28"
    )
    send("outcome.confirmed", world.VDAB, outcome, evidence="document")
    return str(trajectory)


def test_each_gets_what_its_part_needs(played: tuple[World, str]) -> None:
    """OCMW and organiser hear of everything, VDAB gets the history when it takes over."""
    opened, _ = played

    assert "placement.started" in opened.names(world.OCMW)
    assert "outcome.confirmed" in opened.names(world.OCMW)
    assert "outcome.confirmed" in opened.names(world.ORGANISER)
    assert opened.names(world.VDAB)[0] in ("(referral.created)", "(trajectory.opened)")
    assert "(placement.started)" in opened.names(world.VDAB)
    assert "outcome.recorded" in opened.names(world.VDAB)


def test_the_host_gets_its_placement_only(played: tuple[World, str]) -> None:
    """No referral, guidance, outcome or change of case holder reaches the workplace."""
    opened, _ = played

    families = {name.strip("()").partition(".")[0] for name in opened.names(world.HOST)}
    assert families == {"placement"}


def test_who_has_no_part_gets_nothing(played: tuple[World, str]) -> None:
    """CAW, town and the other OCMW have agreements, but no part in this case."""
    opened, _ = played

    for stranger in (world.CAW, world.TOWN, world.LEUVEN):
        assert opened.names(stranger) == []


def test_somebody_is_excluded_with_a_reason(played: tuple[World, str]) -> None:
    """The ledger keeps who did not get an event although related to it, and which leg failed."""
    opened, trajectory = played

    excluded = {
        (row.event_name, one.participant, one.excluded)
        for row in opened.rows(trajectory)
        for one in row.recipients
        if one.excluded
    }
    assert any(participant == world.HOST for _, participant, _ in excluded)


def test_the_organiser_is_told_what_was_withheld(played: tuple[World, str]) -> None:
    """The organiser's copy of the referral lacks the income status, and says so."""
    opened, trajectory = played
    row = opened.rows(trajectory)[0]
    renderer, then = opened.handover.renderer, frozenset({"target", "handler"})

    text = repr(renderer.render(row, world.ORGANISER, then, "feed", NOTHING_KNOWN))
    assert "income_status" in text
    assert "leefloon" not in text


def test_the_organiser_is_told_no_more_of_what_is_over(played: tuple[World, str]) -> None:
    """It never fetched anything, and its part has ended: it hears how, and the hours worked."""
    opened, _ = played
    copies = opened.fetch(world.ORGANISER)

    given = [one.row.event_name for one in copies if isinstance(one, Rendered)]

    assert set(given) == {"outcome.confirmed"}
    assert Stopped("membership_ended") in copies
