"""The Kafka door: how fast copies are written to a participant's topic, and read from it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import httpx

from connectors.credentials import load_credentials
from connectors.tokens import TokenSource
from consumers.log import LogAdmin, LogConsumer, Record
from consumers.log_client import KafkaConsumer, connection
from consumers.log_records import LogSettings
from gateway import settings
from gateway.bootstrap import write_credentials
from gateway.exchange.credentials import new_private_jwk, public_part
from gateway.exchange.kafka_readers import SCOPE
from gateway.exchange.registry import Client, Credential
from gateway.exchange.registry_store import RegistryStore
from tests.bench import floors
from tests.bench.measures import PATIENCE_SECONDS
from tests.e2e.running_hub import VDAB
from tests.store_fixtures import opened

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from consumers.log import Fetched
    from gateway.settings import HubSettings
    from tests.bench.cases import Bench

Figures = dict[str, float]

CLIENT: Final = f"{VDAB}-bench"
TOPIC: Final = f"out.{VDAB}.v1"
UNLIMITED: Final = 1e12
ROUNDS: Final = 3
SAMPLE: Final = 500


def figures(bench: Bench, seconds: float, *, rounds: int = ROUNDS) -> Figures:
    """The door has VDAB's whole inbox to write once VDAB has a client that may read it."""
    found = settings.load(bench.hub.data)
    credentials = _reader(found)
    before = bench.cpu_seconds()["kafka-door"]
    written, rate = _written(bench)
    used = bench.cpu_seconds()["kafka-door"] - before
    _lift_quota(found)
    read = [_read_as_participant(bench, credentials, one, written) for one in range(rounds)]
    bare = [_read_bare(found, written) for _ in range(rounds)]
    records = [Record("", one.key, one.value, list(one.headers)) for one in read[0][1][:SAMPLE]]
    return {
        "Kafka door, records/s": rate,
        "Kafka door, CPU ms/1000 kafka-door": used * 1e6 / written,
        "Kafka door bare, records/s": floors.kafka_rate(found, records, seconds),
        "Kafka consumer, records/s": max(one for one, _ in read),
        "Kafka consumer bare, records/s": max(bare),
    }


def _reader(found: HubSettings) -> Path:
    """Give VDAB a client for Kafka; its credentials file."""
    key = new_private_jwk()
    client = Client(
        CLIENT,
        VDAB,
        "private_key_jwt",
        frozenset({SCOPE}),
        credentials=(Credential(jwk=public_part(key)),),
    )
    with opened(found.stores.ledger) as engine:
        RegistryStore(engine, environment="test").create_client(client, "bench")
    path = found.data / "clients" / f"{CLIENT}.json"
    write_credentials(path, CLIENT, VDAB, found, private_key=key)
    return path


def _written(bench: Bench) -> tuple[int, float]:
    """How many rows were written once nothing is left, and how many a second."""
    wanted = bench.last_in_inbox(VDAB)
    deadline = time.monotonic() + PATIENCE_SECONDS
    began: tuple[float, int] | None = None
    with bench.reading("consumers") as reading:
        while True:
            row = reading.execute(
                "select seq from kafka_positions where participant = ?", (VDAB,)
            ).fetchone()
            at, now = int(row[0]) if row else 0, time.perf_counter()
            if at and began is None:
                began = now, at
            if began is not None and at >= wanted:
                return wanted, (at - began[1]) / (now - began[0]) if at > began[1] else at
            assert time.monotonic() < deadline, f"{at} of {wanted} rows were written"
            time.sleep(0.005)


def _lift_quota(found: HubSettings) -> None:
    """What one participant may read is not what is measured."""
    admin = LogAdmin(found.log_settings(floors.ADMINISTRATOR))
    admin.limit(CLIENT, bytes_a_second=UNLIMITED, request_part=UNLIMITED)
    admin.close()


def _read_as_participant(
    bench: Bench, credentials: Path, round_: int, wanted: int
) -> tuple[float, list[Fetched]]:
    """Records a second of a consumer with a token, at the listener for participants."""
    with httpx.Client(base_url=str(bench.hub.where["gateway"])) as http:
        token = TokenSource(http, load_credentials(credentials)).token()
    reaching = LogSettings(str(bench.hub.where["kafka"]), token=lambda: token, client_id=CLIENT)
    consumer = LogConsumer(reaching, [TOPIC], f"{VDAB}.bench-{round_}", "bench")
    kept: list[Fetched] = []

    def poll() -> int:
        polled = consumer.poll(1.0)
        kept.extend(polled)
        return len(polled)

    try:
        return _rate(poll, wanted), kept
    finally:
        consumer.close()


def _read_bare(found: HubSettings, wanted: int) -> float:
    """The same of kafka-python alone, with the administrator's certificate and without a group."""
    reaching = connection(found.log_settings(floors.ADMINISTRATOR))
    consumer = KafkaConsumer(TOPIC, **reaching, auto_offset_reset="earliest", max_poll_records=500)
    try:
        return _rate(
            lambda: sum(len(batch) for batch in consumer.poll(timeout_ms=1_000).values()), wanted
        )
    finally:
        consumer.close()


def _rate(poll: Callable[[], int], wanted: int) -> float:
    """Records a second after the first that came, until so many have come.

    A row that was stopped has no record, so fewer may be all there are.
    """
    read = first = 0
    began, deadline = 0.0, time.monotonic() + PATIENCE_SECONDS
    while read < wanted:
        many, now = poll(), time.perf_counter()
        if not many and read:
            break
        assert time.monotonic() < deadline, f"{read} of {wanted} records came"
        if many and not read:
            began, first = now, many
        read += many
        ended = now
    return (read - first) / (ended - began) if read > first else read / 1.0
