"""Keys go where every Kafka client puts them."""

from __future__ import annotations

import pytest

from consumers.partitions import murmur2, partition_of

# From Kafka's own tests (`UtilsTest.testMurmur2`), where the hash is a signed number.
HASHES = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize("key", HASHES)
def test_a_key_has_kafkas_own_hash(key: bytes) -> None:
    """Whatever its length is beyond whole groups of four bytes."""
    assert murmur2(key) == HASHES[key] % 2**32


def test_a_partition_comes_from_the_hash_without_its_sign() -> None:
    """As Kafka's clients do, so that no partition is negative."""
    assert partition_of(b"foobar", 12) == (-790332482 & 0x7FFFFFFF) % 12
    assert {partition_of(b"%d" % n, 12) for n in range(200)} == set(range(12))
