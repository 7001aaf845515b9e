"""One gateway's ledger in a process of its own, told over its standard input what to publish.

    python -m tests.gateway.exchange.writing_gateway POSTGRES_URL FOLDER

A line in is a JSON list of requests, each a list of events.
A line out is the answer to one event, written after the commit that holds it; `done` follows the
last answer of a line.
Ends at the end of its input.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import structlog

from consumers.database import Stores
from consumers.wake import wakers
from gateway.exchange.ledger import PublishRequest
from schemas.errors import SchakelError
from tests.gateway.exchange.ledger_world import Desk, desk, submission

if TYPE_CHECKING:
    from gateway.exchange.publication import ItemOutcome
    from gateway.exchange.submission import Submission

IN_FLIGHT = 8
"""Requests that wait at once, as from as many connections."""


def main() -> None:
    """Serve lines until there are no more."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    stores, folder = Stores.postgres(sys.argv[1]), Path(sys.argv[2])
    relay = wakers(stores, folder).waker("relay")
    with desk(stores, folder, wake=relay.wake) as at:
        _say({"ready": True})
        for line in sys.stdin.buffer:
            requests = [tuple(_submission(one) for one in events) for events in orjson.loads(line)]
            for start in range(0, len(requests), IN_FLIGHT):
                _publish(at, requests[start : start + IN_FLIGHT])
            _say({"done": len(requests)})
    relay.close()


def _publish(at: Desk, requests: list[tuple[Submission, ...]]) -> None:
    tickets = [at.send(PublishRequest(events)) for events in requests]
    for ticket, events in zip(tickets, requests, strict=True):
        answer = at.answer(ticket)
        if isinstance(answer, SchakelError):
            answers = [{"status": "failed", "code": answer.code} for _ in events]
        else:
            answers = [_told(outcome) for outcome in answer]
        for sent, told in zip(events, answers, strict=True):
            _say({"id": sent.sender_event_id, **told})


def _told(outcome: ItemOutcome) -> dict[str, Any]:
    receipt = outcome.receipt
    return {
        "status": outcome.status,
        "code": outcome.error.code if outcome.error is not None else None,
        "event_id": receipt.event_id if receipt is not None else None,
    }


def _submission(event: dict[str, Any]) -> Submission:
    return submission(event.pop("name"), sender_event_id=event.pop("id"), **event)


def _say(told: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(told) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
