"""The gateway's two threads, each alone in this process: the least that an ordinary event takes.

The whole hub's figures hold what its threads and processes cost each other; these do not.
The event loop's part goes through uvicorn's protocol on a transport in memory, to a ledger that
answers at once; the ledger's part is shared commits of a known size. Everything is the hub's own
code, on the data folder of a hub that was stopped.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from uvicorn.server import ServerState

from gateway import settings
from gateway.api.application import create_app
from gateway.api.connections import BoundedProtocol, server_config
from gateway.api.fair_use import FairUse
from gateway.api.publishing import Publisher
from gateway.exchange.decide import decide
from gateway.exchange.driver import open_driver
from gateway.exchange.locating import Locator
from gateway.exchange.publication import PublishRequest
from gateway.exchange.writer import Parts, SharedCommit
from gateway.hub_parts import GatewayParts
from gateway.oauth.verifier import Principal
from gateway.registry_parts import RegistryParts
from schemas import strictjson
from schemas.catalogue import catalogue
from tests.bench.parts import plenty
from tests.e2e.running_hub import ORGANISER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gateway.api.application import Gateway
    from gateway.exchange.driver import Driver
    from gateway.exchange.publication import ItemOutcome
    from gateway.exchange.writer import Answer

SIZES = (1, 8, 32)
"""Events of a commit: a caller alone, and about what 16 and 64 connections share."""
ROUNDS = 12


def figures(data: Path, requests: Sequence[bytes]) -> dict[str, float]:
    """Processor time of both parts; `requests` hold one new event of the organiser's each."""
    found = settings.load(data)
    registry = RegistryParts(found)
    registry.live.refresh()
    parts = GatewayParts(found, registry)
    parts.start()
    try:
        return _figures(parts, requests)
    finally:
        parts.stop()


def _figures(parts: GatewayParts, requests: Sequence[bytes]) -> dict[str, float]:
    size = len(requests) // ROUNDS
    rounds = [requests[n * size :][:size] for n in range(ROUNDS)]
    with closing(_Ledger(parts)) as ledger:
        commits = {
            f"alone: commits of {number}, us an event": min(
                ledger.cost(one, number) for one in rounds[at :: len(SIZES)]
            )
            for at, number in enumerate(SIZES)
        }
    loop = asyncio.run(_loop(parts, _Answering(ledger.outcomes), rounds))
    return {"alone: event loop, us a call": loop, **commits}


class _Ledger:
    """Records requests as the ledger's thread does, so many a commit."""

    def __init__(self, parts: GatewayParts) -> None:
        keys, registry = parts.doors.keys, parts.registry.live.current
        client = registry().client(f"{ORGANISER}-connector")
        assert client is not None, "the hub has the demonstration's registry"
        scopes = client.scopes
        self._principal = Principal(client.id, ORGANISER, scopes, trusted_trace=False, role="W")
        self._publisher = Publisher(catalogue(), "test", registry, parts.clock)
        self._driver: Driver = open_driver(parts.registry.ledger_engine)
        locator = Locator(keys.blind_index_key())
        self._parts = Parts(keys, decide, registry, parts.clock, "test", locator)
        self.outcomes: tuple[ItemOutcome, ...] = ()

    def cost(self, requests: Sequence[bytes], number: int) -> float:
        """Record these events, so many a commit; microseconds an event, parsing left out."""
        waiting = [self._parsed(one) for one in requests]
        began = time.thread_time()
        for at in range(0, len(waiting), number):
            answers = self._commit(waiting[at : at + number])
        took = time.thread_time() - began
        last = answers[-1]
        assert isinstance(last, tuple), last
        assert last[0].status == "accepted", last[0].error
        self.outcomes = last
        return took * 1e6 / len(waiting)

    def close(self) -> None:
        """Close its connection."""
        self._driver.close()

    def _commit(self, requests: Sequence[PublishRequest]) -> list[Answer]:
        shared = SharedCommit.begin(self._driver, self._parts, requests)
        answers = shared.run()
        self._driver.commit()
        return answers

    def _parsed(self, request: bytes) -> PublishRequest:
        body = strictjson.loads(request.partition(b"\r\n\r\n")[2])
        return PublishRequest((self._publisher.structured(body, self._principal, ""),))


@dataclass(frozen=True, slots=True)
class _Answering:
    """A ledger that says of every event what was said of one."""

    outcomes: tuple[ItemOutcome, ...]

    def submit(self, _request: PublishRequest, ticket: object, /) -> None:
        """Answer at once."""
        assert isinstance(ticket, asyncio.Future)
        ticket.set_result(self.outcomes)


async def _loop(
    parts: GatewayParts, ledger: _Answering, rounds: Sequence[Sequence[bytes]]
) -> float:
    """Microseconds of the event loop for one call: the best round."""
    verifier = parts.verifier()
    found = parts.collaborators(verifier)
    fair_use = FairUse(found.registry, plenty())
    app = create_app(replace(found, ledger=ledger, fair_use=fair_use))
    return min([await _answered(app, one) for one in rounds])


async def _answered(app: Gateway, requests: Sequence[bytes]) -> float:
    config = server_config(app, host="127.0.0.1", port=0)
    config.load()
    protocol = BoundedProtocol(config, ServerState(), {}, asyncio.get_running_loop())
    transport = _InMemory()
    protocol.connection_made(transport)
    began = time.thread_time()
    for one in requests:
        protocol.data_received(one)
        while not protocol.cycle.response_complete:  # noqa: ASYNC110 - one turn of the loop each
            await asyncio.sleep(0)
    took = time.thread_time() - began
    protocol.connection_lost(None)
    assert transport.sent.count(b" 201 ") == len(requests), transport.sent[:500]
    return took * 1e6 / len(requests)


class _InMemory(asyncio.Transport):
    """Keeps what is sent."""

    def __init__(self) -> None:
        super().__init__({"sockname": ("127.0.0.1", 1), "peername": ("127.0.0.1", 2)})
        self.sent = bytearray()

    def write(self, data: Any) -> None:
        """Keep it."""
        self.sent += data

    def is_closing(self) -> bool:
        """Never."""
        return False

    def close(self) -> None:
        """Nothing to let go of."""
