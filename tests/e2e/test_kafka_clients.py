"""Kafka clients that know nothing of the hub read a participant's own topic, and no other.

The Kafka project's own console consumer, and Confluent's client with its registry client and Avro
deserializer: each gets its token, finds its topic and understands what is in it by itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from confluent_kafka import Consumer, KafkaException
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from gateway.embedded.jars import JgoFetch, ensure_jars
from gateway.embedded.kafka_process import KafkaCommand
from gateway.embedded.resources import cache_folder, kafka_folder
from gateway.embedded.runtime import find_java
from tests.e2e.running_hub import OCMW, ORGANISER, SCHAKEL, referral, running_hub

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.running_hub import RunningHub

TOPIC, OTHER = f"out.{ORGANISER}.v1", "out.vdab.v1"
PATIENCE_SECONDS = 60.0
_TOOLS = Path(__file__).with_name("kafka_tools.lock.toml")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub on which the organiser and VDAB have a client for Kafka, and one referral was made."""
    with running_hub(tmp_path_factory.mktemp("kafka-clients") / "data") as running:
        for participant in (ORGANISER, "vdab"):
            _schakel(
                running,
                *("client", "create", f"{participant}-kafka", "--participant", participant),
                *("--scope", "sj_kafka_read", "--secret"),
                *("--out", str(running.data / f"{participant}-kafka.json")),
            )
        with running.client(OCMW) as sender:
            sender.publish(referral(7))
        for participant, topic in ((ORGANISER, TOPIC), ("vdab", OTHER)):
            _wait_for(running, participant, topic)
        yield running


def _wait_for(hub: RunningHub, participant: str, topic: str) -> None:
    """A topic and the rights to it are there a moment after its client was made."""
    token, deadline = _token(hub, participant), time.monotonic() + PATIENCE_SECONDS
    while topic not in _listed(hub, participant, token):
        assert time.monotonic() < deadline, "the topic never came"


def test_the_console_consumer_reads_the_topic(hub: RunningHub, tmp_path: Path) -> None:
    """Kafka's own program fetches its token itself; the value begins with the schema's id."""
    said = _console(hub, tmp_path, ORGANISER, TOPIC)

    assert "ce_type:be.schakel.activation.v1.referral.created" in said
    assert f"ce_deliveredfor:{ORGANISER}" in said
    assert "Amina" in said


def test_the_console_consumer_reads_no_other_topic(hub: RunningHub, tmp_path: Path) -> None:
    """Another's topic is refused like one that does not exist."""
    said = _console(hub, tmp_path, ORGANISER, OTHER)
    missing = _console(hub, tmp_path, ORGANISER, "out.nobody.v1")

    assert "TopicAuthorizationException" in said
    assert "TopicAuthorizationException" in missing


def test_confluents_client_understands_the_events(hub: RunningHub) -> None:
    """With the hub's registry it decodes the value, header and all, without code of ours."""
    gateway = str(hub.where["gateway"])
    message = _referral(hub, ORGANISER, TOPIC)
    place = SerializationContext(TOPIC, MessageField.VALUE)

    with SchemaRegistryClient({"url": gateway}) as registry:
        found: Any = AvroDeserializer(registry)(message.value(), place)

    assert found["header"]["event_type"] == "referral.created"
    assert found["header"]["delivered_for"] == ORGANISER
    assert found["person"]["given_name"] == "Amina"
    assert found["insz"] is None
    assert message.key().decode() == str(found["header"]["trajectory_id"])


def test_cloudevents_own_parser_takes_the_record(hub: RunningHub) -> None:
    """The attributes are those of the specification's binary mode for Kafka."""
    message = _referral(hub, ORGANISER, TOPIC)
    record = KafkaMessage(dict(message.headers()), message.key(), message.value())

    event = from_binary(record, JSONFormat())

    assert event.get_type() == "be.schakel.activation.v1.referral.created"
    assert event.get_source() == f"urn:schakel:participant:{OCMW}"
    assert event.get_datacontenttype() == "application/avro"


def test_a_client_sees_no_topic_but_its_own(hub: RunningHub) -> None:
    """Listing shows one topic; another's cannot be read, nor joined under another's group."""
    consumer = Consumer(_settings(hub, ORGANISER, f"{ORGANISER}.other"))
    try:
        listed = set(consumer.list_topics(timeout=20).topics)
        asked = consumer.list_topics(OTHER, timeout=20).topics[OTHER]
    finally:
        consumer.close()

    assert listed == {TOPIC}
    assert asked.error.name() == "TOPIC_AUTHORIZATION_FAILED"
    assert not asked.partitions
    with pytest.raises(pytest.fail.Exception, match="GROUP_AUTHORIZATION_FAILED"):
        _referral(hub, ORGANISER, TOPIC, group="vdab.reader")


def test_a_revoked_client_reads_no_longer(hub: RunningHub) -> None:
    """Its right at the broker goes with it, though its token would still count."""
    token = _token(hub, "vdab")
    assert OTHER in _listed(hub, "vdab", token)
    _schakel(hub, "client", "revoke", "vdab-kafka", "--yes")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while OTHER in _listed(hub, "vdab", token):
        assert time.monotonic() < deadline, "the topic is still there for a revoked client"


def _listed(hub: RunningHub, participant: str, token: str) -> set[str]:
    """The topics that a token shows; none when the broker does not take it any more."""
    consumer = Consumer(_settings(hub, participant, f"{participant}.late", token=token))
    try:
        return set(consumer.list_topics(timeout=20).topics)
    except KafkaException:
        return set()
    finally:
        consumer.close()


def _referral(hub: RunningHub, participant: str, topic: str, group: str = "") -> Any:
    """The message of the referral."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    consumer = Consumer(_settings(hub, participant, group or f"{participant}.{uuid4().hex}"))
    consumer.subscribe([topic])
    last = None
    try:
        while last != "GROUP_AUTHORIZATION_FAILED" and time.monotonic() < deadline:
            message = consumer.poll(1)
            if message is None:
                continue
            error = message.error()
            headers: Any = message.headers() or ()
            if error is None and dict(headers)["ce_type"].endswith(b"referral.created"):
                return message
            last = last if error is None else error.name()
    finally:
        consumer.close()
    pytest.fail(f"nothing came: {last}")


def _settings(
    hub: RunningHub, participant: str, group: str, token: str | None = None
) -> dict[str, Any]:
    def fresh(_config: str) -> tuple[str, float]:
        return token or _token(hub, participant), time.time() + 100

    return {
        "bootstrap.servers": hub.where["kafka"],
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanisms": "OAUTHBEARER",
        "oauth_cb": fresh,
        "group.id": group,
        "auto.offset.reset": "earliest",
        "topic.metadata.refresh.interval.ms": 1000,
    }


def _token(hub: RunningHub, participant: str) -> str:
    known = _credentials(hub, participant)
    answer = httpx.post(
        known["token_url"],
        data={"grant_type": "client_credentials", "scope": "sj_kafka_read"},
        auth=(known["client_id"], known["client_secret"]),
    )
    assert answer.status_code == httpx.codes.OK, answer.text
    return str(answer.json()["access_token"])


def _credentials(hub: RunningHub, participant: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((hub.data / f"{participant}-kafka.json").read_text())
    return found


def _console(hub: RunningHub, folder: Path, participant: str, topic: str) -> str:
    """What the console consumer prints of the first record, and of what is wrong."""
    known = _credentials(hub, participant)
    kafka = "org.apache.kafka.common.security.oauthbearer"
    settings = {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "OAUTHBEARER",
        "sasl.login.callback.handler.class": f"{kafka}.OAuthBearerLoginCallbackHandler",
        "sasl.oauthbearer.token.endpoint.url": known["token_url"],
        "sasl.oauthbearer.client.credentials.client.id": known["client_id"],
        "sasl.oauthbearer.client.credentials.client.secret": known["client_secret"],
        "sasl.oauthbearer.scope": "sj_kafka_read",
        "sasl.jaas.config": f"{kafka}.OAuthBearerLoginModule required;",
        "group.id": f"{participant}.console",
        "auto.offset.reset": "earliest",
    }
    file = folder / "consumer.properties"
    file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    ran = subprocess.run(
        _command(known["token_url"]).line(
            "org.apache.kafka.tools.consumer.ConsoleConsumer",
            *("--bootstrap-server", str(hub.where["kafka"]), "--topic", topic),
            *("--consumer.config", str(file), "--max-messages", "2", "--timeout-ms", "60000"),
            *("--formatter-property", "print.headers=true"),
        ),
        capture_output=True,
        timeout=120,
        check=False,
    )
    return (ran.stdout + ran.stderr).decode("utf-8", "replace")


def _command(token_url: str) -> KafkaCommand:
    """Java with the broker's jars and the one that has the consumer."""
    cache = cache_folder(os.environ)
    folder = kafka_folder()
    jars = [
        *ensure_jars(folder / "jgo.lock.toml", cache, fetch=JgoFetch(), report=print),
        *ensure_jars(_TOOLS, cache, fetch=JgoFetch(), report=print),
    ]
    # Kafka fetches tokens from addresses in this list only.
    allowed = f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={token_url}"
    return KafkaCommand(find_java(None), tuple(jars), (allowed, "-Xmx128m"))


def _schakel(hub: RunningHub, *arguments: str) -> None:
    ran = subprocess.run(
        [SCHAKEL, *arguments, "--data", str(hub.data)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
