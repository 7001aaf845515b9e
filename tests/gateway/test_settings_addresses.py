"""Which addresses a DPoP proof may name, and which a webhook may call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.settings import HubSettings, load

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


def test_addresses_that_nobody_said_follow_the_ports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hub on this machine is called by its own port; an empty variable says nothing."""
    monkeypatch.setenv("SCHAKEL_PORT", "9000")
    monkeypatch.setenv("SCHAKEL_KAFKA_PORT", "9001")
    for name in ("SCHAKEL_ISSUER", "SCHAKEL_PUBLIC_URL", "SCHAKEL_BUDGET_CONCURRENT"):
        monkeypatch.setenv(name, "")

    settings = load(tmp_path)

    assert (settings.issuer, settings.base_url) == ("http://127.0.0.1:9000",) * 2
    assert settings.kafka_client_address == "127.0.0.1:9001"
    assert settings.budget_concurrent == HubSettings.model_fields["budget_concurrent"].default


def test_only_a_test_installation_calls_itself(tmp_path: Path) -> None:
    """Webhooks to this machine are asked for, and never in production."""
    usual = HubSettings(data=tmp_path, environment="test")
    asked = HubSettings(data=tmp_path, environment="test", webhook_loopback=True)

    assert (usual.webhook_loopback, asked.webhook_loopback) == (False, True)
    with pytest.raises(ValueError, match="webhook_loopback"):
        HubSettings(data=tmp_path, environment="production", webhook_loopback=True)
