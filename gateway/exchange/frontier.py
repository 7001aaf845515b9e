"""The right edge of the Merkle tree: all that is needed to add leaves and know the root; pure.

Nodes are kept at every eighth level only, so that a leaf costs one row and one hash in 256 costs
one more; what lies between is computed from at most 255 hashes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from schemas import merkle

if TYPE_CHECKING:
    from collections.abc import Sequence

LEVELS: Final = 8
"""Levels from one kept row of nodes to the next."""
WIDTH: Final = 1 << LEVELS


@dataclass(frozen=True, slots=True)
class Node:
    """A node to keep: the root over `1 << level` leaves, the `index`th of its level."""

    level: int
    index: int
    hash: bytes


class Frontier:
    """The hashes beyond the last whole group of 256, at each kept level.

    Args:
        size: leaves in the tree.
        edges: by kept level, lowest first, the hashes of its last group that is not whole.
    """

    def __init__(self, size: int = 0, edges: Sequence[Sequence[bytes]] = ()) -> None:
        self.size = size
        self._edges = [list(one) for one in edges]

    def append(self, leaf_hash: bytes) -> list[Node]:
        """Add a leaf's hash; the nodes that became whole by it, lowest first."""
        self.size += 1
        made: list[Node] = []
        depth, found = 0, leaf_hash
        while True:
            if depth == len(self._edges):
                self._edges.append([])
            edge = self._edges[depth]
            edge.append(found)
            if len(edge) < WIDTH:
                return made
            depth, found = depth + 1, merkle.of_leaves(edge)(LEVELS, 0)
            made.append(Node(depth * LEVELS, (self.size >> depth * LEVELS) - 1, found))
            edge.clear()

    def root(self) -> bytes:
        """The tree's root."""
        return merkle.root(self.size, self._subtree)

    def _subtree(self, level: int, index: int) -> bytes:
        # The subtrees that a root is made of all lie in the groups that are not whole.
        depth, height = divmod(level, LEVELS)
        first = (index << height) % WIDTH
        return merkle.of_leaves(self._edges[depth][first : first + (1 << height)])(height, 0)


def edge_of(size: int, depth: int) -> tuple[int, int]:
    """Which nodes of a kept level lie beyond its last whole group: from the first, to the last."""
    nodes = size >> depth * LEVELS
    return nodes - nodes % WIDTH, nodes


def depth_of(size: int) -> int:
    """How many kept levels a tree has nodes at, the leaves' own among them."""
    return (max(size, 1).bit_length() - 1) // LEVELS + 1
