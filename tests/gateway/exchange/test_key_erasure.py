"""One organisation's keys are destroyed and nobody else's; on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.errors import ErasedHere
from gateway.exchange.key_erasure import Destroyed, KeyEraser
from gateway.exchange.key_file import FileKeyEncryption
from gateway.exchange.key_state import read_state
from gateway.exchange.key_watch import KeyWatch
from gateway.exchange.keys import KeyNeed, KeyStore
from tests.gateway.exchange.two_gateways import until
from tests.store_fixtures import opened, stores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.engine import Engine

    from consumers.database import Stores

__all__ = ["stores"]

NOW = 1_000_000
OURS, THEIRS = "urn:schakel:org:a", "urn:schakel:org:b"
NEED = KeyNeed("subject-1", "referral-1", OURS, "main")
STAFF = NEED._replace(part="staff")
SECOND = NEED._replace(aggregate_id="trajectory-1")
OTHER = NEED._replace(producer_org=THEIRS)
NEIGHBOUR = KeyNeed("subject-2", "referral-2", OURS, "main")
ALL = (NEED, STAFF, SECOND, OTHER, NEIGHBOUR)


@pytest.fixture
def engine(stores: Stores) -> Iterator[Engine]:
    """The keys' own store."""
    with opened(stores.keys) as made:
        yield made


@pytest.fixture
def kek(tmp_path: Path) -> FileKeyEncryption:
    """The key file."""
    return FileKeyEncryption(tmp_path / "kek")


def test_both_parts_of_every_aggregate_go_and_the_rest_opens(
    engine: Engine, kek: FileKeyEncryption
) -> None:
    """Another organisation's key about the same person, and the same one's about another."""
    keys = KeyStore(engine, kek)
    made = keys.data_keys(ALL)
    done = KeyEraser(engine, kek).erase(["subject-1"], OURS, NOW)

    assert done == Destroyed(data_keys=3, subject_keys=0, kept=1)
    for store in (KeyStore(engine, kek), _emptied(keys)):
        found = store.ciphers(one.key_id for one in made.values())
        assert found == {made[one].key_id: made[one] for one in (OTHER, NEIGHBOUR)}


def _emptied(keys: KeyStore) -> KeyStore:
    keys.forget_cached()
    return keys


def test_the_last_organisation_takes_the_person_along(
    engine: Engine, kek: FileKeyEncryption
) -> None:
    """Then nothing about the person is left in the store but the tombstones."""
    keys, eraser = KeyStore(engine, kek), KeyEraser(engine, kek)
    keys.data_keys(ALL)
    eraser.erase(["subject-1"], OURS, NOW)

    assert eraser.erase(["subject-1"], THEIRS, NOW) == Destroyed(1, 1, 0)
    with engine.connect() as connection:
        for table in ("subject_keys", "data_keys"):
            query = f"select count(*) from {table} where subject_id = 'subject-1'"  # noqa: S608
            assert connection.exec_driver_sql(query).scalar_one() == 0


def test_no_key_is_made_again(engine: Engine, kek: FileKeyEncryption) -> None:
    """Neither by a process that remembers nothing of the person, nor for something new of theirs.

    Others may go on, and the same organisation with somebody else.
    """
    KeyStore(engine, kek).data_keys(ALL)
    KeyEraser(engine, kek).erase(["subject-1"], OURS, NOW)
    fresh = KeyStore(engine, kek)

    for need in (NEED, STAFF, NEED._replace(aggregate_id="referral-9")):
        with pytest.raises(ErasedHere):
            fresh.data_keys([need])
    later = (OTHER._replace(aggregate_id="referral-9"), NEIGHBOUR._replace(aggregate_id="r-3"))
    assert len(fresh.data_keys(later)) == 2


def test_an_order_for_a_person_without_keys_is_remembered(
    engine: Engine, kek: FileKeyEncryption
) -> None:
    """And one given twice destroys once."""
    eraser = KeyEraser(engine, kek)
    assert eraser.erase(["subject-1"], OURS, NOW) == Destroyed()
    assert eraser.erase(["subject-1"], OURS, NOW) == Destroyed()
    with pytest.raises(ErasedHere):
        KeyStore(engine, kek).data_keys([NEED])


def test_one_part_of_some_aggregates_is_shredded(engine: Engine, kek: FileKeyEncryption) -> None:
    """Of all organisations, or of one; what comes later gets a new key."""
    keys = KeyStore(engine, kek)
    made = keys.data_keys(ALL)
    eraser = KeyEraser(engine, kek)

    assert eraser.shred(["referral-1"], NOW, part="staff").data_keys == 1
    assert eraser.shred(["referral-1"], NOW, producer=THEIRS).data_keys == 1
    assert KeyStore(engine, kek).ciphers([made[NEED].key_id])
    assert eraser.shred(["referral-1", "referral-2"], NOW).data_keys == 2
    again = KeyStore(engine, kek).data_keys([NEED])[NEED]
    assert again.key_id != made[NEED].key_id


def test_the_process_that_destroys_opens_nothing_more_at_once(
    engine: Engine, kek: FileKeyEncryption
) -> None:
    """It does not wait for its watch, neither after an erasure nor after a shredding."""
    keys = KeyStore(engine, kek)
    made = keys.data_keys(ALL)
    eraser = KeyEraser(engine, kek, keys.forget_cached)

    eraser.shred([NEIGHBOUR.aggregate_id], NOW, producer=NEIGHBOUR.producer_org)
    assert keys.open(made[NEIGHBOUR].key_id) is None
    eraser.erase(["subject-1"], OURS, NOW)
    assert keys.open(made[NEED].key_id) is None
    assert keys.open(made[OTHER].key_id) is not None


def test_every_process_forgets_what_was_destroyed(engine: Engine, kek: FileKeyEncryption) -> None:
    """Whoever had the key in memory has it no more once it has looked."""
    keys = KeyStore(engine, kek)
    made = keys.data_keys(ALL)
    watch = KeyWatch(engine, keys)
    assert not watch.look()

    KeyEraser(engine, kek).erase(["subject-1"], OURS, NOW)
    assert keys.open(made[NEED].key_id) is not None
    assert watch.look()
    assert keys.open(made[NEED].key_id) is None
    assert not watch.look()


def test_a_running_watch_forgets_by_itself(engine: Engine, kek: FileKeyEncryption) -> None:
    """As a gateway has it: a thread that looks twice a second."""
    keys = KeyStore(engine, kek)
    made = keys.data_keys(ALL)
    watch = KeyWatch(engine, keys, poll_seconds=0.02)
    watch.look()
    watch.start()
    try:
        KeyEraser(engine, kek).erase(["subject-1"], OURS, NOW)
        until(lambda: keys.open(made[NEED].key_id) is None)
    finally:
        watch.stop()
    assert keys.open(made[OTHER].key_id) == made[OTHER].key


def test_a_destruction_waits_for_a_new_key(engine: Engine, kek: FileKeyEncryption) -> None:
    """Since the first one."""
    KeyStore(engine, kek).data_keys(ALL)
    assert not read_state(engine).is_pending
    for moment, subject in ((NOW, "subject-1"), (NOW + 5, "subject-2")):
        KeyEraser(engine, kek).erase([subject], OURS, moment)

    state = read_state(engine)
    assert (state.is_pending, state.destroyed, state.pending_since) == (True, 2, NOW)
