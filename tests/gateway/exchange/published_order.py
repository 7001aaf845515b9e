"""Compares what was accepted with what came out of the relay."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.exchange.outbox import FACT_TOPIC

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.engine import Engine


@dataclass(frozen=True, slots=True)
class Accepted:
    """One row of the ledger, as far as order is concerned."""

    event_id: str
    trajectory_id: str
    aggregate_id: str
    version: int


@dataclass(slots=True)
class Findings:
    """What is wrong; empty when nothing is.

    Attributes:
        lost: ids of accepted events that were never published.
        invented: published ids that nobody accepted.
        reordered: trajectories whose events came first in another order than they were accepted.
        gaps: aggregates whose versions are not 1, 2, 3 and so on.
    """

    lost: set[str] = field(default_factory=set)
    invented: set[str] = field(default_factory=set)
    reordered: set[str] = field(default_factory=set)
    gaps: set[str] = field(default_factory=set)


def accepted_by(engine: Engine) -> list[Accepted]:
    """The ledger in number order."""
    with engine.connect() as connection:
        found = connection.exec_driver_sql(
            "select event_id, coalesce(trajectory_id, aggregate_id), aggregate_id,"
            " aggregate_version from ledger order by seq"
        )
        return [Accepted(*row) for row in found]


def compare(accepted: Sequence[Accepted], published: Iterable[str]) -> Findings:
    """The ledger against the ids that were published, in the order in which they were."""
    firsts = list(dict.fromkeys(published))
    known = {one.event_id: one for one in accepted}
    out = [known[one] for one in firsts if one in known]
    findings = Findings(lost=known.keys() - set(firsts), invented=set(firsts) - known.keys())
    went_in = _by_trajectory(one for one in accepted if one.event_id not in findings.lost)
    came_out = _by_trajectory(out)
    findings.reordered = {one for one, ids in went_in.items() if came_out[one] != ids}
    versions: dict[str, list[int]] = defaultdict(list)
    for one in accepted:
        versions[one.aggregate_id].append(one.version)
    findings.gaps = {
        one for one, found in versions.items() if found != list(range(1, len(found) + 1))
    }
    return findings


def ids_of(records: Iterable[tuple[str, Iterable[tuple[str, bytes]]]]) -> list[str]:
    """The event ids of published records, given as topic and headers; facts have none."""
    return [dict(headers)["ce_id"].decode() for topic, headers in records if topic != FACT_TOPIC]


def _by_trajectory(events: Iterable[Accepted]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for one in events:
        found[one.trajectory_id].append(one.event_id)
    return found
