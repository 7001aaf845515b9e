"""The Merkle tree, on the published vectors of Certificate Transparency and on any tree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import merkle

# The eight leaves, roots and proofs with which the implementations of RFC 6962 and 9162 are
# tested (transparency-dev/merkle, proof/verify_test.go).
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = [
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]
CONSISTENCY = [
    (1, 1, []),
    (1, 8, INCLUSION[1][2]),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
    (
        6,
        7,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
]
HASHES = [merkle.leaf_hash(leaf) for leaf in LEAVES]
SUBTREE = merkle.of_leaves(HASHES)
STRANGE = bytes.fromhex("abacaba000000000000000000000000000000000000000000060061e00123456")


@pytest.mark.parametrize("size", range(9))
def test_the_published_roots(size: int) -> None:
    """Each tree of the eight published leaves has its published root."""
    assert merkle.root(size, SUBTREE).hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size", "expected"), INCLUSION)
def test_the_published_inclusion_proofs(index: int, size: int, expected: list[str]) -> None:
    """Each published inclusion proof is made, holds, and holds for nothing else."""
    path = merkle.inclusion_path(index, size, SUBTREE)
    leaf, tree_root = HASHES[index], bytes.fromhex(ROOTS[size])

    assert [one.hex() for one in path] == expected
    assert merkle.includes(leaf, index, size, path, tree_root)
    for wrong in _wrong_inclusions(index, size, path, leaf, tree_root):
        assert not merkle.includes(*wrong)


@pytest.mark.parametrize(("old", "new", "expected"), CONSISTENCY)
def test_the_published_consistency_proofs(old: int, new: int, expected: list[str]) -> None:
    """Each published consistency proof is made, holds, and holds for nothing else."""
    path = merkle.consistency_path(old, new, SUBTREE)
    old_root, new_root = bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[new])

    assert [one.hex() for one in path] == expected
    assert merkle.is_consistent(old, old_root, new, new_root, path)
    if path:
        for wrong in _wrong_consistencies(old, old_root, new, new_root, path):
            assert not merkle.is_consistent(*wrong)


@pytest.mark.parametrize(
    ("old", "old_root", "new", "new_root", "path", "holds"),
    [
        (0, STRANGE, 0, STRANGE, [], True),
        (0, merkle.EMPTY_ROOT, 1, STRANGE, [], True),
        (1, STRANGE, 1, STRANGE, [], True),
        (0, STRANGE, 1, STRANGE, [], False),
        (0, HASHES[0], 0, STRANGE, [], False),
        (1, STRANGE, 0, STRANGE, [], False),
        (2, STRANGE, 1, STRANGE, [], False),
        (1, HASHES[0], 2, STRANGE, [], False),
        (1, STRANGE, 1, STRANGE, [STRANGE], False),
        (0, merkle.EMPTY_ROOT, 1, STRANGE, [STRANGE], False),
        (3, STRANGE, 5, STRANGE, [], False),
    ],
)
def test_consistency_at_the_edges(
    old: int, old_root: bytes, new: int, new_root: bytes, path: list[bytes], *, holds: bool
) -> None:
    """Empty and equal trees, trees that shrink, and proofs that should be empty."""
    assert merkle.is_consistent(old, old_root, new, new_root, path) is holds


@given(st.integers(1, 70), st.data())
def test_every_proof_of_any_tree_holds_and_no_changed_one(size: int, data: st.DataObject) -> None:
    """For any size and leaf the proofs verify; a changed byte, index or size does not."""
    hashes = [merkle.leaf_hash(b"%d" % number) for number in range(size)]
    subtree = merkle.of_leaves(hashes)
    tree_root = merkle.root(size, subtree)
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(0, size))
    path = merkle.inclusion_path(index, size, subtree)
    proof = merkle.consistency_path(old, size, subtree)
    old_root = merkle.root(old, subtree)

    assert tree_root == _naive(hashes)
    assert merkle.includes(hashes[index], index, size, path, tree_root)
    assert merkle.is_consistent(old, old_root, size, tree_root, proof)
    for wrong in _wrong_inclusions(index, size, path, hashes[index], tree_root):
        assert not merkle.includes(*wrong)
    if proof:
        for changed in _changed(proof):
            assert not merkle.is_consistent(old, old_root, size, tree_root, changed)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 3), (3, 3)])
def test_no_proof_of_a_leaf_that_is_not_there(index: int, size: int) -> None:
    """Asking for the proof of a leaf outside the tree is a mistake of the caller's."""
    with pytest.raises(ValueError, match="not in a tree"):
        merkle.inclusion_path(index, size, SUBTREE)


def test_no_consistency_with_a_smaller_tree() -> None:
    """A tree only grows."""
    with pytest.raises(ValueError, match="larger"):
        merkle.consistency_path(5, 4, SUBTREE)


def _naive(hashes: list[bytes]) -> bytes:
    """The definition of RFC 9162 §2.1.1, word for word."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return merkle.node_hash(_naive(hashes[:split]), _naive(hashes[split:]))


Inclusion = tuple[bytes, int, int, list[bytes], bytes]
Consistency = tuple[int, bytes, int, bytes, list[bytes]]


def _changed(path: list[bytes]) -> list[list[bytes]]:
    """One bit changed in each part, parts removed, added and out of order."""
    flipped = [
        [*path[:place], bytes([one[0] ^ 8]) + one[1:], *path[place + 1 :]]
        for place, one in enumerate(path)
    ]
    longer = [[*path, b""], [*path, STRANGE], [b"", *path], [STRANGE, *path]]
    shorter = [path[:-1], path[1:]] if path else []
    turned = [path[::-1]] if path != path[::-1] else []
    return [*flipped, *longer, *shorter, *turned]


def _wrong_inclusions(
    index: int, size: int, path: list[bytes], leaf: bytes, tree_root: bytes
) -> list[Inclusion]:
    wrong: list[Inclusion] = [
        (leaf, other, size, path, tree_root) for other in (index - 1, index + 1, index ^ 2)
    ]
    wrong += [(leaf, index, other, path, tree_root) for other in (size * 2, size // 2)]
    wrong += [(other, index, size, path, tree_root) for other in (b"WrongLeaf", STRANGE, b"")]
    wrong += [(leaf, index, size, path, other) for other in (merkle.EMPTY_ROOT, STRANGE, b"")]
    return [*wrong, *((leaf, index, size, changed, tree_root) for changed in _changed(path))]


def _wrong_consistencies(
    old: int, old_root: bytes, new: int, new_root: bytes, path: list[bytes]
) -> list[Consistency]:
    wrong: list[Consistency] = [
        (other, old_root, new, new_root, path) for other in (old - 1, old + 1, old ^ 2)
    ]
    wrong += [(old, old_root, other, new_root, path) for other in (new * 2, new // 2)]
    wrong += [
        (old, b"WrongRoot", new, new_root, path),
        (old, old_root, new, b"WrongRoot", path),
        (old, new_root, new, old_root, path),
        (old, old_root, new, new_root, []),
        (old, old_root, new, new_root, [path[0], *path]),
    ]
    return [*wrong, *((old, old_root, new, new_root, changed) for changed in _changed(path))]
