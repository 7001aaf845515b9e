"""Orders to erase, taken and carried out: one controller's own data about one person.

The order of things matters. First the cases are told, so that nothing more is sealed for the
controller; then its keys are destroyed; then whatever finds the person for it goes.
Every step can be done again, so a crash between two of them costs nothing but time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from msgspec.structs import replace

from consumers import views
from consumers.scope import WHOLE_HUB
from gateway.errors import IdempotencyKeyReused
from gateway.exchange import audit, erasure
from gateway.exchange.draft import unknown_case
from gateway.exchange.erasure import Erasure, Told
from gateway.exchange.erasure_effects import duty_to_keep
from gateway.exchange.key_state import read_state
from gateway.exchange.retention_duties import retention_duties
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.engine import Engine

    from gateway.exchange.erasure_store import ErasureStore
    from gateway.exchange.key_erasure import KeyEraser
    from gateway.exchange.registry import Participant, Registry

KAFKA = "kafka"
LOOK_AGAIN_US = 5_000_000
"""How soon a waiting order is looked at again: for a rotation, and for who received meanwhile."""


class Erasures:
    """Takes orders and carries them out; safe in several gateways at once.

    Args:
        store: the orders.
        eraser: destroys keys.
        keys: the keys' own store.
        consumers: read-only engine of the consumers' store, for who received something.
        registry: the newest snapshot.
    """

    def __init__(
        self,
        store: ErasureStore,
        eraser: KeyEraser,
        keys: Engine,
        consumers: Engine,
        registry: Callable[[], Registry],
    ) -> None:
        self._store = store
        self._eraser = eraser
        self._keys = keys
        self._consumers = consumers
        self._registry = registry

    def order(
        self,
        participant: Participant,
        client_id: str,
        trajectory_id: str,
        legal_ground: str,
        *,
        reason: str,
        key: str,
        now: int,
        dry_run: bool = False,
    ) -> Erasure:
        """Take an order of the participant's organisation about the person of a case. Blocks.

        The same key again gives the same order.

        Args:
            participant: who orders; it is known to take part in the case.
            client_id: for the audit line.
            trajectory_id: a case of the person.
            legal_ground: code of `legal_ground`.
            reason: for the audit line.
            key: the caller's `Idempotency-Key`.
            now: business time.
            dry_run: only say what would be erased.

        Raises:
            IdempotencyKeyReused: the key came before with another order.
            UnknownCase: nothing of the organisation's about that person is there.
            DutyToKeep: it has to be kept for now.
            InvalidParameter: the reason cannot be kept.
        """
        kept = audit.checked_reason(reason)
        known = str(uuid5(NAMESPACE_URL, f"urn:schakel:erasure:{participant.id}:{key}"))
        found = None if dry_run else self._store.find(known)
        if found is not None:
            return _same(found, trajectory_id, legal_ground)
        made = self._made(known, participant, client_id, (trajectory_id, legal_ground), now)
        if not dry_run:
            received, by_kafka = self._received(made)
            made = replace(made, by_kafka=by_kafka)
            told = [Told(one, now) for one in _names(received)]
            self._store.add(made, told, erasure.announcements(made, 1, received, now), kept)
        return made

    def _made(
        self,
        known: str,
        participant: Participant,
        client_id: str,
        said: tuple[str, str],
        now: int,
    ) -> Erasure:
        registry, organisation = self._registry(), participant.organisation
        subjects = self._store.person_of(said[0])
        cases = self._store.cases_of(subjects, organisation) if subjects else []
        own = tuple(one.id for one in registry.participants_of(organisation))
        cases = [one for one in cases if not set(own) & set(one.erased)]
        if not cases:
            raise unknown_case()
        kept = [duty for case in cases for duty in retention_duties(case, own, now)]
        if kept:
            raise duty_to_keep(kept)
        controller = registry.organisation(organisation)
        made = Erasure(
            id=known,
            stage="announcing",
            organisation=organisation,
            participant=participant.id,
            client_id=client_id,
            legal_ground=said[1],
            subject_ids=subjects,
            trajectory_ids=tuple(one.id for one in cases),
            own=own,
            ordered_at=now,
            is_masked=controller is not None and controller.sensitive_sender,
        )
        return replace(made, events=self._store.events_of(made))

    def when_due(self, now: int) -> bool:
        """Take every order that is due one step further; whether there was any."""
        due = self._store.due(now)
        moved = [self._step(found, now) for one in due if (found := self._store.find(one))]
        return any(moved)

    def _step(self, found: Erasure, now: int) -> bool:
        """One step; whether it came further."""
        if found.stage == "announcing":
            return self._announced(found, now)
        if found.stage == "destroying":
            self._eraser.erase(found.subject_ids, found.organisation, now)
            count = read_state(self._keys).destroyed
            after = replace(found, stage="clearing", destroyed_at=now, destruction=count)
            self._store.keep(after, now)
            return True
        if found.stage == "clearing":
            is_last = not self._eraser.holds_any(found.subject_ids)
            after = replace(found, stage="waiting", number_kept=not is_last)
            self._store.clear(found, after, now, is_last=is_last)
            return True
        return self._waited(found, now)

    def _announced(self, found: Erasure, now: int) -> bool:
        ids = [erasure.errand_id(found, 1, case) for case in found.trajectory_ids]
        is_done = self._store.is_announced(found, ids)
        if is_done is False:
            return False
        stage: erasure.Stage = "refused" if is_done is None else "destroying"
        self._store.keep(replace(found, stage=stage), None if is_done is None else now)
        return True

    def _waited(self, found: Erasure, now: int) -> bool:
        """Complete it when no copy opens any more; tell who received since, and remind."""
        told = self._store.told(found.id)
        after = found
        count = found.destruction
        if found.completed_at is None and count is not None and self._is_final(count):
            after = replace(found, completed_at=now)
        received, by_kafka = self._received(found)
        after = replace(after, by_kafka=found.by_kafka or by_kafka)
        known = {one.participant for one in told}
        late = [Told(one, now) for one in _names(received) if one not in known]
        again = [one._replace(reminded=one.reminded + 1) for one in erasure.to_remind(told, now)]
        if late or again:
            after = replace(after, announcements=found.announcements + 1)
        names = {one.participant for one in (*late, *again)}
        to_tell = {case: _only(found_by, names) for case, found_by in received.items()}
        errands = erasure.announcements(after, after.announcements, to_tell, now) if names else []
        whole = [*(one for one in told if one.participant not in names), *late, *again]
        after, due_at = _next(after, whole, now)
        if after != found or names:
            self._store.keep(after, due_at, (*late, *again), errands)
            return True
        self._store.keep(after, due_at)
        return False

    def _is_final(self, destruction: int) -> bool:
        """Whether no older key-encryption key outlives that destruction."""
        return read_state(self._keys).completed >= destruction

    def _received(self, found: Erasure) -> tuple[dict[str, tuple[str, ...]], bool]:
        """By case, who of others was handed something of the controller's; whether by Kafka."""
        with self._consumers.connect() as connection:
            lines = views.received_from(
                connection, WHOLE_HUB, found.organisation, found.trajectory_ids
            )
        others = [(who, case, door) for who, case, door in lines if who not in found.own]
        by_case = {
            case: tuple(sorted({who for who, where, _ in others if where == case}))
            for case in found.trajectory_ids
        }
        return by_case, any(door == KAFKA for _, _, door in others)


def _names(received: Mapping[str, tuple[str, ...]]) -> list[str]:
    return sorted({one for some in received.values() for one in some})


def _only(some: tuple[str, ...], names: set[str]) -> tuple[str, ...]:
    return tuple(one for one in some if one in names)


def _same(found: Erasure, trajectory_id: str, legal_ground: str) -> Erasure:
    if trajectory_id in found.trajectory_ids and legal_ground == found.legal_ground:
        return found
    raise IdempotencyKeyReused(
        Message(
            nl="Deze Idempotency-Key hoort bij een andere opdracht. Gebruik een nieuwe.",
            en="This Idempotency-Key belongs to another order. Use a new one.",
        )
    )


def _next(found: Erasure, told: list[Told], now: int) -> tuple[Erasure, int | None]:
    """When to look again: soon while keys wait, at the next reminder, or never more."""
    if found.completed_at is None:
        return found, now + LOOK_AGAIN_US
    reminder = erasure.next_reminder(told)
    if reminder is None:
        return replace(found, stage="done"), None
    return found, reminder
