"""What a shared commit writes of cases, persons, offers and what is found by them, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from consumers.clock import date_of
from gateway.exchange import mandate
from gateway.exchange.clock import Ground
from gateway.exchange.clocks import next_due
from gateway.exchange.pseudonym import pseudonym
from gateway.exchange.state_rows import dumps
from gateway.exchange.written import (
    AGGREGATES,
    BLIND_INDEX,
    CLOCKS,
    ERRANDS,
    HOLDS,
    LIKENESS,
    MANDATES,
    OFFERS,
    REFERENCES,
    REVIEWS,
    ROUNDS,
    SUBJECTS,
    TRAJECTORIES,
    clock_rows,
    hold_rows,
    review_rows,
)

if TYPE_CHECKING:
    from gateway.exchange.driver import Insert
    from gateway.exchange.keys import KeyStore
    from gateway.exchange.registry import Registry
    from gateway.exchange.working import Working

Rows = list[tuple[object, ...]]

_json = msgspec.json.Encoder().encode


def changed_rows(
    working: Working, keys: KeyStore, registry: Registry, now: int
) -> list[tuple[Insert, Rows]]:
    """The rows of everything that changed, sorted in each table, and the tables in their order.

    The order is the same in every writer, so that none waits for another that waits for it.
    """
    changes = working.changes
    ground = Ground(registry, date_of(now))
    trajectories = [working.trajectories[one] for one in sorted(changes.trajectories)]
    offers = [working.offers[one] for one in sorted(changes.offers)]
    subjects = [working.subjects[one] for one in sorted(changes.subjects)]
    mandates = [working.mandates[one] for one in sorted(changes.mandates)]
    errands = {one.id: one for one in changes.errands}
    likeness = sorted(changes.likeness.items())
    dues = [(one.id, next_due(one, ground)) for one in trajectories]
    dues += [(one.id, next_due(one, ground)) for one in offers]
    return [
        (SUBJECTS, [(one.id, one.since, dumps(one)) for one in subjects]),
        (
            TRAJECTORIES,
            [
                (one.id, one.subject_id, one.territory_nis, one.state, dumps(one))
                for one in trajectories
            ],
        ),
        (
            OFFERS,
            [(one.id, one.owner, one.state, one.territory_nis, dumps(one)) for one in offers],
        ),
        (AGGREGATES, [(one, *place) for one, place in sorted(changes.aggregates.items())]),
        (CLOCKS, clock_rows(dues, working.dues)),
        (ERRANDS, [(one, each.due_at, _json(each)) for one, each in sorted(errands.items())]),
        (MANDATES, [(one.id, one.state, mandate.dumps(one)) for one in mandates]),
        (ROUNDS, [(one.id, one.due_at, _json(one)) for one in changes.rounds]),
        (
            BLIND_INDEX,
            [
                (digest, kind, owner, *known)
                for digest, (kind, owner, known) in sorted(changes.digests.items())
            ],
        ),
        (LIKENESS, [(digest, subject, kind) for (digest, subject), kind in likeness]),
        (REFERENCES, _references(working, keys)),
        (HOLDS, hold_rows([working.subjects[one] for one in changes.held])),
        (REVIEWS, review_rows(changes, now)),
    ]


def _references(working: Working, keys: KeyStore) -> Rows:
    known = sorted(working.changes.references)
    return [(pseudonym(keys.pseudonym_key(one), subject), one, subject) for one, subject in known]
