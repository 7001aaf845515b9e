"""Looks for anybody of a world in a hub's folder: nobody may stand there in the clear.

Invented telephone numbers and addresses all begin or end alike, and national numbers are known, so
that everybody is looked for at once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from connectors.world import world
from connectors.world.script import Sending
from tests.e2e import canary_search

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MARKS = {
    "telephone": canary_search.forms("+32000"),
    "e-mail": canary_search.forms("@example.org"),
}
"""Of people: organisations write their numbers with spaces, and have domains below example.org."""
NUMBER = re.compile(rb"(?=(\d\d(?:6[1-9]|7[0-2])\d{7}))")
WIDE = re.compile(rb"(?=((?:\d\x00){11}))")


def people_in(data: Path, folder: Path) -> list[str]:
    """What stands in the clear, as kind and file.

    Args:
        data: the hub's folder.
        folder: the world that was played on it.
    """
    found = [f"{one.name} {one.path.name}" for one in canary_search.search(data, MARKS)]
    known = national_numbers(folder)
    for path in sorted(data.rglob("*")):
        if path.is_file():
            written = {number for part in canary_search.contents(path) for number in _numbers(part)}
            found += [f"national number {path.name}"] if known & written else []
    return found


def national_numbers(folder: Path) -> set[bytes]:
    """Those of everybody in a world."""
    found: set[bytes] = set()
    for step in world.read_steps(folder):
        if isinstance(step, Sending):
            insz = step.event["data"].get("insz")
            found |= set() if insz is None else {str(insz).encode()}
    return found


def _numbers(content: bytes) -> Iterator[bytes]:
    for one in NUMBER.finditer(content):
        yield one[1]
    for one in WIDE.finditer(content):
        yield one[1].replace(b"\0", b"")
