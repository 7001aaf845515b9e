"""The Merkle tree of RFC 6962 and RFC 9162: roots, proofs and their verification; pure.

A tree is read through `Subtree`, which gives the hash of any perfect subtree, so that whoever
stores the nodes decides how many of them to keep.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256().digest()
"""The root of a tree without leaves."""


class Subtree(Protocol):
    """Gives the hashes of perfect subtrees."""

    def __call__(self, level: int, index: int) -> bytes:
        """The root over `1 << level` leaves from leaf `index << level`; at level 0 a leaf's hash.

        Raises LookupError when the tree does not hold all of them.
        """
        ...


def hash_from(text: str) -> bytes:
    """A hash from its one hexadecimal spelling: 64 lower-case digits.

    Raises:
        ValueError: it is spelt in any other way.
    """
    found = bytes.fromhex(text)
    if len(found) != HASH_BYTES or found.hex() != text:
        message = "not a hash in lower-case hexadecimal"
        raise ValueError(message)
    return found


def leaf_hash(data: bytes) -> bytes:
    """The hash of one leaf: SHA-256(0x00 ‖ data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash over two nodes: SHA-256(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def of_leaves(hashes: Sequence[bytes]) -> Subtree:
    """The subtrees over a list of leaf hashes, computed when asked for."""

    def subtree(level: int, index: int) -> bytes:
        if level == 0:
            return hashes[index]
        return node_hash(subtree(level - 1, 2 * index), subtree(level - 1, 2 * index + 1))

    return subtree


def root(size: int, subtree: Subtree) -> bytes:
    """The root over the first `size` leaves (RFC 9162 §2.1.1)."""
    return EMPTY_ROOT if size == 0 else _range(0, size, subtree)


def inclusion_path(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """The proof that leaf `index` is in the tree of `size` leaves, lowest node first (§2.1.3.1).

    Raises:
        ValueError: the leaf is not in that tree.
    """
    if not 0 <= index < size:
        message = "the leaf is not in a tree of that size"
        raise ValueError(message)
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range(middle, end, subtree))
            end = middle
        else:
            path.append(_range(start, middle, subtree))
            start = middle
    return path[::-1]


def consistency_path(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """The proof that the tree of `new` leaves begins with that of `old` leaves (§2.1.4.1).

    Empty when either is trivial: `old` is 0 or equals `new`.

    Raises:
        ValueError: the old tree is the larger one.
    """
    if not 0 <= old <= new:
        message = "the old tree is larger than the new one"
        raise ValueError(message)
    path: list[bytes] = []
    start, end = 0, new
    while 0 < old < end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_range(middle, end, subtree))
            end = middle
        else:
            path.append(_range(start, middle, subtree))
            start = middle
    if start > 0:  # otherwise the old tree is a whole subtree, whose root the verifier has
        path.append(_range(start, end, subtree))
    return path[::-1]


def includes(leaf: bytes, index: int, size: int, path: Sequence[bytes], tree_root: bytes) -> bool:
    """Whether a path proves that a leaf's hash is leaf `index` of the tree (§2.1.3.2)."""
    if not 0 <= index < size or not _are_hashes((leaf, tree_root, *path)):
        return False
    node, last, found = index, size - 1, leaf
    for one in path:
        if last == 0:
            return False
        if node & 1 or node == last:
            found = node_hash(one, found)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            found = node_hash(found, one)
        node, last = node >> 1, last >> 1
    return last == 0 and hmac.compare_digest(found, tree_root)


def is_consistent(
    old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]
) -> bool:
    """Whether a path proves that the new tree begins with the old one (§2.1.4.2)."""
    if not 0 <= old <= new or not _are_hashes((old_root, new_root, *path)):
        return False
    if old == new:
        return not path and hmac.compare_digest(old_root, new_root)
    if old == 0:  # every tree begins with the empty one
        return not path and hmac.compare_digest(old_root, EMPTY_ROOT)
    given = [old_root, *path] if old & (old - 1) == 0 else list(path)
    return bool(given) and _both_roots(old, new, given) == (old_root, new_root)


def _both_roots(old: int, new: int, path: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """The roots of both trees as a path makes them; None when it is too long or too short."""
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    before = after = path[0]
    for one in path[1:]:
        if last == 0:
            return None
        if node & 1 or node == last:
            before, after = node_hash(one, before), node_hash(one, after)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            after = node_hash(after, one)
        node, last = node >> 1, last >> 1
    return (before, after) if last == 0 else None


def _range(start: int, end: int, subtree: Subtree) -> bytes:
    """The hash over leaves `start` to `end`, as the tree's own shape has it."""
    size = end - start
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return subtree(level, start >> level)
    middle = start + _split(size)
    return node_hash(_range(start, middle, subtree), _range(middle, end, subtree))


def _split(size: int) -> int:
    """The largest power of two below `size`: where a tree divides."""
    return 1 << ((size - 1).bit_length() - 1)


def _are_hashes(values: Sequence[bytes]) -> bool:
    return all(len(one) == HASH_BYTES for one in values)
