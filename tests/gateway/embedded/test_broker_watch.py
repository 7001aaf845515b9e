"""When Kafka is started again, and what is said about it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from gateway.embedded.broker_watch import PAUSE_SECONDS, STARTING_SECONDS, BrokerWatch
from gateway.errors import BrokerFailed, EmbeddedError
from schemas.errors import Message


def failure(why: str) -> EmbeddedError:
    """What a broker that did not start says."""
    return BrokerFailed(Message(nl=f"{why}.", en=f"{why}."))


@dataclass
class Kafka:
    """A broker that runs, answers and refuses as it is told."""

    runs: bool = True
    answered: bool = True
    refuses: EmbeddedError | None = None
    launched: int = 0

    def has_ended(self) -> bool:
        """Whether it does not run."""
        return not self.runs

    def has_answered(self) -> bool:
        """Whether it accepted since it was launched."""
        return self.answered

    def launch(self) -> None:
        """Run, without answering yet."""
        self.launched += 1
        self.answered = False
        if self.refuses is not None:
            raise self.refuses
        self.runs = True

    def kill(self) -> None:
        """Run no longer."""
        self.runs = False

    def why_ended(self) -> EmbeddedError:
        """Its last words."""
        return failure("geen sleutels")


@dataclass
class Watched:
    """A broker that is watched, and what is said about it."""

    kafka: Kafka = field(default_factory=Kafka)
    now: float = 100.0
    keys: bool = True
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.watch = BrokerWatch(
            self.kafka, lambda: self.keys, self.said.append, passed=lambda: self.now
        )


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    """A broker that runs."""
    monkeypatch.setenv("SCHAKEL_LANGUAGE", "nl")
    return Watched()


def test_a_broker_that_runs_is_left_alone(watched: Watched) -> None:
    """Nothing is started and nothing said."""
    watched.watch.tick()

    assert (watched.kafka.launched, watched.said) == (0, [])


def test_one_that_ended_is_launched_at_once(watched: Watched) -> None:
    """And it is said once."""
    watched.kafka.runs = False
    watched.watch.tick()
    watched.watch.tick()

    assert (watched.kafka.launched, watched.said) == (1, ["Kafka viel uit; herstart"])


def test_it_waits_for_the_keys(watched: Watched) -> None:
    """Kafka gives up without them, so a gateway that ended too comes first."""
    watched.kafka.runs = watched.keys = False
    watched.watch.tick()
    watched.watch.tick()
    before = watched.kafka.launched
    watched.keys = True
    watched.watch.tick()

    assert (before, watched.kafka.launched) == (0, 1)
    assert watched.said == ["Kafka viel uit; herstart"]


def test_one_that_ends_while_it_starts_says_why(watched: Watched) -> None:
    """Its last words are told, and the next launch is five seconds after the one before."""
    watched.kafka.runs = False
    watched.watch.tick()
    watched.watch.tick()
    watched.kafka.runs = False
    watched.watch.tick()
    before = watched.kafka.launched
    watched.now += PAUSE_SECONDS
    watched.watch.tick()

    assert (before, watched.kafka.launched) == (1, 2)
    assert watched.said[1:] == ["geen sleutels. Nieuwe poging over 5 s"]


def test_one_that_starts_for_ever_is_ended(watched: Watched) -> None:
    """It is left its time, then ended and launched again."""
    watched.kafka.runs = False
    watched.watch.tick()
    watched.now += STARTING_SECONDS - 1
    watched.watch.tick()
    before = watched.kafka.launched
    watched.now += 1
    watched.watch.tick()

    assert (before, watched.kafka.launched) == (1, 2)
    assert watched.said[1:] == ["geen sleutels. Nieuwe poging over 5 s"]


def test_one_that_cannot_be_launched_is_tried_again(watched: Watched) -> None:
    """A port that is taken for a while, for example."""
    watched.kafka.runs, watched.kafka.refuses = False, failure("poort bezet")
    watched.watch.tick()
    watched.kafka.refuses = None
    watched.now += PAUSE_SECONDS
    watched.watch.tick()

    assert watched.kafka.runs
    assert watched.said == ["Kafka viel uit; herstart", "poort bezet. Nieuwe poging over 5 s"]


def test_the_next_end_is_told_anew(watched: Watched) -> None:
    """An end long after a restart that succeeded is one of its own."""
    watched.kafka.runs = False
    watched.watch.tick()
    watched.kafka.answered = True
    watched.watch.tick()
    watched.now += 60
    watched.kafka.runs = False
    watched.watch.tick()

    assert watched.said == ["Kafka viel uit; herstart"] * 2
    assert watched.kafka.launched == 2
