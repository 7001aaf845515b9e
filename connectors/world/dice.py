"""Chance that can be had again: everything drawn in a world follows from its seed.

Each thing draws from a stream of its own, named by where it stands in the world, so that adding
a person or a journey changes nothing about the others.
"""

from __future__ import annotations

import hashlib
import random
import uuid
from typing import TYPE_CHECKING, TypeVar

from schemas.identifiers import looks_like_insz

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

T = TypeVar("T")


class Dice:
    """A stream of chance.

    Args:
        seed: of the world.
        path: the name of the stream within it.
    """

    def __init__(self, seed: int, *path: str | int) -> None:
        # A text seed is hashed with SHA-512, the same in every process and version of Python.
        self._random = random.Random(_named(seed, path))  # noqa: S311 - it has to be repeatable

    def happens(self, share: float) -> bool:
        """True in this share of cases, from 0 to 1."""
        return self._random.random() < share

    def between(self, least: int, most: int) -> int:
        """A whole number, both ends included."""
        return self._random.randint(least, most)

    def one_of(self, choices: Sequence[T]) -> T:
        """One of them, each as likely."""
        return choices[self._random.randrange(len(choices))]

    def weighted(self, weights: Mapping[T, float]) -> T:
        """One of the keys, as likely as its weight says."""
        return self._random.choices(list(weights), list(weights.values()))[0]

    def around(self, median: int) -> int:
        """Days with this median, skewed as waiting times are: never less than one."""
        return max(1, round(median * self._random.lognormvariate(0.0, 0.5)))


def identifier(seed: int, *path: str | int) -> str:
    """The UUID that a thing has in the world of this seed."""
    attempt = 0
    while True:
        digest = hashlib.sha256(_named(seed, (*path, attempt)).encode()).digest()
        found = str(uuid.UUID(bytes=digest[:16], version=4))
        # One in some ten thousand holds digits that could be a national number; no id may.
        if not looks_like_insz(found):
            return found
        attempt += 1


def _named(seed: int, path: Sequence[str | int]) -> str:
    return "/".join(map(str, (seed, *path)))
