"""What is not kept any longer: whose keys go, of which parts of a case (`schemas/retention.yaml`).

Pure; `retention_job.py` reads the cases and destroys the keys. Destroyed, an event stays in the
ledger as ids, types, times and ciphertext, and every proof over it holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from consumers.clock import date_of
from gateway.exchange.retention_duties import is_kept
from gateway.exchange.sealing import STAFF as STAFF_PART
from schemas.retention import CASE, PARTNER_REFERRAL, STAFF, periods

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.exchange.registry import Registry
    from gateway.exchange.state import Trajectory

PARTNER = "P"


class Shred(NamedTuple):
    """Keys to destroy.

    Attributes:
        what: code of the period that ended.
        trajectory_id: the case.
        subject_id: its person.
        aggregate_ids: of which the keys are.
        since: microseconds of what began the period.
        producer: of this organisation alone.
        part: this part alone.
    """

    what: str
    trajectory_id: str
    subject_id: str
    aggregate_ids: tuple[str, ...]
    since: int
    producer: str | None = None
    part: str | None = None


def shreds(
    case: Trajectory, aggregates: Sequence[str], registry: Registry, now: int
) -> list[Shred]:
    """What of a case is over.

    Args:
        case: its state.
        aggregates: the ids of everything in it, itself included.
        registry: says which organisation a participant is of.
        now: business time.
    """
    if _is_over(CASE, case, now) and not any(is_kept(one, now) for one in case.rights.values()):
        return [Shred(CASE, case.id, case.subject_id, tuple(aggregates), _since(case))]
    found = list(_referrals(case, registry, now))
    if _is_over(STAFF, case, now):
        found.append(
            Shred(STAFF, case.id, case.subject_id, tuple(aggregates), _since(case), part=STAFF_PART)
        )
    return found


def _referrals(case: Trajectory, registry: Registry, now: int) -> Iterator[Shred]:
    period = periods()[PARTNER_REFERRAL]
    for one in case.referrals.values():
        referrer = registry.participant(one.referrer)
        if referrer is None or referrer.role != PARTNER or one.state not in period.after:
            continue
        if date_of(now) >= period.ends(date_of(one.since)):
            yield Shred(
                PARTNER_REFERRAL,
                case.id,
                case.subject_id,
                (one.id,),
                one.since,
                producer=referrer.organisation,
            )


def _is_over(what: str, case: Trajectory, now: int) -> bool:
    period = periods()[what]
    return case.state in period.after and date_of(now) >= period.ends(date_of(_since(case)))


def _since(case: Trajectory) -> int:
    return case.closed_at or case.since
