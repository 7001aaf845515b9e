"""What a copied data folder still yields: its sealed records, and its wrapped keys."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from kafka.record import MemoryRecords

from consumers.database import Stores, open_engine
from gateway.exchange.key_file import FileKeyEncryption
from gateway.exchange.keys import KeyNeed, KeyStore
from gateway.exchange.sealing import NOTICE, unseal
from schemas import codec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOPIC = "activation.trajectory.v1"


class Sealed(NamedTuple):
    """One sealed record, and where it was."""

    event_id: str
    event_name: str
    record: bytes
    store: str


class Stored(NamedTuple):
    """A data key as the store had it."""

    need: KeyNeed
    key_id: str


@contextmanager
def key_store(folder: Path) -> Iterator[KeyStore]:
    """The key store of a data folder with its own key file; the hub on it does not run."""
    engine = open_engine(Stores.sqlite(folder).keys)
    try:
        kek = FileKeyEncryption(folder / "keys" / "kek.json", may_create=lambda: False)
        yield KeyStore(engine, kek)
    finally:
        engine.dispose()


def data_keys(folder: Path, producer: str) -> list[Stored]:
    """The data keys of one organisation in a data folder."""
    engine = open_engine(Stores.sqlite(folder).keys, read_only=True)
    columns = ", ".join(KeyNeed._fields)
    query = f"select key_id, {columns} from data_keys where producer_org = ?"  # noqa: S608
    try:
        with engine.connect() as connection:
            rows = connection.exec_driver_sql(query, (producer,)).all()
    finally:
        engine.dispose()
    return [Stored(KeyNeed(*need), key_id) for key_id, *need in rows]


def producers(folder: Path) -> dict[str, str]:
    """The organisation of each event of a person in the ledger, by event id."""
    return {event_id: org for event_id, org, _, _ in _rows(folder)}


def ledger(folder: Path) -> list[Sealed]:
    """Every sealed record of the ledger; notices of an erasure are no data of a controller."""
    return [
        Sealed(event_id, name, bytes(record), "ledger")
        for event_id, _, name, record in _rows(folder)
        if name != NOTICE
    ]


def _rows(folder: Path) -> list[tuple[str, str, str, bytes]]:
    engine = open_engine(Stores.sqlite(folder).ledger, read_only=True)
    query = (
        "select event_id, producer_org, event_name, record from ledger where subject_id is not null"
    )
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]
    finally:
        engine.dispose()


def log(folder: Path) -> list[Sealed]:
    """Every sealed record in the segments of the topic, read without a broker.

    Raises:
        AssertionError: a batch is compressed, so that a search of the file would find nothing.
    """
    found = []
    for path in sorted(folder.glob(f"kafka/data/{TOPIC}-*/*.log")):
        batches = MemoryRecords(path.read_bytes())
        while (batch := batches.next_batch()) is not None:
            assert batch.compression_type == 0, path
            for record in batch:
                sealed = codec.decode_sealed(bytes(record.value))
                routing = sealed.routing
                if routing.event_type != NOTICE:
                    kept = Sealed(routing.event_id, routing.event_type, bytes(record.value), "log")
                    found.append(kept)
    return found


def opens(record: Sealed, keys: KeyStore) -> bool:
    """Whether anything of a record opens: its data, its staff fields, its number or its salt."""
    sealed = codec.decode_sealed(record.record)
    if keys.ciphers(part.key_id for part in sealed.parts):
        return True
    found = unseal(record.record, keys)
    return any(one is not None for one in (found.data, found.source_record_id, found.salt))
