"""The right edge of a tree gives the same roots as the whole tree."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.exchange.frontier import Frontier, Node, depth_of, edge_of
from schemas import merkle

HASHES = [merkle.leaf_hash(b"%d" % number) for number in range(70_000)]


@given(st.integers(0, 1_200))
@example(255)
@example(256)
@example(257)
@example(512)
def test_the_root_is_that_of_the_whole_tree(size: int) -> None:
    """At any size, and the nodes kept are those of the tree."""
    frontier, kept = Frontier(), []
    for one in HASHES[:size]:
        kept += frontier.append(one)
    subtree = merkle.of_leaves(HASHES[:size])

    assert frontier.root() == merkle.root(size, subtree)
    assert kept == [Node(8, index, subtree(8, index)) for index in range(size // 256)]


def test_a_second_kept_level() -> None:
    """Past 65,536 leaves; a frontier made of the kept edges goes on as the first did."""
    frontier, nodes = Frontier(), list[Node]()
    for one in HASHES[:65_800]:
        nodes += frontier.append(one)
    size = frontier.size
    rows = {0: HASHES[:size]}
    for node in nodes:
        rows.setdefault(node.level // 8, []).append(node.hash)
    edges = [rows.get(depth, [])[slice(*edge_of(size, depth))] for depth in range(depth_of(size))]
    again = Frontier(size, edges)

    assert [one.level for one in nodes].count(16) == 1
    assert again.root() == frontier.root() == merkle.root(size, merkle.of_leaves(HASHES[:size]))
    for one in HASHES[size : size + 300]:
        assert again.append(one) == frontier.append(one)
    assert again.root() == frontier.root()


@pytest.mark.parametrize(
    ("size", "depth"), [(0, 1), (1, 1), (255, 1), (256, 2), (65_535, 2), (65_536, 3)]
)
def test_how_many_levels_are_kept(size: int, depth: int) -> None:
    """One more at each power of 256."""
    assert depth_of(size) == depth
