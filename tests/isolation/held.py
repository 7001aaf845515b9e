"""Whose things the matrix reaches for: a case, its number, an erasure, a webhook and more."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from consumers import dead_letters, subscriptions
from consumers.dead_letters import DeadLetter
from consumers.scope import Scope
from gateway.exchange.sealer import SEALER_LOCK, Sealer
from gateway.exchange.seats import open_seat
from schemas.identifiers import uuid7
from tests.consumers.webhook_world import PlainSeal
from tests.letter import steps
from tests.letter.partners import CAW, HOST, OCMW, ORGANISER, VDAB

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.letter.region import Region

CANARY = {"family_name": "Kanarie", "phone": "+32 000 47 11 08", "sourcerecordid": "KANARIE-1"}
AGREEMENT = "demo-caw-2026"
RECEIVER = "https://kanarie.example.org/hook"
_FLIPPED = str.maketrans("0123456789abcdef", "123456789abcdef0")


@dataclass(frozen=True)
class Held:
    """Things by name; by kind, whose they are and the texts that give them away."""

    things: Mapping[str, str]
    parties: Mapping[str, frozenset[str]]
    marks: Mapping[str, frozenset[str]]

    def made_up(self) -> Mapping[str, str]:
        """Things of the same form, which nobody has."""
        return {name: value[:-3] + _other(value[-3:]) for name, value in self.things.items()}


def _other(end: str) -> str:
    changed = end.translate(_FLIPPED)
    return changed if changed != end else f"{end[:-1]}9"


def referred_by_partner(around: Region) -> Held:
    """A partner's referral to the OCMW, and another that the partner ordered to be erased."""
    answer = around.refer(CAW, **CANARY)
    event, case = answer["receipt"]["event_id"], answer["trajectory_id"]
    order = _erased(around)
    subscription, letter = _given_up_on(around, event, case)
    _seal(around)
    number = CANARY["sourcerecordid"]
    names = {
        "trajectory_id": case,
        "referral_id": answer["referral_id"],
        "event_id": event,
        "sourcerecordid": number,
        "order_id": order,
        "agreement_id": AGREEMENT,
        "subscription_id": subscription,
        "letter_id": letter,
    }
    known = frozenset({CAW, OCMW})
    return Held(
        names,
        {
            "case": known,
            "number": frozenset({CAW}),
            "erasure": frozenset({CAW}),
            "record": frozenset({CAW}),
            "subscription": frozenset({CAW}),
            "holder": frozenset(),
            "agreement": known | {ORGANISER, VDAB},
        },
        {
            "case": frozenset({case, event, names["referral_id"], *CANARY.values()}),
            "erasure": frozenset({order}),
            "agreement": frozenset({AGREEMENT}),
            "subscription": frozenset({subscription, letter, RECEIVER}),
        },
    )


def at_work(around: Region) -> Held:
    """Somebody of VDAB's at work: the organiser's and the host's case too."""
    case, placement = steps.at_work(around, VDAB)
    started = around.given(HOST, "placement.started", case)["id"]
    return Held(
        {"trajectory_id": case, "event_id": started},
        {"case": frozenset({VDAB, ORGANISER, HOST}), "holder": frozenset({VDAB})},
        {"case": frozenset({case, placement, started})},
    )


def _erased(around: Region) -> str:
    """The id of a partner's order to erase what it said of somebody."""
    case = around.refer(CAW, family_name="Weg")["trajectory_id"]
    around.send(CAW, "referral.withdrawn", {"reason": "person_request"}, trajectoryid=case)
    body = {"trajectory_id": case, "legal_ground": "gdpr_17_1_a", "reason": "matrix"}
    headers = {"idempotency-key": "matrix"}
    answer = around.call(CAW, "POST", "/v1/erasures", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["erasure_id"])


def _given_up_on(around: Region, event: str, case: str) -> tuple[str, str]:
    """A partner's subscription, paused, and a dead letter of it; nothing is sent here."""
    now = around.clock.now_us()
    letter = uuid7()
    with around.parts.doors.writing.begin() as connection:
        made, _ = subscriptions.create(
            connection,
            CAW,
            subscriptions.Wanted(RECEIVER),
            key="matrix",
            content_hash="matrix",
            secret="whsec_" + "bWF0cml4" * 4,
            seal=PlainSeal(),
            position=0,
            now=now,
        )
        subscriptions.change(connection, Scope(CAW), made.id, state=subscriptions.PAUSED)
        dead = DeadLetter(
            id=letter,
            participant=CAW,
            subscription_id=made.id,
            seq=1,
            event_id=event,
            event_name="referral.created",
            trajectory_id=case,
            dataschema=None,
            code="http_422",
            tries=1,
            excerpt=None,
            dead_at=now,
        )
        dead_letters.add(connection, [dead])
    return made.id, letter


def _seal(around: Region) -> None:
    """Give everything its place in the tree, and sign the head, as other processes do."""
    registry = around.parts.registry
    engine = registry.ledger_engine
    lock = Path(str(engine.url.database)).with_name("sealer.lock")
    seat = open_seat(engine, SEALER_LOCK, lock)
    sealer = Sealer(engine, registry.ledger_reader, seat=seat, stop=threading.Event())
    while sealer.step():
        pass
    around.parts.workers.heads.step()  # what its thread does every so often
