"""Which addresses a DPoP proof may name: those that partners use, whatever the request says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.settings import HubSettings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"issuer": "https://hub.example.org", "public_url": "https://api.example.org/schakel/"},
            {"https://hub.example.org", "https://api.example.org/schakel"},
        ),
        ({"issuer": "https://hub.example.org/"}, {"https://hub.example.org"}),
        (
            {"issuer": "http://127.0.0.1:8080"},
            {"http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080"},
        ),
    ],
)
def test_proofs_name_the_public_addresses(
    tmp_path: Path, given: dict[str, str], expected: set[str]
) -> None:
    """Behind a proxy the public address counts; this machine's own names are one."""
    settings = HubSettings(data=tmp_path, **given)  # type: ignore[arg-type] # texts, as in a file

    assert set(settings.addresses) == expected
    assert settings.addresses[0] == settings.base_url.rstrip("/")
