"""A case that a CAW referred and an OCMW holds, and what carries out an order to erase."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.exchange.erasure_store import ErasureStore
from gateway.exchange.erasures import Erasures
from gateway.exchange.key_erasure import KeyEraser
from gateway.exchange.key_file import FileKeyEncryption
from gateway.exchange.key_rotation import KeyRotation
from tests.gateway.exchange.exchange_world import (
    CANARY,
    CAW,
    NIS,
    OCMW,
    OCMW_URN,
    REFERRAL,
    World,
    exchange,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consumers.database import Stores
    from gateway.exchange.erasure import Erasure

PHONE, NUMBER, INSZ = "+32000123456", "DOSSIER-7", "71641212301"
CAW_URN = "urn:be:kbo:1999000348"
GROUND = "gdpr_17_1_a"


def referral(**changes: Any) -> dict[str, Any]:
    """What the CAW sends to the OCMW."""
    person = {"given_name": "Amina", "family_name": CANARY, "phone": PHONE, "language": "nl"}
    kept = {key: REFERRAL[key] for key in ("reason_codes", "contact_person")}
    informed = {**REFERRAL["informed"], "by_role": "local_partner"}
    return {
        **kept,
        "programme": "samenlevingsjob",
        "target_org": OCMW_URN,
        "person": person,
        "informed": informed,
        **changes,
    }


@dataclass
class ErasureWorld:
    """An exchange with orders to erase."""

    world: World
    kek: FileKeyEncryption
    store: ErasureStore
    eraser: KeyEraser
    erasures: Erasures
    rotation: KeyRotation
    case: str = ""
    referral: str = ""

    def refer(self, **changes: Any) -> str:
        """The CAW refers; the case."""
        sent = self.world.send("referral.created", CAW, referral(), territory_nis=NIS, **changes)
        assert sent.receipt is not None
        self.world.deliver()
        self.referral = sent.receipt.aggregate_id
        return str(sent.receipt.trajectory_id)

    def take(self) -> None:
        """The OCMW reads it, accepts and holds the case."""
        self.world.fetch(OCMW)
        for name, data, subject in (
            ("referral.accepted", {}, self.referral),
            ("trajectory.case_holder_assigned", {"holder": OCMW_URN}, self.case),
        ):
            self.world.send(name, OCMW, data, trajectory_id=self.case, subject=subject)
        self.world.deliver()

    def order(self, participant: str = CAW, key: str = "k-1", **given: Any) -> Erasure:
        """An order about the person of the case."""
        found = self.world.registry.participant(participant)
        assert found is not None
        return self.erasures.order(
            found,
            f"{participant}-connector",
            given.pop("case", self.case),
            GROUND,
            reason="asked in writing",
            key=key,
            now=self.world.clock.now_us(),
            **given,
        )

    def settle(self) -> None:
        """All that can be done now."""
        while self.world.timers.step() or self.erasures.when_due(self.world.clock.now_us()):
            pass
        self.world.keys.forget_cached()  # as each process does within two seconds
        self.world.deliver()

    def rotate(self) -> None:
        """The key-encryption key is replaced, and whoever waits for it looks."""
        self.rotation.run(self.world.clock.now_us(), actor="operator", reason="test")
        self.world.pass_time(1)
        self.settle()

    def found(self, order: Erasure) -> Erasure:
        """The order as it is now."""
        found = self.store.find(order.id)
        assert found is not None
        return found


def wired(world: World, kek: FileKeyEncryption) -> ErasureWorld:
    """The parts, as a gateway has them."""
    engines = world.engines
    store, eraser = ErasureStore(engines["ledger"]), KeyEraser(engines["keys"], kek)
    erasures = Erasures(
        store, eraser, engines["keys"], engines["consumers_read"], lambda: world.registry
    )
    rotation = KeyRotation(engines["keys"], kek, engines["ledger"])
    return ErasureWorld(world, kek, store, eraser, erasures, rotation)


@contextmanager
def erasing(stores: Stores, folder: Path) -> Iterator[ErasureWorld]:
    """A running exchange with a case of a CAW that an OCMW holds."""
    with exchange(stores, folder) as world:
        made = wired(world, FileKeyEncryption(folder / "kek"))
        made.case = made.refer(source_record_id=NUMBER)
        made.take()
        yield made
