"""`GET /v1/audit`: who did what on this hub, and why (scope `sj_audit`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query

from gateway.api.authentication import principal_with
from gateway.exchange import audit
from schemas.moments import to_rfc3339

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from gateway.api.collaborators import TokenVerifier

SCOPE = "sj_audit"


def router(*, reader: Engine, verifier: TokenVerifier) -> APIRouter:
    """The one route. `reader` is of the ledger's store."""
    auditor = principal_with(verifier, SCOPE)
    routes = APIRouter(tags=["audit"], dependencies=[Depends(auditor)])

    @routes.get("/v1/audit", summary="Who did what on this hub, the newest first")
    def read(
        before: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        act: Annotated[str | None, Query(max_length=40)] = None,
        target: Annotated[str | None, Query(max_length=128)] = None,
    ) -> dict[str, Any]:
        with reader.connect() as connection:
            found = audit.lines(connection, before=before, limit=limit, act=act, target=target)
        shown = [{**one._asdict(), "at": to_rfc3339(one.at)} for one in found]
        return {"lines": shown, "before": found[-1].seq if len(found) == limit else None}

    return routes
