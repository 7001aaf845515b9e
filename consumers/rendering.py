"""How much a door renders at a time, so that nothing leaves long after its right was asked for."""

from __future__ import annotations

from typing import Final

BEGIN_SECONDS: Final = 0.5
"""A registry may be a second and a half old, and after two nothing more may be sent."""
RENDER_SECONDS: Final = BEGIN_SECONDS / 2
"""What rendering may take, so that what comes of it is not too old when it is sent."""


def fitting(size: int, rendered: int, seconds: float, *, most: int) -> int:
    """How many to render next time, `most` at most.

    Args:
        size: how many might be rendered this time; fewer say nothing about so many.
        rendered: how many there were.
        seconds: what they took.
        most: more is never rendered at a time.
    """
    if seconds > RENDER_SECONDS:
        return max(1, int(rendered * RENDER_SECONDS / seconds))
    return min(most, size * 2) if rendered >= size else size
