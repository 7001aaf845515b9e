"""Who calls in these tests, and the role of each."""

from __future__ import annotations

from tests.gateway.exchange import cast

PARTNER = cast.RELATED["P"]
"""Who sends in these tests."""


def roles() -> dict[str, str]:
    """Role letter of each participant of the cast."""
    return {one.id: one.role for one in cast.registry().participants.values()}
