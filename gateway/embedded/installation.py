"""The data folder of a hub on one machine: its ports and issuer, chosen once and kept.

DATA/hub.toml is written at the first start and never changed by the hub afterwards, so that
issuer, tokens and partners' settings stay valid over restarts.
"""

from __future__ import annotations

import os
import tomllib
from itertools import islice
from typing import TYPE_CHECKING

from gateway.embedded.kafka_process import require_ports_free
from gateway.embedded.ports import free_from
from gateway.errors import PortSettled
from gateway.settings import HUB_FILE, LOOPBACK
from schemas.errors import Message

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_PORT = 8080


def ensure_installation(data: Path, port: int | None) -> Path:
    """Make the data folder and its hub.toml if there is none; returns the file.

    Args:
        data: the folder.
        port: the gateway's port, chosen at the first start. The others follow it.

    Raises:
        PortTaken: another program listens on it; nothing was written.
        PortSettled: hub.toml names another.
        OSError: the folder cannot be made or written.
    """
    path = data / HUB_FILE
    if path.exists():
        _require_settled(path, port)
        return path
    if port is not None:
        require_ports_free(port)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(path, _chosen(port))
    return path


def _require_settled(path: Path, port: int | None) -> None:
    settled = tomllib.loads(path.read_text("utf-8")).get("port")
    if port in (None, settled):
        return
    raise PortSettled(
        Message(
            nl=f"{path} zegt poort {settled}, en die ligt vast. Laat --port weg en stop wat "
            "die poort gebruikt, of kies een andere --data.",
            en=f"{path} says port {settled}, which is settled. Leave --port out and stop what "
            "uses that port, or choose another --data.",
        )
    )


def _chosen(port: int | None) -> str:
    gateway = port or next(free_from(DEFAULT_PORT))
    management, client, internal, controller = islice(free_from(gateway + 1), 4)
    base = f"http://{LOOPBACK}:{gateway}"
    return (
        "# Chosen at the first start. Every token names the issuer: it cannot be changed later.\n"
        'environment = "test"\n'
        f"port = {gateway}\n"
        f"management_port = {management}\n"
        f'issuer = "{base}"\n'
        f'kafka_client_address = "{LOOPBACK}:{client}"\n'
        f'kafka_bootstrap = "{LOOPBACK}:{internal}"\n'
        f"kafka_controller_port = {controller}\n"
    )


def _write(path: Path, text: str) -> None:
    """Write the file whole or not at all."""
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)  # noqa: PTH105 - replace, also when a crash left one behind
