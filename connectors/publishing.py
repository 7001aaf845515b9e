"""Sends events until each has an answer of its own: recorded or refused.

Sent again are only those without an answer, always under the same ids, so a repeat is the same
event to the hub.
What was blocked by the refusal of an earlier event may go again too, for rows of a file, or stays
blocked, for a partner who decides for itself.
A batch that the hub refuses or fails on as a whole is halved until the one event that it cannot
take stands alone; an event that makes the hub fail five times is refused here.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Protocol

import orjson
import structlog

from connectors.answers import ItemAnswer
from connectors.backoff import backoff_seconds
from connectors.errors import ConnectorError, HubRefused, HubUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_log = structlog.get_logger(__name__)
MAX_BATCH = 500
MAX_BATCH_BYTES = 900_000
FAULTS_BORNE = 5
_ORDERED_BY = ("trajectoryid", "subject", "sourcerecordid")
# Whose fault it is not: these say that the call, not an event in it, has no place here.
_MISDIRECTED = frozenset({403, 404, 405, 406, 415})


class Stopped(Exception):  # noqa: N818 - it reports no error
    """The runner was asked to stop while waiting; nothing that waits was acknowledged."""


class Hub(Protocol):
    """What is needed of the hub; `HubClient` is the real one."""

    def publish_batch(self, events: Sequence[Mapping[str, Any]]) -> tuple[ItemAnswer, ...]:
        """One attempt, as `HubClient.publish_batch`."""
        ...


class Publisher:
    """Publishes with patience.

    Args:
        hub: one attempt per call.
        pause: waits that many seconds; raises Stopped when the runner must end.
        chance: uniform in [0, 1), for the jitter.
        give_up_seconds: how long to wait in all for one answer; None waits for ever.
        resends_blocked: whether what was blocked by an earlier refusal goes again on its own, as
            rows of a file do; else it is answered as blocked, also where another batch begins.
    """

    def __init__(
        self,
        hub: Hub,
        pause: Callable[[float], None],
        *,
        chance: Callable[[], float] = random.random,
        give_up_seconds: float | None = None,
        resends_blocked: bool = True,
    ) -> None:
        self._hub = hub
        self._pause = pause
        self._chance = chance
        self._give_up_seconds = give_up_seconds
        self._resends_blocked = resends_blocked

    def send(self, events: Sequence[Mapping[str, Any]]) -> dict[str, ItemAnswer]:
        """Publish all of `events` in order; returns the answer to each by its id.

        Raises:
            Stopped: asked to stop; some may be recorded all the same.
            HubUnavailable: gave up.
            HubRefused: the hub does not let this client publish, or is no hub.
            InvalidCredentials: the hub does not take them.
        """
        answers: dict[str, ItemAnswer] = {}
        refused = _Refused()
        for chunk in chunks(events):
            self._send_chunk(chunk, answers, refused)
        return answers

    def _send_chunk(
        self, chunk: Sequence[Mapping[str, Any]], answers: dict[str, ItemAnswer], refused: _Refused
    ) -> None:
        """Send one batch; what was blocked by an earlier refusal goes again when it may."""
        waiting = list(chunk)
        while waiting:
            if not self._resends_blocked:
                waiting = refused.let_through(waiting, answers)
            given = self._answered(waiting) if waiting else ()
            if given is None:
                half = len(waiting) // 2
                self._send_chunk(waiting[:half], answers, refused)
                waiting = waiting[half:]
                continue
            refused.saw(waiting, given)
            blocked = {answer.id for answer in given if answer.status == "blocked"}
            if len(blocked) == len(waiting) or not self._resends_blocked:
                blocked = set()
            answers.update({answer.id: answer for answer in given if answer.id not in blocked})
            waiting = [event for event in waiting if event["id"] in blocked]

    def _answered(self, events: Sequence[Mapping[str, Any]]) -> tuple[ItemAnswer, ...] | None:
        """The answers to one batch, or None when it must be halved."""
        attempt, faults, waited = 0, 0, 0.0
        while True:
            attempt += 1
            try:
                return self._hub.publish_batch(events)
            except HubRefused as error:
                if error.answer_status in _MISDIRECTED:
                    raise
                return _alone(events, error.problem_code, error)
            except HubUnavailable as error:
                faults += error.is_fault
                if faults >= FAULTS_BORNE:
                    return _alone(events, "hub_fault", error)
                seconds = backoff_seconds(attempt, self._chance(), error.retry_after_seconds)
                waited += seconds
                if self._give_up_seconds is not None and waited > self._give_up_seconds:
                    raise
                _log.warning("hub_unavailable", attempt=attempt, wait_seconds=round(seconds, 2))
                self._pause(seconds)


class _Refused:
    """The cases of refused events: what comes later would be applied to a state that is not there.

    The hub holds to this within one batch; here it is held to from one batch to the next.
    """

    def __init__(self) -> None:
        self._keys: set[tuple[str, str]] = set()

    def saw(self, events: Sequence[Mapping[str, Any]], answers: Sequence[ItemAnswer]) -> None:
        """Remember the cases of what was not recorded."""
        for event, answer in zip(events, answers, strict=True):
            if not answer.is_recorded:
                self._keys |= _cases(event)

    def let_through(
        self, events: Sequence[Mapping[str, Any]], answers: dict[str, ItemAnswer]
    ) -> list[Mapping[str, Any]]:
        """The events that may go; the others are answered as blocked."""
        free = []
        for event in events:
            if self._keys.isdisjoint(_cases(event)):
                free.append(event)
            else:
                self._keys |= _cases(event)
                answers[event["id"]] = ItemAnswer(event["id"], "blocked", code="blocked")
        return free


def _cases(event: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {(name, event[name]) for name in _ORDERED_BY if isinstance(event.get(name), str)}


def chunks(events: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """Batches in order, within the hub's bounds on number and bytes."""
    chunk: list[Mapping[str, Any]] = []
    size = 0
    for event in events:
        length = len(orjson.dumps(event)) + 1
        if chunk and (len(chunk) == MAX_BATCH or size + length > MAX_BATCH_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(event)
        size += length
    if chunk:
        yield chunk


def _alone(
    events: Sequence[Mapping[str, Any]], code: str, error: ConnectorError
) -> tuple[ItemAnswer, ...] | None:
    if len(events) > 1:
        return None
    return (
        ItemAnswer(
            id=events[0]["id"],
            status="rejected",
            code=code,
            detail=error.detail.nl,
            invalid=error.invalid,
        ),
    )
