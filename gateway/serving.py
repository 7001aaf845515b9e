"""The two HTTP servers of the gateway process: partners' and management's."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from gateway.api.connections import server_config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from fastapi import FastAPI

    from gateway.api.application import Gateway
    from gateway.settings import HubSettings


class _Server(uvicorn.Server):
    """uvicorn's server that first lets long polls go when it is asked to end."""

    def __init__(self, config: uvicorn.Config, app: Gateway, draining: threading.Event) -> None:
        super().__init__(config)
        self._app = app
        self._draining = draining

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Turn readiness false and release who waits, then end as uvicorn does."""
        self._draining.set()
        self._app.drain()
        super().handle_exit(sig, frame)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals as uvicorn does, but do not raise them again once served."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()


def serve(
    app: Gateway, management: FastAPI, settings: HubSettings, draining: threading.Event
) -> None:
    """Serve until SIGTERM or SIGINT, then finish the requests under way; blocks.

    Readiness turns false first, then no connection is taken any more, then what is under way gets
    up to eight seconds. Whatever has no answer by then was not acknowledged, and may be retried.
    """
    partners = _Server(server_config(app, host=settings.host, port=settings.port), app, draining)
    beside = uvicorn.Server(
        uvicorn.Config(
            management,
            host=settings.host,
            port=settings.management_port,
            log_config=None,
            access_log=False,
        )
    )
    aside = threading.Thread(target=beside.run, name="management", daemon=True)
    aside.start()
    partners.run()
    beside.should_exit = True
    aside.join(timeout=2)
