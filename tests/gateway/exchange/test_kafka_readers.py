"""Who may read a topic of its own: an active client with the scope, under a grant of the day."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from gateway.exchange.kafka_readers import SCOPE, kafka_readers
from gateway.exchange.registry import Client, RegisteredAgreement, Registry
from schemas.agreement import parse_agreement
from tests.gateway.exchange import cast

if TYPE_CHECKING:
    from collections.abc import Iterable

ON = date(2026, 6, 1)
READER = cast.RELATED["V"]


def test_a_client_with_the_scope_reads_where_a_grant_has_the_door() -> None:
    """And no other client of the same participant."""
    found = kafka_readers(_registry([_client("reader"), _client("plain", scopes=())]), ON)

    assert found == {READER: frozenset({"reader"})}


def test_nobody_reads_without_client_scope_grant_or_day() -> None:
    """Each alone is not enough; a revoked client is no client."""
    ended = date(2031, 1, 1)

    assert kafka_readers(_registry([]), ON) == {}
    assert kafka_readers(_registry([_client("reader", status="revoked")]), ON) == {}
    assert kafka_readers(_registry([_client("reader")], doors=["feed", "webhook"]), ON) == {}
    assert kafka_readers(_registry([_client("reader")], status="revoked"), ON) == {}
    assert kafka_readers(_registry([_client("reader")]), ended) == {}


def _client(name: str, *, scopes: Iterable[str] = (SCOPE,), status: str = "active") -> Client:
    return Client(
        id=name,
        participant=READER,
        auth="private_key_jwt",
        scopes=frozenset({"sj_feed_read", *scopes}),
        trusted_trace=False,
        credentials=(),
        name=name,
        status=status,
    )


def _registry(
    clients: Iterable[Client], *, doors: Iterable[str] = ("kafka",), status: str = "active"
) -> Registry:
    known = cast.registry()
    document = cast.document([cast.urn_of(cast.RELATED["O"]), cast.urn_of(READER)], "prot-kafka")
    document["validity"] = {"from": "2026-01-01", "to": "2030-12-31"}
    for grant in document["grants"]:
        grant["doors"] = list(doors)
    agreement = RegisteredAgreement(parse_agreement(document), status)
    return Registry.build(
        version=1,
        environment="test",
        organisations=known.organisations.values(),
        participants=known.participants.values(),
        clients=clients,
        agreements=[agreement],
    )
