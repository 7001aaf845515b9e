"""Sends events until each has an answer of its own: recorded or refused.

Sent again are only those without an answer, always under the same ids, so a repeat is the same
event to the hub.
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
from connectors.client import MAX_BATCH, MAX_BATCH_BYTES
from connectors.errors import ConnectorError, HubRefused, HubUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_log = structlog.get_logger(__name__)
FAULTS_BORNE = 5
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
    """

    def __init__(
        self,
        hub: Hub,
        pause: Callable[[float], None],
        *,
        chance: Callable[[], float] = random.random,
        give_up_seconds: float | None = None,
    ) -> None:
        self._hub = hub
        self._pause = pause
        self._chance = chance
        self._give_up_seconds = give_up_seconds

    def send(self, events: Sequence[Mapping[str, Any]]) -> dict[str, ItemAnswer]:
        """Publish all of `events` in order; returns the answer to each by its id.

        Raises:
            Stopped: asked to stop; some may be recorded all the same.
            HubUnavailable: gave up.
            HubRefused: the hub does not let this client publish, or is no hub.
            InvalidCredentials: the hub does not take them.
        """
        answers: dict[str, ItemAnswer] = {}
        for chunk in chunks(events):
            self._send_chunk(chunk, answers)
        return answers

    def _send_chunk(
        self, chunk: Sequence[Mapping[str, Any]], answers: dict[str, ItemAnswer]
    ) -> None:
        """Send one batch; what was blocked by an earlier refusal goes again on its own."""
        waiting = list(chunk)
        while waiting:
            given = self._answered(waiting)
            if given is None:
                half = len(waiting) // 2
                self._send_chunk(waiting[:half], answers)
                waiting = waiting[half:]
                continue
            blocked = {answer.id for answer in given if answer.status == "blocked"}
            if len(blocked) == len(waiting):
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
