"""The two HTTP servers of the gateway process: partners' and management's."""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import uvicorn

from gateway.api.connections import server_config

if TYPE_CHECKING:
    from types import FrameType

    from fastapi import FastAPI

    from gateway.api.application import Gateway
    from gateway.settings import HubSettings

DRAIN_SECONDS = 8


class _Server(uvicorn.Server):
    """uvicorn's server, which here leaves the signals to `serve`."""

    def install_signal_handlers(self) -> None:
        """Install none."""


def serve(
    app: Gateway, management: FastAPI, settings: HubSettings, draining: threading.Event
) -> None:
    """Serve until SIGTERM or SIGINT, then finish the requests under way; blocks.

    Readiness turns false first, then no connection is taken any more, then what is under way gets
    up to eight seconds. Whatever has no answer by then was not acknowledged, and may be retried.
    """
    partners = _Server(
        server_config(
            app,
            host=settings.host,
            port=settings.port,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
    )
    beside = _Server(
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

    def ask_to_end(_number: int, _frame: FrameType | None) -> None:
        draining.set()
        app.drain()
        partners.should_exit = True

    with _handlers(ask_to_end):
        partners.run()
    beside.should_exit = True
    aside.join(timeout=2)


class _handlers:  # noqa: N801 - reads as a statement where it is used
    """Signal handlers for the length of a block; uvicorn's own are kept out."""

    def __init__(self, handler: Any) -> None:
        self._handler = handler

    def __enter__(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._handler)

    def __exit__(self, *_: object) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
