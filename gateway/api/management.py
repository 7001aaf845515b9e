"""The management port: health, readiness, figures, and the clock of a test installation.

It listens on an address of its own, without authentication, for the operator's tools only. Nothing
on it is about a person or names an organisation.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final, Protocol

import structlog
from fastapi import Body, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from gateway.api.collaborators import Probe
from gateway.api.framework import refuse
from schemas.errors import SchakelError
from schemas.moments import to_rfc3339

PROMETHEUS: Final = "text/plain; version=0.0.4; charset=utf-8"

_log = structlog.get_logger(__name__)


class MovableClock(Protocol):
    """A business clock that can be moved; `consumers.clock.RowClock` is the real one."""

    def now_us(self) -> int:
        """Microseconds since 1970 in UTC."""
        ...

    def move(self, seconds: float) -> None:
        """Move the time by this many seconds, for every process of the installation."""
        ...


def create_management(
    probes: Sequence[Probe],
    figures: Callable[[], Mapping[str, float]],
    *,
    clock: MovableClock | None = None,
    settle: Callable[[int], int] = lambda _at: 0,
    is_draining: Callable[[], bool] = lambda: False,
) -> FastAPI:
    """The management application.

    Args:
        probes: what has to answer for this process to be ready.
        figures: metric name to value, read at each scrape; `_total` names are counters.
        clock: given in test installations only; then `POST /clock` moves it.
        settle: waits until what is due at a time was done; how much is left when it gives up.
        is_draining: whether the process is ending, so that nothing new is sent to it.
    """
    app = FastAPI(title="Schakel management", docs_url=None, redoc_url=None, openapi_url=None)
    for kind in (SchakelError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, refuse)

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz")
    def readyz() -> JSONResponse:
        failing = _failing(probes)
        if is_draining():
            failing.append("draining")
        body = {"status": "failing", "failing": failing} if failing else {"status": "ok"}
        return JSONResponse(body, 503 if failing else 200)

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(exposition(figures()), media_type=PROMETHEUS)

    if clock is not None:
        _add_clock(app, clock, settle)
    return app


def exposition(figures: Mapping[str, float]) -> str:
    """Figures in Prometheus' text form; names are prefixed with `schakel_`."""
    lines: list[str] = []
    typed: set[str] = set()
    for name, value in figures.items():
        family = name.partition("{")[0]
        if family not in typed:
            typed.add(family)
            kind = "counter" if family.endswith("_total") else "gauge"
            lines.append(f"# TYPE schakel_{family} {kind}")
        lines.append(f"schakel_{name} {value}")
    return "\n".join(lines) + "\n"


def _failing(probes: Sequence[Probe]) -> list[str]:
    failing: list[str] = []
    for probe in probes:
        try:
            probe.check()
        except Exception as error:  # noqa: BLE001 - the edge: a probe that fails is the answer
            _log.warning("not_ready", part=probe.name, error=type(error).__name__)
            failing.append(probe.name)
    return failing


def _add_clock(app: FastAPI, clock: MovableClock, settle: Callable[[int], int]) -> None:
    @app.post("/clock")
    def move(
        seconds: Annotated[float, Body(embed=True)],
        to_settle: Annotated[bool, Body(embed=True, alias="settle")] = False,  # noqa: FBT002 - a member of the body
    ) -> dict[str, Any]:
        clock.move(seconds)
        now = clock.now_us()
        answer: dict[str, Any] = {"now": to_rfc3339(now)}
        if to_settle:
            answer["left"] = settle(now)
        return answer
