"""Kafka's published listener: a token of the hub comes in, and sees what was granted only."""

from __future__ import annotations

import re
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from consumers.errors import LogUnavailable
from consumers.log import LogConsumer, LogSettings
from gateway.oauth.tokens import GATEWAY, KAFKA
from schemas import codec
from tests.containers.conftest import DELIVERY_SECONDS
from tests.e2e.running_hub import referral
from tests.sasl import accepts

if TYPE_CHECKING:
    from schemas.catalogue import EventType
    from tests.containers.conftest import ContainedHub
    from tests.containers.stack import Stack

pytestmark = [pytest.mark.containers, pytest.mark.timeout(540)]

CONNECTOR = "ocmw-tienen-connector"
OWN = "out.wijkwerk-hageland.v1"
# A broker that is told a topic's compression packs its records anew, with that library of its own.
COMPRESS = """
import sys
from consumers.log import Record, SupervisedProducer
from consumers.log_client import KafkaAdminClient, connection
from gateway.settings import load

settings, kind = load().log_settings("admin"), sys.argv[1]
topic = {"num_partitions": 1, "replication_factor": 1, "configs": {"compression.type": kind}}
client = KafkaAdminClient(**connection(settings))
client.create_topics({f"test.{kind}": topic})
client.close()
producer = SupervisedProducer(settings)
producer.publish([Record(f"test.{kind}", b"key", b"value")])
producer.close()
print("acknowledged")
"""


def test_a_token_for_kafka_comes_in(hub: ContainedHub) -> None:
    """The hub's token for the resource Kafka is accepted on the published port."""
    assert accepts(hub.kafka, hub.token(hub.kafka_client("ocmw-tienen"), KAFKA.indicator))


def test_a_token_for_the_gateway_is_refused(hub: ContainedHub) -> None:
    """A token that was made for another audience does not come in."""
    assert not accepts(hub.kafka, hub.token(CONNECTOR, GATEWAY.indicator))


def test_a_stripped_token_is_refused(hub: ContainedHub) -> None:
    """A good token without its signature does not come in."""
    token = hub.token(hub.kafka_client("ocmw-tienen"), KAFKA.indicator)

    assert not accepts(hub.kafka, token.rpartition(".")[0] + ".")


def test_a_participant_does_not_see_the_hubs_topics(hub: ContainedHub) -> None:
    """Whoever comes in with a token may not read what everybody published."""
    with (
        closing(reader(hub, "ocmw-tienen", "activation.trajectory.v1")) as consumer,
        pytest.raises(LogUnavailable, match=r"activation\.trajectory\.v1"),
    ):
        consumer.poll(1)


def test_a_participant_reads_its_own_topic_only(hub: ContainedHub) -> None:
    """What the organiser may have comes to its own topic, which nobody else even sees."""
    own, other = reader(hub, "wijkwerk-hageland", OWN), reader(hub, "vdab", OWN)
    with hub.client(CONNECTOR) as sender:
        sent = sender.publish(referral(40))

    with closing(own), closing(other):
        event, header, data = delivered(own, str(sent.event_id))
        assert (event.name, header["delivered_for"]) == ("referral.created", "wijkwerk-hageland")
        assert data["person"]["given_name"] == "Amina"
        with pytest.raises(LogUnavailable, match=re.escape(OWN)):
            other.poll(1)


@pytest.mark.parametrize("kind", ["zstd", "snappy", "lz4"])
def test_kafka_can_compress(hub: ContainedHub, stack: Stack, kind: str) -> None:
    """On a read-only file system Kafka can still unpack and run its compression libraries."""
    del hub
    said = stack.beside("provision", "python", "-", kind, given=COMPRESS)

    assert said.strip() == "acknowledged"


def reader(hub: ContainedHub, participant: str, topic: str) -> LogConsumer:
    """A consumer on the host with a token of that participant's own client for Kafka."""
    client_id = hub.kafka_client(participant)
    token = hub.token(client_id, KAFKA.indicator)
    settings = LogSettings(hub.kafka, token=lambda: token, client_id=client_id)
    return LogConsumer(settings, [topic], f"{participant}.test", "test-1")


def delivered(
    consumer: LogConsumer, event_id: str
) -> tuple[EventType, dict[str, Any], dict[str, Any]]:
    """That event as its topic holds it; what came for other tests goes before it."""
    deadline = time.monotonic() + DELIVERY_SECONDS
    while time.monotonic() < deadline:
        try:
            records = consumer.poll(1)
        except LogUnavailable:
            records = []
        for record in records:
            event, header, data = codec.decode_record(record.value)
            if header["event_id"] == event_id:
                return event, header, data
    raise AssertionError(f"{event_id} did not come")
