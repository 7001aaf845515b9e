"""Outcomes and receipts of what was decided, and the answers kept for an `Idempotency-Key`.

A kept answer names events; receipts are made again from the ledger, so that no salt is kept
outside the sealed record.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import orjson

from gateway import errors
from gateway.exchange import sealing
from gateway.exchange.decision import Warning as Notice
from gateway.exchange.driver import Lookup
from gateway.exchange.publication import ItemOutcome, Receipt, Status
from gateway.exchange.records import COLUMNS, LedgerRow, row_from
from gateway.exchange.working import Entry, Repeat, Verdict
from schemas.errors import Message
from schemas.identifiers import is_uuid

if TYPE_CHECKING:
    from gateway.exchange.driver import Driver
    from gateway.exchange.keys import KeyStore
    from gateway.exchange.publication import PublishRequest
    from schemas.errors import SchakelError

KEPT_SECONDS = 30 * 24 * 3600
ROWS = Lookup("ledger", ", ".join(COLUMNS), "event_id")


def key_of(request: PublishRequest) -> str:
    """The row key of a request's `Idempotency-Key`: each participant has keys of its own."""
    sender = request.submissions[0].sender if request.submissions else ""
    return f"{sender}/{request.idempotency_key}"


def hash_of(request: PublishRequest) -> bytes:
    """The body's hash, or that of the submissions when the caller gave none."""
    if request.request_hash is not None:
        return request.request_hash
    lengths = (len(one.canonical).to_bytes(8, "big") + one.canonical for one in request.submissions)
    return hashlib.sha256(b"".join(lengths)).digest()


def uuid_or_none(text: str) -> str | None:
    """An id of ours, or nothing: what a sender called it is not for others to see."""
    return text if is_uuid(text) else None


def outcome(
    verdict: Entry | Repeat, keys: KeyStore, records: dict[str, bytes], *, dry_run: bool
) -> ItemOutcome:
    """The outcome of an accepted submission, after its record was sealed."""
    if isinstance(verdict, Entry):
        receipt = _sketched(verdict) if dry_run else _receipt(verdict, records)
        events = tuple(one.event for one in verdict.prepared)
        return ItemOutcome(
            "accepted",
            receipt=receipt,
            event=events[0],
            follow=events[1:],
            warnings=verdict.warnings,
        )
    if isinstance(verdict.of, LedgerRow):
        salt = verdict.salt or sealing.open_row(verdict.of, keys, (sealing.MAIN,)).salt or b""
        status: Status = "accepted" if verdict.accepted else "duplicate"
        return ItemOutcome(status, receipt=receipt_of(verdict.of, salt), warnings=verdict.warnings)
    if verdict.of.prepared[0].event.event_id not in records:  # a dry run that repeats itself
        return ItemOutcome("duplicate", receipt=_sketched(verdict.of))
    return ItemOutcome("duplicate", receipt=_receipt(verdict.of, records))


def receipt_of(row: LedgerRow, salt: bytes) -> Receipt:
    """The receipt of a ledger row."""
    return Receipt(
        event_id=row.event_id,
        participant=row.participant,
        recorded_at=row.recorded_at,
        decision=row.decision,
        agreement=row.agreement_id,
        agreement_hash=row.agreement_hash,
        record_sha256=row.record_sha256,
        commitment=row.commitment,
        salt=salt,
        trajectory_id=row.trajectory_id,
        aggregate_id=row.aggregate_id,
        aggregate_version=row.aggregate_version,
    )


def dump(verdicts: list[Verdict]) -> bytes:
    """An answer to keep."""
    return orjson.dumps([_dumped(one) for one in verdicts])


def load(driver: Driver, answer: bytes) -> list[Verdict]:
    """A kept answer; what it accepted comes back as receipts of what the ledger holds."""
    items: list[dict[str, Any]] = orjson.loads(answer)
    ids = [item["event_id"] for item in items if "event_id" in item]
    (rows,) = driver.read((ROWS, ids))
    found = {row.event_id: row for row in map(row_from, rows)}
    return [_loaded(item, found) for item in items]


def _sketched(entry: Entry) -> Receipt:
    """A dry run's receipt: nothing was recorded, so nothing is proven."""
    return _receipt(entry, {})


def _receipt(entry: Entry, records: dict[str, bytes]) -> Receipt:
    prepared = entry.prepared[0]
    event = prepared.event
    record = records.get(event.event_id)
    return Receipt(
        event_id=event.event_id,
        participant=event.producer,
        recorded_at=event.recorded_at,
        decision="accepted",
        agreement=event.agreement_id,
        agreement_hash=event.agreement_hash,
        record_sha256=b"" if record is None else hashlib.sha256(record).digest(),
        commitment=b"" if record is None else prepared.commitment,
        salt=b"" if record is None else prepared.salt,
        trajectory_id=event.trajectory_id,
        aggregate_id=event.aggregate_id,
        aggregate_version=event.aggregate_version,
    )


def _dumped(verdict: Verdict) -> dict[str, Any]:
    if isinstance(verdict, ItemOutcome):
        error = verdict.error
        return {
            "status": verdict.status,
            "step": verdict.step,
            "error": None if error is None else _dumped_error(error),
        }
    if isinstance(verdict, Entry):
        warnings = [
            {"code": one.code, "detail": one.detail, "rules": one.rules} for one in verdict.warnings
        ]
        event_id = verdict.prepared[0].event.event_id
        return {"status": "accepted", "event_id": event_id, "warnings": warnings}
    of = verdict.of
    event_id = of.event_id if isinstance(of, LedgerRow) else of.prepared[0].event.event_id
    return {"status": "duplicate", "event_id": event_id}


def _dumped_error(error: SchakelError) -> dict[str, Any]:
    return {
        "code": error.code,
        "status": error.status,
        "title": error.title,
        "detail": error.detail,
        "facts": error.facts,
        "invalid": error.invalid,
    }


def _loaded(item: dict[str, Any], rows: dict[str, LedgerRow]) -> Verdict:
    if "event_id" not in item:
        kept = item["error"]
        error = None if kept is None else errors.KeptRefusal(kept)
        return ItemOutcome(item["status"], item["step"], error)
    return Repeat(
        rows[item["event_id"]],
        b"",
        accepted=item["status"] == "accepted",
        warnings=tuple(
            Notice(one["code"], Message(**one["detail"]), tuple(one["rules"]))
            for one in item.get("warnings", ())
        ),
    )
