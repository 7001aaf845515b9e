"""`GET /v1/audit` is for auditors alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from fastapi import FastAPI

from gateway.api import audit as calls
from gateway.api.framework import refuse
from gateway.exchange import audit
from schemas.errors import SchakelError
from tests.gateway.api import fakes
from tests.gateway.api.parties import PARTNER, roles
from tests.hub_front import served
from tests.store_fixtures import migrate, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    """The route over a ledger's store with three lines."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    migrate(url, "ledger")
    with opened(url) as engine:
        with engine.begin() as connection:
            for target in ("case-1", "case-2", "case-3"):
                audit.record(
                    connection, actor="a", act="log.read", target=target, reason="r", now_us=1
                )
        app = FastAPI()
        app.add_exception_handler(SchakelError, refuse)
        app.include_router(calls.router(reader=engine, verifier=fakes.ReadableTokens(roles())))
        with served(app) as address, httpx.Client(base_url=address) as client:
            yield client


def test_an_auditor_reads_page_after_page(client: httpx.Client) -> None:
    """The newest first, with where to go on."""
    headers = {"authorization": f"Bearer {PARTNER}+sj_audit"}
    first = client.get("/v1/audit?limit=2", headers=headers).json()
    rest = client.get(f"/v1/audit?limit=2&before={first['before']}", headers=headers).json()

    assert [one["target"] for one in first["lines"]] == ["case-3", "case-2"]
    assert first["lines"][0]["at"] == "1970-01-01T00:00:00.000001Z"
    assert ([one["target"] for one in rest["lines"]], rest["before"]) == (["case-1"], None)


def test_nobody_else_does(client: httpx.Client) -> None:
    """Neither an administrator without the scope nor somebody without a token."""
    refused = client.get("/v1/audit", headers={"authorization": f"Bearer {PARTNER}+sj_admin"})

    assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope")
    assert client.get("/v1/audit").status_code == 401
