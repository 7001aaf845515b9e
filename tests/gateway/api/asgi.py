"""A synchronous client of an ASGI application, which runs on an event loop of its own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any, Self

import httpx
import uvicorn

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from types import TracebackType

    from gateway.api.responses import Message

WAIT_SECONDS = 60.0


class AsgiClient:
    """Starts the application, calls it in process, and ends it."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._http = httpx.AsyncClient(transport=transport, base_url="http://hub.test")

    def __enter__(self) -> Self:
        self._thread.start()
        self.run(self._live("lifespan.startup"))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.run(self._live("lifespan.shutdown"))
        self.run(self._http.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on the application's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WAIT_SECONDS)

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request and its whole answer."""
        response: httpx.Response = self.run(self._http.request(method, path, **options))
        return response

    def call_all(self, *calls: tuple[str, str, dict[str, Any]]) -> list[httpx.Response]:
        """Several requests at the same time; their answers in the order of the calls."""

        async def together() -> list[httpx.Response]:
            return await asyncio.gather(
                *(self._http.request(method, path, **options) for method, path, options in calls)
            )

        responses: list[httpx.Response] = self.run(together())
        return responses

    @contextlib.contextmanager
    def listening(self, port: int = 0) -> Iterator[str]:
        """The address where it answers too, on its own loop; any port of this machine for 0."""
        server = uvicorn.Server(
            uvicorn.Config(self.app, port=port, log_level="error", lifespan="off")
        )
        serving = asyncio.run_coroutine_threadsafe(server.serve(), self._loop)
        while not server.started:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            serving.result(WAIT_SECONDS)

    async def _live(self, event: str) -> None:
        """Send one lifespan event; servers keep one call open, for us two are the same."""
        received = [{"type": event}]
        answered: list[Message] = []

        async def receive() -> Message:
            if received:
                return received.pop()
            raise asyncio.CancelledError

        async def send(message: Message) -> None:
            answered.append(message)

        with contextlib.suppress(asyncio.CancelledError):
            await self.app({"type": "lifespan"}, receive, send)
        assert answered == [{"type": f"{event}.complete"}]
