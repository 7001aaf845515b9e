"""The life of an agreement: what each party's act leads to (`schemas/lifecycles/agreement.yaml`).

Pure. The table says which act is possible in which state; an agreement begins to count when every
party has accepted it, and nothing makes it count again once it has ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gateway.errors import AgreementStands
from gateway.exchange.registry_events import AgreementEvent
from schemas.errors import Message
from schemas.lifecycle import lifecycles

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Set as AbstractSet
    from datetime import date

    from gateway.exchange.agreement_statement import Statement
    from gateway.exchange.registry import RegisteredAgreement

EVENT_OF: Final = {
    "accept": "agreement.accepted",
    "reject": "agreement.rejected",
    "revoke": "agreement.revoked",
}
PROPOSED: Final = "proposed"
ACTIVE: Final = "active"
REJECTED: Final = "rejected"
EXPIRED: Final = "expired"
REVOKED: Final = "revoked"
AGGREGATE: Final = "agreement"
PARTY: Final = frozenset({"party"})


@dataclass(frozen=True, slots=True)
class Turn:
    """What an act leads to.

    Attributes:
        status: the state after it.
        events: what is told, in order.
    """

    status: str
    events: tuple[AgreementEvent, ...]


def allowed(status: str) -> tuple[str, ...]:
    """The acts that are possible in a state."""
    names = lifecycles()[AGGREGATE].allowed(status, "", PARTY)
    return tuple(act for act, event in EVENT_OF.items() if event in names)


def proposed(agreement: RegisteredAgreement) -> Turn:
    """The turn of a document that is put before its parties."""
    one = agreement.agreement
    data: dict[str, Any] = {
        "document_hash": one.document_hash,
        "parties": list(one.parties),
        "effective": one.valid_from.isoformat(),
    }
    if one.supersedes is not None:
        data["supersedes"] = one.supersedes
    return Turn(PROPOSED, (_event("agreement.proposed", agreement, data),))


def acted(
    agreement: RegisteredAgreement,
    statement: Statement,
    accepted: AbstractSet[str],
    *,
    reference: str,
    today: date,
) -> Turn:
    """The turn of an act that a party signed.

    Args:
        agreement: as it stands.
        statement: what was signed.
        accepted: the parties that accepted before.
        reference: where the signature is kept.
        today: the last day of an agreement that is revoked.

    Raises:
        AgreementStands: the state does not allow it; an agreement that cannot be evaluated can
            only be ended.
    """
    name = EVENT_OF[statement.act]
    rows = lifecycles()[AGGREGATE].transition(name, agreement.status)
    if not rows or (statement.act == "accept" and not agreement.is_evaluable):
        raise stands(agreement.status)
    status = rows[0].targets[0]
    if rows[0].choose == "all_signed" and {*accepted, statement.party} >= set(
        agreement.agreement.parties
    ):
        status = ACTIVE
    data: dict[str, Any] = {
        "document_hash": statement.document_hash,
        "party": statement.party,
        "signature_ref": reference,
    }
    if statement.reason is not None:
        data["reason"] = statement.reason
    if statement.act == "accept":
        data["effective"] = agreement.agreement.valid_from.isoformat()
    if statement.act == "revoke":
        data["effective"] = today.isoformat()
    return Turn(status, (_event(name, agreement, data),))


def successors(
    agreements: Iterable[RegisteredAgreement], today: date
) -> Iterator[tuple[RegisteredAgreement, RegisteredAgreement]]:
    """The active agreements that a newer one has replaced by now, each with that one.

    A newer one that begins later leaves the older in force until its own first day.
    """
    active = {one.id: one for one in agreements if one.status == ACTIVE and one.is_evaluable}
    for newer in active.values():
        older = active.get(newer.agreement.supersedes or "")
        if older is not None and newer.agreement.valid_from <= today:
            yield older, newer


def replaced(older: RegisteredAgreement, party: str, today: date) -> Turn:
    """The end of an agreement whose successor begins, in the name of a party of that one."""
    data = {
        "document_hash": older.hash,
        "party": party,
        "effective": today.isoformat(),
        "reason": "other",
    }
    return Turn(REVOKED, (_event("agreement.revoked", older, data),))


def expired(agreement: RegisteredAgreement) -> Turn:
    """The turn of an agreement whose last day has passed."""
    one = agreement.agreement
    data: dict[str, Any] = {"document_hash": one.document_hash, "parties": list(one.parties)}
    if one.valid_to is not None:
        data["effective"] = one.valid_to.isoformat()
    return Turn(EXPIRED, (_event("agreement.expired", agreement, data),))


def has_ended(agreements: Iterable[RegisteredAgreement], today: date) -> bool:
    """Whether one of them has passed its last day or was replaced, and nobody wrote it down."""
    every = list(agreements)
    return any(is_past(one, today) for one in every) or any(successors(every, today))


def is_past(agreement: RegisteredAgreement, today: date) -> bool:
    """Whether it is active although its last day has passed."""
    last = agreement.agreement.valid_to
    return agreement.status == ACTIVE and last is not None and last < today


def stands(status: str) -> AgreementStands:
    """The refusal of an act that a state does not allow."""
    now = ", ".join(allowed(status)) or "-"
    return AgreementStands(
        Message(
            nl=f"Dat kan niet in toestand {status}; nu mogelijk: {now}.",
            en=f"That is not possible in state {status}; possible now: {now}.",
        ),
        facts={"state": status, "allowed": list(allowed(status))},
    )


def _event(name: str, agreement: RegisteredAgreement, data: dict[str, Any]) -> AgreementEvent:
    return AgreementEvent(name, agreement.id, agreement.agreement.parties[0], data)
