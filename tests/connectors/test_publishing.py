"""Sending until each event has an answer of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from connectors.answers import ItemAnswer
from connectors.errors import HubRefused, HubUnavailable
from connectors.publishing import Publisher, Stopped
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WORDS = Message(nl="nee", en="no")


class ScriptedHub:
    """Answers by a list: an error to raise, or a map of ids to statuses (accepted by default)."""

    def __init__(self, *script: Exception | dict[str, str]) -> None:
        self.script = list(script)
        self.calls: list[list[str]] = []

    def publish_batch(self, events: Sequence[Mapping[str, Any]]) -> tuple[ItemAnswer, ...]:
        """Give the next answer."""
        self.calls.append([event["id"] for event in events])
        step = self.script.pop(0) if self.script else {}
        if isinstance(step, Exception):
            raise step
        return tuple(ItemAnswer(event["id"], step.get(event["id"], "accepted")) for event in events)


class Waits(list[float]):
    """Remembers the waits instead of waiting."""

    def __call__(self, seconds: float) -> None:
        """Remember one wait."""
        self.append(seconds)


def send(hub: ScriptedHub, *names: str, waits: Waits | None = None) -> dict[str, str]:
    """Publish events of those ids; the status of each."""
    publisher = Publisher(hub, Waits() if waits is None else waits, chance=lambda: 0.5)
    answers = publisher.send([{"id": name} for name in names])
    return {name: answer.status for name, answer in answers.items()}


def test_what_was_blocked_goes_again_alone() -> None:
    """Recorded and refused events are not sent again; a blocked one gets an answer of its own."""
    hub = ScriptedHub({"b": "rejected", "c": "blocked"})
    assert send(hub, "a", "b", "c") == {"a": "accepted", "b": "rejected", "c": "accepted"}
    assert hub.calls == [["a", "b", "c"], ["c"]]


def patient(hub: ScriptedHub, *events: dict[str, str]) -> dict[str, str]:
    """Publish as a partner does, who decides itself about what is blocked; the statuses."""
    answers = Publisher(hub, Waits(), resends_blocked=False).send(events)
    return {name: answer.status for name, answer in answers.items()}


def test_what_is_blocked_may_stay_blocked() -> None:
    """It is answered as it is and not sent by itself."""
    hub = ScriptedHub({"b": "rejected", "c": "blocked"})

    found = patient(hub, {"id": "a"}, {"id": "b"}, {"id": "c"})
    assert found == {"a": "accepted", "b": "rejected", "c": "blocked"}
    assert len(hub.calls) == 1


def test_a_refusal_blocks_its_case_in_later_batches_too() -> None:
    """The bound of one batch is not a bound of a case; what hangs on a blocked one is blocked."""
    many = [{"id": f"x{number}", "sourcerecordid": f"n{number}"} for number in range(499)]
    first = {"id": "bad", "sourcerecordid": "n", "trajectoryid": "t"}
    second = {"id": "next", "trajectoryid": "t", "subject": "s"}
    third, other = {"id": "last", "subject": "s"}, {"id": "free", "trajectoryid": "u"}
    hub = ScriptedHub({"bad": "rejected"})

    found = patient(hub, first, *many, second, third, other)
    assert (found["next"], found["last"], found["free"]) == ("blocked", "blocked", "accepted")
    assert [len(call) for call in hub.calls] == [500, 1]


def test_a_spoilt_batch_blocks_only_the_case_of_the_one_that_spoils_it() -> None:
    """Halves follow each other as batches do."""

    class Choosy(ScriptedHub):
        def publish_batch(self, events: Sequence[Mapping[str, Any]]) -> tuple[ItemAnswer, ...]:
            if any(event["id"] == "b" for event in events):
                raise HubRefused(400, "malformed", WORDS)
            return super().publish_batch(events)

    cases = {"a": "1", "b": "2", "c": "2", "d": "3"}
    events = [{"id": name, "subject": case} for name, case in cases.items()]
    found = patient(Choosy(), *events)
    assert found == {"a": "accepted", "b": "rejected", "c": "blocked", "d": "accepted"}


def test_retry_after_is_waited_out() -> None:
    """There is one call per Retry-After, never an earlier one."""
    hub = ScriptedHub(HubUnavailable(WORDS, retry_after_seconds=5), HubUnavailable(WORDS))
    waits = Waits()
    send(hub, "a", waits=waits)
    assert len(hub.calls) == 3
    assert 5 <= waits[0] < 7
    assert waits[1] <= 30


def test_a_call_refused_whole_is_halved_to_the_one_event() -> None:
    """One event that spoils a batch is refused, the others are recorded."""

    class Choosy(ScriptedHub):
        def publish_batch(self, events: Sequence[Mapping[str, Any]]) -> tuple[ItemAnswer, ...]:
            if any(event["id"] == "c" for event in events):
                raise HubRefused(400, "malformed", WORDS)
            return super().publish_batch(events)

    answers = send(Choosy(), "a", "b", "c", "d")
    assert answers == {"a": "accepted", "b": "accepted", "c": "rejected", "d": "accepted"}


def test_an_event_that_the_hub_fails_on_five_times_is_refused() -> None:
    """Poison does not hold up the rest for ever."""
    hub = ScriptedHub(*[HubUnavailable(WORDS, is_fault=True)] * 5)
    assert send(hub, "a") == {"a": "rejected"}


def test_a_client_that_may_not_publish_stops() -> None:
    """403 for the call is nobody's row: nothing is made a dead letter."""
    with pytest.raises(HubRefused):
        send(ScriptedHub(HubRefused(403, "missing_scope", WORDS)), "a")


def test_stopping_ends_the_wait() -> None:
    """A stop while the hub is away leaves everything unanswered."""

    def stop(_seconds: float) -> None:
        raise Stopped

    publisher = Publisher(ScriptedHub(HubUnavailable(WORDS)), stop)
    with pytest.raises(Stopped):
        publisher.send([{"id": "a"}])
