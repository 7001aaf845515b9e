"""From a source to the hub: map, plan, publish, and only then remember.

Rows are sent in the source's order, many to a call.
A row that depends on the answer to an earlier one (the same key, the same case) waits for that
answer, so that order holds per key and every id is derived from what was really acknowledged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
import structlog

from connectors import addressing, planning
from connectors.answers import TYPE_PREFIX
from connectors.calls import new_traceparent
from connectors.checkpoint import DeadLetter, Known, Settlement, cursor_text
from connectors.errors import RowRefused
from connectors.sdk import Finished, Record, Result

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.answers import ItemAnswer
    from connectors.checkpoint import Checkpoint
    from connectors.identity import Identities
    from connectors.mapping import Mapped, RowMap
    from connectors.planning import Outgoing
    from connectors.publishing import Publisher
    from connectors.sdk import Config, Source

_log = structlog.get_logger(__name__)
BATCH = 100


@dataclass(slots=True)
class Pending:
    """One row that waits for its answers; `refusal` when it never got as far."""

    record: Record
    mapped: Mapped | None = None
    key_digest: str = ""
    known: Known | None = None
    outgoing: list[tuple[Outgoing, dict[str, Any]]] = field(default_factory=list)
    refusal: RowRefused | None = None


class Pump:
    """Drains one source.

    Args:
        source: what to read.
        config: its settings.
        maps: by name.
        state: where the cursor is kept.
        ids: derives event ids.
        publisher: sends until answered.
        participant: whose events they are.
        batch: most events to one call.
    """

    def __init__(
        self,
        source: Source,
        config: Config,
        maps: Mapping[str, RowMap],
        *,
        state: Checkpoint,
        ids: Identities,
        publisher: Publisher,
        participant: str,
        batch: int = BATCH,
    ) -> None:
        self._source = source
        self._config = config
        self._maps = maps
        self._state = state
        self._ids = ids
        self._publisher = publisher
        self._participant = participant
        self._batch = batch
        self._pending: list[Pending] = []
        self._touched: set[str] = set()

    def drain(self) -> int:
        """Read and publish all that the source has now; returns how many records that were.

        Raises:
            Stopped: asked to stop; what was answered is kept, the rest comes again.
            ConnectorError: the hub or the source cannot go on.
        """
        self._pending, self._touched = [], set()
        count = 0
        since = self._state.cursor(self._source.name)
        # The first time the author's own default for `since` holds.
        begun = {} if since is None else {"since": _tupled(since)}
        for item in self._source.read(self._config, **begun):
            if isinstance(item, Finished):
                self._flush()
                self._finish(item)
            else:
                count += 1
                self._take(item)
        self._flush()
        return count

    def _take(self, record: Record) -> None:
        """Add one record, sending the earlier ones first when it depends on their answers."""
        mapped, refusal = self._mapped(record)
        if mapped is None:
            self._pending.append(Pending(record, refusal=refusal))
            return
        touches = self._touches(mapped)
        if touches & self._touched:
            self._flush()
        pending = Pending(record, mapped, key_digest=self._key_digest(mapped))
        pending.known = self._state.known(mapped.event, pending.key_digest)
        try:
            pending.outgoing = self._outgoing(record, mapped, pending.known)
        except RowRefused as error:
            pending.refusal = error
        self._pending.append(pending)
        self._touched |= touches
        if sum(len(one.outgoing) for one in self._pending) >= self._batch:
            self._flush()

    def _mapped(self, record: Record) -> tuple[Mapped | None, RowRefused | None]:
        if isinstance(record.fault, RowRefused):
            return None, record.fault
        if record.fault is not None:
            raise record.fault
        name = record.mapping or self._source.mapping or ""
        try:
            return self._maps[name].apply(dict(record.data)), None
        except RowRefused as error:
            return None, error

    def _outgoing(
        self, record: Record, mapped: Mapped, known: Known | None
    ) -> list[tuple[Outgoing, dict[str, Any]]]:
        planned = planning.plan(mapped, known, self._ids)
        return [(one, self._event(record, mapped, one, known)) for one in planned]

    def _event(
        self, record: Record, mapped: Mapped, outgoing: Outgoing, known: Known | None
    ) -> dict[str, Any]:
        attributes = addressing.address(mapped, outgoing, known, self._state, self._ids)
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {
            "specversion": "1.0",
            "id": outgoing.id,
            "source": f"urn:schakel:participant:{self._participant}",
            "type": TYPE_PREFIX + outgoing.event,
            "time": record.time or now,
            "datacontenttype": "application/json",
            "traceparent": new_traceparent(),
            **attributes,
            "data": dict(outgoing.data),
        }

    def _touches(self, mapped: Mapped) -> set[str]:
        touched = {f"{mapped.event} {self._key_digest(mapped)}"}
        own = addressing.own_digest(mapped.attributes, self._ids)
        if own is not None:
            touched.add(own)
        return touched

    def _key_digest(self, mapped: Mapped) -> str:
        return self._ids.digest("key", mapped.event, list(mapped.key))

    def _flush(self) -> None:
        """Publish what waits and remember the answers and the cursor, together."""
        if not self._pending:
            return
        events = [event for pending in self._pending for _, event in pending.outgoing]
        answers = self._publisher.send(events) if events else {}
        settlement = Settlement(self._source.name, cursor_name=self._source.name)
        settlement.cursor = self._pending[-1].record.at
        for pending in self._pending:
            self._settle(pending, answers, settlement)
        self._state.settle(settlement)
        _log.info(
            "rows_settled",
            source=self._source.name,
            rows=len(self._pending),
            events=len(events),
            refused=len(settlement.dead_letters),
        )
        self._pending, self._touched = [], set()

    def _settle(
        self, pending: Pending, answers: Mapping[str, ItemAnswer], settlement: Settlement
    ) -> None:
        record = pending.record
        if pending.refusal is not None:
            name = pending.mapped.event if pending.mapped else ""
            refusal = pending.refusal
            self._refuse(pending, settlement, name, refusal.reason, refusal.detail.nl)
            return
        if not pending.outgoing:
            name = pending.mapped.event if pending.mapped else ""
            _report(settlement, record, Result(record.row or 0, "unchanged", name))
        known = pending.known
        if known is not None:
            _tell_own(pending, known.trajectory_id, settlement)
        for outgoing, event in pending.outgoing:
            answer = answers[outgoing.id]
            if answer.is_recorded and answer.receipt is not None:
                known = self._recorded(pending, known, (outgoing, event), answer, settlement)
                result = "sent" if answer.status == "accepted" else "duplicate"
                _report(settlement, record, Result(record.row or 0, result, outgoing.event))
            else:
                code = answer.code or "rejected"
                told = advice(answer, pending.mapped)
                self._refuse(pending, settlement, outgoing.event, code, told)

    def _recorded(
        self,
        pending: Pending,
        known: Known | None,
        sent: tuple[Outgoing, Mapping[str, Any]],
        answer: ItemAnswer,
        settlement: Settlement,
    ) -> Known:
        outgoing, event = sent
        receipt = answer.receipt
        assert pending.mapped is not None  # noqa: S101 - a row that was sent was mapped
        assert receipt is not None  # noqa: S101 - recorded events have one
        mapped = pending.mapped
        is_own = outgoing.event == mapped.event
        aggregate = receipt.aggregate_id if is_own else known.aggregate_id if known else None
        settled = Known(
            event=mapped.event,
            key_digest=pending.key_digest,
            revision=outgoing.revision,
            digests=planning.after(known, outgoing),
            event_id=receipt.event_id,
            aggregate_id=aggregate,
            trajectory_id=receipt.trajectory_id,
        )
        settlement.known.append(settled)
        if receipt.trajectory_id is not None:
            _tell_own(pending, receipt.trajectory_id, settlement)
            own = addressing.own_digest(mapped.attributes, self._ids)
            if own is not None:
                settlement.cases.append((own, receipt.trajectory_id))
            kind = addressing.aggregate_type(outgoing.event)
            found = receipt.aggregate_id or event.get("subject")
            if found is not None and kind:
                settlement.aggregates.append((receipt.trajectory_id, kind, str(found)))
        return settled

    def _refuse(
        self, pending: Pending, settlement: Settlement, event: str, code: str, advice: str
    ) -> None:
        record = pending.record
        settlement.dead_letters.append(
            DeadLetter(
                origin=self._source.name,
                unit=record.unit or "",
                row=record.row or 0,
                event=pending.mapped.event if pending.mapped else "",
                key_digest=pending.key_digest,
                stage="map" if pending.refusal is not None else "publish",
                code=code,
                reason=advice,
                cursor=cursor_text(record.at),
                attempts=1,
                raw=record.raw if record.raw is not None else _raw(record.data),
            )
        )
        _report(settlement, record, Result(record.row or 0, "refused", event, code, advice))

    def _finish(self, finished: Finished) -> None:
        """Report a unit whose rows are all settled; again after a crash in between."""
        if self._source.finish is not None:
            results = self._state.results(self._source.name, finished.unit)
            self._source.finish(self._config, finished.unit, results)
        settlement = Settlement(self._source.name, cursor_name=self._source.name)
        settlement.cursor = finished.at
        settlement.finished_unit = finished.unit
        self._state.settle(settlement)


def advice(answer: ItemAnswer, mapped: Mapped | None) -> str:
    """What the hub said, in one line, by the columns of the file."""
    parts = [answer.detail or "De hub weigert deze rij."]
    for one in answer.invalid:
        column = None if mapped is None else mapped.column_of(one.name)
        name = one.name if column is None else f"kolom '{column}'"
        parts.append(f"{name}: {one.reason.nl}")
    if answer.allowed:
        parts.append("Nu toegelaten: " + ", ".join(answer.allowed) + ".")
    return " ".join(parts)


def _tell_own(pending: Pending, trajectory: str | None, settlement: Settlement) -> None:
    """Remember the partner's own number of a trajectory, for what is received of it."""
    own = None if pending.mapped is None else pending.mapped.attributes.get("sourcerecordid")
    if own is not None and trajectory is not None:
        settlement.own_numbers.append((trajectory, own))


def _report(settlement: Settlement, record: Record, result: Result) -> None:
    if record.unit is not None:
        settlement.results.append((record.unit, result))


def _raw(data: Mapping[str, Any]) -> bytes:
    return orjson.dumps(dict(data), default=str)


def _tupled(cursor: Any) -> Any:
    # A source that yielded a tuple gets one back; JSON has lists only.
    return tuple(cursor) if isinstance(cursor, list) else cursor
