"""What a registry gives each participant on a day, to tell whose queued events a change concerns.

Pure. Two snapshots, or one on two days, differ for a participant when it, its territory or a
grant that reaches it differs: an agreement that begins or expires at midnight is such a change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping
    from datetime import date

    from gateway.exchange.registry import Participant, Registry

Entitlements = dict[str, tuple["Hashable", ...]]
"""By participant what its hand-overs rest on, to be compared."""


def entitlements(registry: Registry, on: date) -> Entitlements:
    """What every participant may be handed today; costs milliseconds, done per change and day."""
    onward = frozenset(
        one.agreement_hash
        for participant in registry.participants.values()
        for one in registry.grants.grants_from(participant.organisation)
        if one.onward and one.is_valid_on(on)
    )
    return {one.id: (*_of(registry, one, on), onward) for one in registry.participants.values()}


def _of(registry: Registry, one: Participant, on: date) -> tuple[Hashable, ...]:
    reaching = registry.grants.grants_to(one.organisation, one.role)
    valid = frozenset(grant for grant in reaching if grant.is_valid_on(on))
    # A grant with an age lets something go every day.
    aged = on if any(grant.max_age_days is not None for grant in valid) else None
    return one.is_valid(on), one.organisation, one.role, one.territory_on(on), valid, aged


def changed(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    """The participants whose hand-overs may come out otherwise now, in order."""
    names = before.keys() | after.keys()
    return sorted(one for one in names if before.get(one) != after.get(one))
