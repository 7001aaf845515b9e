"""Topics are data, complete enough to make and to document them from."""

import pytest

from schemas.catalogue import catalogue
from schemas.topics import Topic, topics

TOPICS = topics()
DAY_MS = 86_400_000


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_topic_says_everything_about_itself(topic: Topic) -> None:
    """Owner, key, both languages, ground, producers, consumers and bounds are stated."""
    assert topic.description.nl
    assert topic.description.en
    assert topic.owner
    assert topic.key
    assert topic.legal_basis
    assert topic.personal_data
    assert topic.producers
    assert topic.consumers
    assert topic.partitions >= 1
    assert topic.compatibility == "FULL_TRANSITIVE"
    assert topic.configs["segment.ms"] == str(DAY_MS)
    assert topic.configs["retention.ms"] == str(topic.retention_ms)
    assert all(isinstance(value, str) for value in topic.configs.values())


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_examples_of_a_topic_are_its_events(topic: Topic) -> None:
    """An example names an event that goes to this topic, or to any participant's own."""
    for name in topic.examples:
        assert topic.is_per_participant or catalogue().event(name).topic == topic.name


def test_every_event_has_its_topic() -> None:
    """No event names a topic that is not described."""
    assert {event.topic for event in catalogue().all()} <= {topic.name for topic in TOPICS}


def test_retention_is_what_the_design_promises() -> None:
    """Trajectories 30 days, participants at most 7, the others 400."""
    days = {topic.name: topic.retention_ms // DAY_MS for topic in TOPICS}
    assert days == {
        "activation.trajectory.v1": 30,
        "activation.offer.v1": 400,
        "activation.organisation.v1": 400,
        "activation.fact.v1": 400,
        "out.{participant}.v1": 7,
    }


def test_participant_has_a_topic_of_its_own() -> None:
    """The kind becomes a name; order there needs one partition."""
    (own,) = (topic for topic in TOPICS if topic.is_per_participant)
    assert own.name_for("vdab-leuven") == "out.vdab-leuven.v1"
    assert own.partitions == 1
