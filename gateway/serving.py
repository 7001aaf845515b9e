"""The two HTTP servers of the gateway process: partners' and management's."""

from __future__ import annotations

import ssl
import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import uvicorn

from gateway.api.connections import server_config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
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


def partners_config(app: Gateway, settings: HubSettings) -> uvicorn.Config:
    """Where and how partners are served: a port or a Unix socket, with TLS or behind a proxy.

    With `tls_client_ca` a client may show a certificate of those authorities. Nobody has to,
    because most prove themselves by DPoP; a certificate of another authority ends the handshake.
    """
    further: dict[str, Any] = {}
    if settings.socket is not None:
        further["uds"] = str(settings.socket)
    if settings.tls_certificate is not None:
        further["ssl_certfile"] = settings.tls_certificate
        further["ssl_context_factory"] = partial(_tls, settings.tls_client_ca)
    return server_config(app, host=settings.host, port=settings.port, **further)


def _tls(
    client_ca: Path | None, _config: uvicorn.Config, default: Callable[[], ssl.SSLContext]
) -> ssl.SSLContext:
    """TLS 1.2 and later, as RFC 9325 asks; a client certificate where authorities are named."""
    context = default()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if client_ca is not None:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def serve(
    app: Gateway, management: FastAPI, settings: HubSettings, draining: threading.Event
) -> None:
    """Serve until SIGTERM or SIGINT, then finish the requests under way; blocks.

    Readiness turns false first, then no connection is taken any more, then what is under way gets
    up to eight seconds. Whatever has no answer by then was not acknowledged, and may be retried.
    """
    partners = _Server(partners_config(app, settings), app, draining)
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
