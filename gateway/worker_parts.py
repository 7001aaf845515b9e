"""What the gateway does by itself: what is due, what has to stop, and chores by the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.exchange.agreement_expiry import AgreementExpiry
from gateway.exchange.agreement_store import AgreementStore
from gateway.exchange.chores import Chores
from gateway.exchange.erasure_store import ErasureStore
from gateway.exchange.erasures import Erasures
from gateway.exchange.heads import HeadSigner
from gateway.exchange.key_erasure import KeyEraser
from gateway.exchange.proof_keys import ProofKeys
from gateway.exchange.retention_job import RetentionJob
from gateway.exchange.review_store import ReviewStore
from gateway.exchange.round_store import RoundStore
from gateway.exchange.sweeper import Sweeper
from gateway.exchange.timer_store import TimerStore
from gateway.exchange.timers import Timers
from gateway.key_parts import key_rotation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.door_parts import DoorParts
    from gateway.exchange.ledger import Ledger
    from gateway.settings import HubSettings

MOST_STEPS = 16
"""Of orders to erase in one settling; the chores' own thread goes on with more."""


class WorkerParts:
    """Threads of the gateway beside those that answer. `start` before serving, `stop` after.

    Args:
        settings: of the gateway.
        doors: inboxes and keys.
        ledger: takes what the hub sends by itself.
        wake: tells waiting feeds about inboxes that changed.
    """

    def __init__(
        self,
        settings: HubSettings,
        doors: DoorParts,
        ledger: Ledger,
        wake: Callable[[bytes], None],
    ) -> None:
        self._doors = doors
        self._ledger_engine = doors.registry.ledger_engine
        self._ledger_reader = doors.registry.ledger_reader
        self._registry = doors.registry.live.current
        self.timers = Timers(
            TimerStore(self._ledger_reader, self._ledger_engine),
            RoundStore(self._ledger_reader, self._ledger_engine),
            ledger.submit,
            doors.clock,
            self._registry,
        )
        self.sweeper = self._sweeper(wake)
        self.agreements = AgreementStore(
            self._ledger_engine,
            self._ledger_reader,
            environment=settings.environment,
            clock=doors.clock,
        )
        self.erasures = Erasures(
            ErasureStore(self._ledger_engine),
            self._eraser(),
            doors.keys_engine,
            doors.reading,
            self._registry,
        )
        self.proof_keys = ProofKeys(self._ledger_engine, doors.encryption)
        self.heads = HeadSigner(
            self._ledger_engine, self._ledger_reader, keys=self.proof_keys, hub=settings.issuer
        )
        self._chores = self._all_chores()

    def start(self) -> None:
        """Start every thread; the ledger has to take events already."""
        self.timers.start()
        self._chores.start()
        self.heads.start()
        self.sweeper.start()

    def stop(self) -> None:
        """End them; the ledger still has to answer."""
        self.sweeper.stop()
        self.heads.stop()
        self._chores.stop()
        self.timers.stop()

    def settle(self, at: int) -> int:
        """Wait until what is due at a time was done, orders to erase included; how much is left.

        An order has four steps, and its announcement is an errand of the timers between them.
        """
        left = self.timers.settle(at)
        for _ in range(MOST_STEPS):
            if not self.erasures.when_due(at):
                break
            left = self.timers.settle(at)
        return left

    def figures(self) -> Mapping[str, float]:
        """What `/metrics` shows of them."""
        return {
            "proof_tree_differs": float(self.heads.differs),
            "proof_waiting": float(self.heads.waiting),
            **self.timers.figures(),
            **self.sweeper.figures(),
        }

    def _sweeper(self, wake: Callable[[bytes], None]) -> Sweeper:
        live = self._doors.registry.live
        sweeper = Sweeper(
            registry=live.current,
            clock=self._doors.clock,
            reviews=ReviewStore(self._ledger_reader, self._ledger_engine),
            ledger=self._ledger_reader,
            reading=self._doors.reading,
            writing=self._doors.writing,
            wake=wake,
        )
        live.on_change(sweeper.nudge)
        return sweeper

    def _all_chores(self) -> Chores:
        doors = self._doors
        rotation = key_rotation(
            doors.keys_engine, self._ledger_engine, doors.writing, doors.encryption
        )
        retention = RetentionJob(self._ledger_engine, doors.writing, self._eraser(), self._registry)
        return Chores(
            {
                "key_rotation": rotation.when_due,
                "agreement_expiry": AgreementExpiry(self.agreements, doors.registry.live).when_due,
                "erasures": self.erasures.when_due,
                "retention": retention.when_due,
            },
            doors.clock,
        )

    def _eraser(self) -> KeyEraser:
        doors = self._doors
        return KeyEraser(doors.keys_engine, doors.encryption, doors.keys.forget_cached)
