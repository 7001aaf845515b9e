"""A command against a production hub: its calls are proven, and no bearer token is to be had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.commands.administrator import Administrator
from gateway.commands.hub_place import Place
from gateway.errors import RefusedByHub
from tests.hub_front import ADMIN, ISSUER, OPERATOR, HubFront, hub_front
from tests.registry_fixtures import sqlite_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def production(tmp_path: Path) -> Iterator[HubFront]:
    """A production installation's front."""
    with hub_front(sqlite_url(tmp_path), tmp_path, environment="production") as opened:
        yield opened


def place(front: HubFront) -> Place:
    """Its address and the administrator's credentials."""
    document = {"client_id": ADMIN, "private_key": front.private_keys[ADMIN], "issuer": ISSUER}
    return Place(str(front.client.base_url).rstrip("/"), document)


def test_a_command_proves_its_calls(production: HubFront) -> None:
    """Reading and writing work where nothing but proven senders is served."""
    with Administrator(place(production)) as session:
        listed = session.get("/v1/clients")
        plan = session.post("/v1/registry/plan", {"organisations": [OPERATOR]})

    assert [one["id"] for one in listed["clients"]] == [ADMIN]
    assert plan["version"] >= 1


def test_production_gives_no_token_to_copy(production: HubFront) -> None:
    """`schakel client token` is told why, and what to do instead."""
    with (
        Administrator(place(production), "en") as session,
        pytest.raises(RefusedByHub, match="send a DPoP proof"),
    ):
        session.token()
