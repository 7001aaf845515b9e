"""Each purpose has one key, under its person's key, and none is readable; on both databases."""

from __future__ import annotations

import base64
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import psycopg
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consumers.database import Stores
from gateway.errors import KeysUnusable
from gateway.exchange.encryption import NONCE_BYTES
from gateway.exchange.key_file import FileKeyEncryption
from gateway.exchange.keys import KeyNeed, KeyStore
from tests.gateway.exchange.two_gateways import sessions_waiting, until
from tests.store_fixtures import migrated, opened, stores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy.engine import Engine

__all__ = ["stores"]

NEED = KeyNeed("subject-1", "referral-1", "urn:schakel:org:a", "main")
TABLES = ("subject_keys", "data_keys", "hub_keys")


@pytest.fixture
def engine(stores: Stores) -> Iterator[Engine]:
    """The keys' own store."""
    with opened(stores.keys) as made:
        yield made


@pytest.fixture
def keys(engine: Engine, tmp_path: Path) -> KeyStore:
    """A key store on it."""
    return KeyStore(engine, tmp_path / "kek")


def again(engine: Engine, folder: Path) -> KeyStore:
    """What another process would have: the same store and file, nothing in memory."""
    return KeyStore(engine, folder / "kek")


def delete(engine: Engine, table: str, column: str, value: str) -> None:
    """Erase keys, as erasure will."""
    mark = "%s" if engine.dialect.name == "postgresql" else "?"
    with engine.begin() as connection:
        connection.exec_driver_sql(f"delete from {table} where {column} = {mark}", (value,))  # noqa: S608


def rows(engine: Engine, table: str) -> list[tuple[object, ...]]:
    """Everything in a table."""
    with engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(f"select * from {table}")]  # noqa: S608


def key_file(folder: Path) -> AESGCM:
    """The key-encryption key as it stands in its file."""
    return AESGCM(base64.b64decode((folder / "kek").read_text("ascii").split()[1]))


def test_each_aggregate_organisation_and_part_has_a_key_of_its_own(keys: KeyStore) -> None:
    """Asked again it is the same one, also together with others."""
    needs = [
        NEED,
        NEED._replace(aggregate_id="referral-2"),
        NEED._replace(producer_org="urn:schakel:org:b"),
        NEED._replace(part="staff"),
        NEED._replace(subject_id="subject-2", aggregate_id="referral-3"),
    ]

    made = keys.data_keys(needs)

    assert len({key.key for key in made.values()}) == len({k.key_id for k in made.values()}) == 5
    assert keys.data_keys([needs[2]]) == {needs[2]: made[needs[2]]}
    assert keys.data_keys([*needs, *needs]) == made


def test_another_process_finds_the_same_keys(
    keys: KeyStore, engine: Engine, tmp_path: Path
) -> None:
    """They are durable when they are handed out: by what they are for, and by their id."""
    made = keys.data_keys([NEED])[NEED]
    other = again(engine, tmp_path)

    assert other.open(made.key_id) == made.key
    assert again(engine, tmp_path).data_keys([NEED])[NEED] == made
    assert other.pseudonym_key("vdab") == keys.pseudonym_key("vdab")
    assert other.blind_index_key() == keys.blind_index_key()


def test_a_data_key_is_under_its_persons_key_under_the_key_file(
    keys: KeyStore, engine: Engine, tmp_path: Path
) -> None:
    """Both are bound to what they are for, so that no row can stand in for another."""
    made = keys.data_keys([NEED])[NEED]

    ((_, _, subject_wrapped, _),) = rows(engine, "subject_keys")
    ((key_id, *need, wrapped, _),) = rows(engine, "data_keys")
    subject = unwrapped(key_file(tmp_path), subject_wrapped, "subject-1")
    assert unwrapped(AESGCM(subject), wrapped, "\x1f".join(NEED)) == made.key
    assert (key_id, tuple(need)) == (made.key_id, NEED)


def unwrapped(cipher: AESGCM, wrapped: object, bound_to: str) -> bytes:
    """As `encryption.unwrap`, by hand."""
    assert isinstance(wrapped, bytes)
    return cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], bound_to.encode())


def test_no_key_stands_unwrapped_in_the_store(
    keys: KeyStore, engine: Engine, tmp_path: Path
) -> None:
    """Neither in a table nor, on SQLite, anywhere in its files."""
    secret = [key.key for key in keys.data_keys([NEED, NEED._replace(part="staff")]).values()]
    secret += [keys.pseudonym_key("vdab"), keys.blind_index_key()]
    for _, _, wrapped, _ in rows(engine, "subject_keys"):
        secret.append(unwrapped(key_file(tmp_path), wrapped, "subject-1"))

    held = b"".join(
        value for table in TABLES for row in rows(engine, table) for value in row
        if isinstance(value, bytes)
    )  # fmt: skip
    held += b"".join(path.read_bytes() for path in tmp_path.glob("*.db*"))

    assert len(held) > len(secret) * 32
    assert not [one for one in secret if one in held or one.hex().encode() in held]
    assert not [one for one in secret if repr(one) in repr(keys.data_keys([NEED]))]


def test_every_participant_has_a_pseudonym_key_of_its_own(keys: KeyStore) -> None:
    """Neither is the key of the blind indexes."""
    made = {keys.pseudonym_key("vdab"), keys.pseudonym_key("ocmw-tienen"), keys.blind_index_key()}

    assert len(made) == 3


def test_an_erased_key_is_gone_and_its_neighbours_are_not(
    keys: KeyStore, engine: Engine, tmp_path: Path
) -> None:
    """One organisation's key on an aggregate can go while another's stays."""
    theirs = NEED._replace(producer_org="urn:schakel:org:b")
    made = keys.data_keys([NEED, theirs])
    ids = [made[NEED].key_id, made[theirs].key_id]

    delete(engine, "data_keys", "producer_org", NEED.producer_org)
    keys.forget_cached()

    for store in (keys, again(engine, tmp_path)):
        assert store.open(ids[0]) is None
        assert store.cipher(ids[0]) is None
        assert store.ciphers(ids) == {ids[1]: made[theirs]}


def test_an_erased_person_takes_all_keys_along(
    keys: KeyStore, engine: Engine, tmp_path: Path
) -> None:
    """Without the person's key none of the data keys opens, whoever made them."""
    theirs = NEED._replace(producer_org="urn:schakel:org:b")
    other = NEED._replace(subject_id="subject-2", aggregate_id="referral-2")
    made = keys.data_keys([NEED, theirs, other])
    ids = [made[need].key_id for need in (NEED, theirs, other)]

    delete(engine, "subject_keys", "subject_id", "subject-1")
    keys.forget_cached()

    assert set(keys.ciphers(ids)) == {ids[2]}
    assert set(again(engine, tmp_path).ciphers(ids)) == {ids[2]}


def test_an_erased_person_does_not_come_back(keys: KeyStore, engine: Engine) -> None:
    """A process that still has the person's key in memory makes no new key under it."""
    keys.data_keys([NEED])
    delete(engine, "data_keys", "subject_id", "subject-1")
    delete(engine, "subject_keys", "subject_id", "subject-1")

    with pytest.raises(KeysUnusable) as refused:
        keys.data_keys([NEED._replace(aggregate_id="referral-2")])

    assert refused.value.code == "keys_unusable"
    assert rows(engine, "data_keys") == rows(engine, "subject_keys") == []


def test_a_key_stays_under_the_person_it_was_made_for(
    keys: KeyStore, engine: Engine, tmp_path: Path
) -> None:
    """After two persons were found to be one, the old keys are found by the aggregate."""
    made = keys.data_keys([NEED])[NEED]
    merged = NEED._replace(subject_id="subject-2")

    assert again(engine, tmp_path).data_keys([merged]) == {merged: made}
    assert len(rows(engine, "data_keys")) == 1


def test_another_key_file_opens_nothing(keys: KeyStore, engine: Engine, tmp_path: Path) -> None:
    """It is refused with a code, whether its id differs or only its key."""
    made = keys.data_keys([NEED])[NEED]
    keys.blind_index_key()
    name = (tmp_path / "kek").read_text("ascii").split()[0]
    same_name = tmp_path / "same-name"
    same_name.touch(0o600)
    same_name.write_text(f"{name} {base64.b64encode(b'x' * 32).decode()}\n", "ascii")

    for wrong in (FileKeyEncryption(tmp_path / "fresh"), FileKeyEncryption(same_name)):
        store = KeyStore(engine, wrong)
        uses: list[Callable[[], object]] = [
            partial(store.open, made.key_id),
            partial(store.data_keys, [NEED]),
            store.blind_index_key,
        ]
        for use in uses:
            with pytest.raises(KeysUnusable) as refused:
                use()
            assert refused.value.code == "keys_unusable"


def test_a_row_moved_to_another_purpose_is_refused(
    keys: KeyStore, engine: Engine, tmp_path: Path
) -> None:
    """Who can write the store cannot make one organisation's key another's."""
    made = keys.data_keys([NEED])[NEED]
    with engine.begin() as connection:
        connection.exec_driver_sql("update data_keys set producer_org = 'urn:schakel:org:b'")

    with pytest.raises(KeysUnusable):
        again(engine, tmp_path).open(made.key_id)


def test_many_stores_at_once_make_one_key(engine: Engine, stores: Stores, tmp_path: Path) -> None:
    """Whoever was first, all get its keys."""
    needs = [NEED._replace(aggregate_id=f"referral-{one}") for one in range(20)]
    needs += [NEED._replace(subject_id="s", aggregate_id=f"other-{one}") for one in range(20)]
    start = threading.Barrier(4)

    def make(order: int) -> tuple[dict[KeyNeed, bytes], bytes]:
        with opened(stores.keys) as own:
            store = KeyStore(own, tmp_path / "kek")
            start.wait(30)
            made = store.data_keys(needs[::order])
            return {need: key.key for need, key in made.items()}, store.blind_index_key()

    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(make, (1, -1, 1, -1))

    assert others == [first] * 3
    assert len(rows(engine, "data_keys")) == len(needs)
    assert len(rows(engine, "subject_keys")) == 2


@pytest.mark.parametrize("is_known", [False, True])
def test_two_stores_that_both_found_nothing_make_one_key(
    postgres_url: str, tmp_path: Path, *, is_known: bool
) -> None:
    """Both have looked and both are writing, for a new person and for a known one."""
    stores = migrated(Stores.postgres(postgres_url))
    with (
        opened(stores.keys) as one,
        opened(stores.keys) as two,
        ThreadPoolExecutor(2) as pool,
    ):
        pair = KeyStore(one, tmp_path / "kek"), KeyStore(two, tmp_path / "kek")
        if is_known:
            for store in pair:
                store.data_keys([NEED._replace(aggregate_id="known")])
        with nobody_inserts(postgres_url):
            made = [pool.submit(store.data_keys, [NEED]) for store in pair]
            until(lambda: sessions_waiting(postgres_url) == 2)

        assert made[0].result(30) == made[1].result(30)
        assert len([row for row in rows(one, "data_keys") if NEED.aggregate_id in row]) == 1


@contextmanager
def nobody_inserts(url: str) -> Iterator[None]:
    """Data keys can be read and not written, for the length of the block."""
    with psycopg.connect(url) as session:
        session.execute("lock table keys.data_keys in share row exclusive mode")
        yield
        session.rollback()
