"""Every event, from every state, by every role, with and without a relation: the whole product.

The expectation is read from the tables' YAML by this test's own few lines, not by the code under
test. Whatever the table allows must be accepted, all else refused with its leg and what is allowed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from msgspec.structs import replace

import schemas.lifecycle
from gateway.exchange.decide import decide
from gateway.exchange.decision import HUB, Accepted, Context, Refused
from gateway.exchange.holds import OBJECTION, Hold
from schemas.catalogue import catalogue
from tests.gateway.exchange import cast

if TYPE_CHECKING:
    from gateway.exchange.submission import Submission

FOLDER = Path(schemas.lifecycle.__file__).parent / "lifecycles"
TABLES = {
    table["aggregate"]: table
    for table in (yaml.safe_load(path.read_text()) for path in FOLDER.glob("*.yaml"))
}
KINDS = ("referral", "placement", "outcome", "offer", "right", "trajectory", "mandate")
SUBJECTS = {
    "referral": cast.REFERRAL,
    "placement": cast.PLACEMENT,
    "outcome": cast.OUTCOME,
    "right": cast.RIGHT,
    "offer": cast.OFFER,
    "trajectory": cast.TRAJECTORY,
    "mandate": cast.MANDATE,
}
ABOUT_NOBODY = ("offer", "mandate")

# The relations that the people of the case hold, written out by hand.
ALWAYS = {
    cast.RELATED["V"]: {"case_holder", "competent", "member"},
    cast.RELATED["O"]: {"endorser", "competent", "addressee", "member"},
    cast.RELATED["W"]: {"organiser", "registrant", "member"},
    cast.RELATED["P"]: {"referrer", "member"},
    cast.RELATED["T"]: {"viewer", "member"},
}


def relations(kind: str, state: str, participant: str) -> set[str]:
    """What somebody is to the aggregate, as a person reading the case would say."""
    held = set(ALWAYS.get(participant, set()))
    if kind == "offer":
        return {"offer_owner"} & ({"offer_owner"} if participant == cast.RELATED["W"] else set())
    if kind == "mandate":
        known = state != "none" and participant == cast.STRANGERS["W"]
        return {"target"} if known else set()
    if kind == "referral":
        return _to_referral(held, state, participant)
    if kind == "trajectory":
        return _to_trajectory(held, state, participant)
    if participant == cast.RELATED["H"] and (kind != "placement" or state not in NOT_STARTED):
        held |= {"host", "member"}
    if kind == "placement" and participant == cast.RELATED["H"] and state == "planned":
        held.add("planned_host")
    if kind == "placement" and participant == cast.RELATED["W"]:
        held.add("closer")
    if kind == "outcome" and participant == cast.RELATED["S"] and state != "none":
        held |= {"recorder", "member"}
    return held


NOT_STARTED = ("none", "planned", "cancelled")


def _to_referral(held: set[str], state: str, participant: str) -> set[str]:
    if state == "none":
        only = {cast.RELATED["V"], cast.RELATED["T"]}
        return held if participant in only else set()
    if participant == cast.RELATED["W"]:
        hidden = state in ("pending_endorsement", "open", "voided")
        if hidden:
            return set()
        held |= {"target", "handler", "closer"}
    if state == "voided" and participant in (cast.RELATED["P"], cast.RELATED["O"]):
        held -= {"member"}
    if state == "open" and participant in (cast.RELATED["S"], cast.RELATED["V"]):
        held.add("candidate")
    return held


def _to_trajectory(held: set[str], state: str, participant: str) -> set[str]:
    if participant == cast.RELATED["W"]:
        held |= {"target", "handler"}
    if participant == cast.RELATED["V"] and state == "unassigned":
        held -= {"case_holder", "member"}
    if participant == cast.RELATED["O"] and state == "unassigned":
        held.add("proposed_holder")
    if participant == cast.RELATED["H"]:
        held |= {"host", "member"}
    if participant == cast.OFFERED and state == "handing_over":
        held |= {"offered_holder", "member"}
    return held


def permits(by: str, role: str, held: set[str]) -> bool:
    """An actor expression: a role letter, a relation, or relation:ROLE."""
    relation, _, last = by.rpartition(":")
    if last in {*cast.ROLES, HUB.upper()}:
        return last == role and (relation in held if relation else held != {"competent"})
    return by in held


def expected(kind: str, name: str, state: str, role: str, held: set[str]) -> bool:
    """Whether the table has a row for it; a non-member of an existing case never gets there."""
    rows = [
        row for row in TABLES[kind]["transitions"] if row["event"] == name and state in row["from"]
    ]
    known = role == "HUB" or held or kind in ABOUT_NOBODY
    return bool(known) and any(permits(by, role, held) for row in rows for by in row["by"])


def allowed(kind: str, state: str, role: str, held: set[str]) -> list[str]:
    """The events of this aggregate that the table lets them send now."""
    names = [row["event"] for row in TABLES[kind]["transitions"]]
    return [name for name in dict.fromkeys(names) if expected(kind, name, state, role, held)]


GROUNDS = {
    "transition.right_lapsed": "no_activity_12m",
    "transition.right_closed": "pension",
    "transition.right_reinstated": "appeal",
    "transition.right_revived": "activity_resumed",
}


DECLINES = {cast.RELATED["V"]: "withdrawn", HUB: "no_answer"}
"""The reason that each may give of a hand-over that does not take place."""


MEANT: dict[str, dict[str, Any]] = {
    "trajectory.task_raised": {"what": "decide_objection"},
    "transition.organiser_mandate_changed": {
        "from_org": cast.urn_of(cast.RELATED["W"]),
        "nis": [cast.NIS],
        "to_org": cast.urn_of(cast.STRANGERS["W"]),
        "effective": "2026-06-01",
    },
    "transition.placement_converted": {
        "from_programme": "wijk_werken",
        "effective": "2026-05-01",
        "basis": "decree",
        "hours_carried": "12.00",
        "months_carried": 2,
    },
    "trajectory.organiser_changed": {
        "from": cast.urn_of(cast.RELATED["W"]),
        "to": cast.urn_of(cast.STRANGERS["W"]),
        "effective": "2026-06-01",
    },
    "referral.created": {"target_org": cast.urn_of(cast.RELATED["W"])},
    "placement.assignment_ended": {"to": "2026-05-20"},
    "trajectory.territory_changed": {"from": "2026-05-01"},
    "trajectory.viewing_right_ended": {"participant": cast.RELATED["T"]},
    "guidance.contact_recorded": {"kind": "mentor_talk"},
}
"""What fields of one name mean in an event of their own."""


def data_for(name: str, participant: str) -> dict[str, Any]:
    """Data that meets every guard, so that only the table decides."""
    own = cast.urn_of(participant)
    values: dict[str, Any] = {
        "programme": "wijk_werken",
        "reason": "other",
        "referral_id": cast.REFERRAL,
        "assignments": [
            {
                "assignment_id": cast.ASSIGNMENT,
                "host_org": cast.urn_of(cast.RELATED["H"]),
                "mentor": {"name": "Testmentor"},
            }
        ],
        "insured": True,
        "declaration": {"declared": True},
        "child_referral_id": cast.FRESH,
        "new_target": cast.urn_of(cast.OFFERED),
        "assignment": {
            "assignment_id": cast.FRESH,
            "household": {"id": "gezin-1"},
            "from": "2026-05-01",
        },
        "assignment_id": cast.ASSIGNMENT,
        "start_date": "2026-05-01",
        "planned_end": "2026-09-30",
        "hours": "20.00",
        "on": "2026-05-20",
        "month": 3,
        "extension_no": 1,
        "new_end": "2026-12-31",
        "period": "2026-04",
        "evidence": "document",
        "to_programme": "samenlevingsjob",
        "non_displacement": {"declared": True},
        "decision": "unfounded",
        "holder": own,
        "to": own if name == "trajectory.case_holder_changed" else cast.urn_of(cast.OFFERED),
        "from": cast.urn_of(cast.RELATED["V"]),
        "proposed_holder": cast.urn_of(cast.RELATED["O"]),
        "due": "2026-06-11",
        "nis": "24062",
        "task_id": cast.TASK,
        "kind": "overlap",
        "free_places": 1,
        "answer": "done",
        "into": cast.FRESH,
        "other_ref": cast.OTHER,
        "old_ref": cast.OTHER,
        "new_ref": cast.SUBJECT,
        "participant": cast.STRANGERS["T"],
    }
    values |= MEANT.get(name, {})
    if name in GROUNDS:
        values["ground"] = GROUNDS[name]
    if name == "referral.created":
        values.pop("assignments")
    return values


PEOPLE = [*cast.RELATED.items(), *cast.STRANGERS.items(), ("O", cast.OFFERED), ("HUB", HUB)]
CASES = [
    (kind, name, state)
    for kind in KINDS
    for name in dict.fromkeys(row["event"] for row in TABLES[kind]["transitions"])
    for state in ["none", *TABLES[kind]["states"]]
    if not (kind == "trajectory" and state == "none")
]


@pytest.mark.parametrize(("kind", "name", "state"), CASES)
def test_whole_product(kind: str, name: str, state: str) -> None:
    """The decision says for every participant what the table says, and why when it is no."""
    for role, participant in PEOPLE:
        held = set() if role == "HUB" else relations(kind, state, participant)
        wanted = expected(kind, name, state, role, held) and not blocked(name, state, role)
        outcome = _decide(kind, name, state, participant)
        said = f"{participant} sends {name} in {state}"
        assert isinstance(outcome, Accepted) is wanted, f"{said}: {_why(outcome)}"
        if isinstance(outcome, Refused):
            assert outcome.error.facts["leg"], said
            assert outcome.error.detail.nl
            assert outcome.error.detail.en
            now = outcome.error.facts["allowed"]
            assert now == (allowed(kind, state, role, held) if now or held else []), said


def blocked(name: str, state: str, role: str) -> bool:
    """Guards that no data can meet for this cast.

    A role that plans other programmes only; and an erasure for VDAB, which holds the case.
    """
    if name == "subject.erased":
        return state in ("held", "handing_over")
    if name == "placement.planned" and role in ("O", "S"):
        return True
    return name == "referral.voided" and state == "never"


def _decide(kind: str, name: str, state: str, participant: str) -> Accepted | Refused:
    return decide(*prepared(kind, name, state, participant))


def prepared(kind: str, name: str, state: str, participant: str) -> tuple[Submission, Context]:
    """An event of somebody's to an aggregate in a state, and what the ledger would bring."""
    subject = None if state == "none" else SUBJECTS[kind]
    data = data_for(name, participant)
    if name == "trajectory.handover_declined":
        data["reason"] = DECLINES.get(participant, "other")
    sent = cast.submission(
        name,
        participant,
        data,
        subject=subject,
        trajectory_id=None if kind in ABOUT_NOBODY else cast.TRAJECTORY,
        territory_nis=cast.NIS,
    )
    if kind == "offer":
        return sent, cast.context(None, None if state == "none" else cast.offer(state))
    if kind == "mandate":
        found = None if state == "none" else cast.mandate(state)
        return sent, replace(cast.context(), mandate=found)
    case = cast.case_with(kind, state)
    links = (cast.OTHER,) if name == "subject.unlinked" else ()
    scope = data.get("scope") or {}
    hold = Hold(OBJECTION, cast.SUBJECT, cast.NOW, scope.get("organisation"), scope.get("purpose"))
    holds = (hold,) if name == "subject.objection_lifted" else ()
    return sent, cast.with_people(cast.context(case), links, holds)


def _why(outcome: Accepted | Refused) -> str:
    if isinstance(outcome, Accepted):
        return "accepted"
    return f"{outcome.error.code} {outcome.error.facts} {outcome.error.detail.en}"


def test_every_event_is_in_a_table() -> None:
    """Every schema has a row, and every row a schema and a sender."""
    listed = {row["event"] for table in TABLES.values() for row in table["transitions"]}

    assert listed == {event.name for event in catalogue().all()}
    assert all(row["by"] for table in TABLES.values() for row in table["transitions"])
