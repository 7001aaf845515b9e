"""Where the hub is and who asks, found for a command.

`--credentials` (or `SCHAKEL_CREDENTIALS`) names a client's credentials file; without it the
administrator's, `admin.json` in the data folder of a hub on this machine. The address comes from
`--hub` (or `SCHAKEL_HUB`), else from that file, else from the data folder's `hub.toml`.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.errors import CredentialsMissing
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

ADMIN_FILE, HUB_FILE = "admin.json", "hub.toml"
_FOLDERS = (Path("data"), Path("demo-data/hub"))
_HUB_TOO = "--credentials FILE --hub ADDRESS"
_ADDRESSES = ("hub", "gateway", "public_url", "issuer")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the hub is and who asks; `document` is the content of a credentials file."""

    url: str
    document: Mapping[str, Any] = field(repr=False)


def find(data: Path | None, hub: str | None, credentials: Path | None) -> Place:
    """Find the hub and the credentials.

    Raises:
        CredentialsMissing: there is no such file, or it says too little.
    """
    if credentials is None and data is None:
        raise missing(
            "geef --credentials BESTAND of --data MAP", "give --credentials FILE or --data FOLDER"
        )
    path = credentials or Path(data or ".") / ADMIN_FILE
    document = _credentials(path)
    url = hub or _address(document) or (_address(_hub_file(data)) if data else None)
    if url is None:
        raise missing("geef --hub ADRES", "give --hub ADDRESS", add=_HUB_TOO)
    return Place(url.rstrip("/"), document)


def address_of(data: Path | None, hub: str | None) -> str:
    """Where the hub is, for what needs no credentials.

    Raises:
        CredentialsMissing: neither an address nor a data folder was given.
    """
    found = hub or (_address(_hub_file(data)) if data else None)
    if found is None:
        raise missing("geef --hub ADRES of --data MAP", "give --hub ADDRESS or --data FOLDER")
    return found.rstrip("/")


def _credentials(path: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise missing(f"{path} kan niet gelezen worden", f"{path} cannot be read") from error
    if not isinstance(document, dict) or not isinstance(document.get("client_id"), str):
        raise missing(f"{path} heeft geen client_id", f"{path} has no client_id")
    return document


def _hub_file(data: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads((data / HUB_FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def _address(document: Mapping[str, Any]) -> str | None:
    for name in _ADDRESSES:
        found = document.get(name)
        if isinstance(found, str) and found.startswith(("http://", "https://")):
            return found
    return None


def missing(nl: str, en: str, add: str | None = None) -> CredentialsMissing:
    """The error of credentials that are not there or not usable.

    Args:
        nl: what is wrong, in Dutch.
        en: the same in English.
        add: what to run the command again with; a hub's folder of this machine by default.
    """
    return CredentialsMissing(
        Message(nl=f"Toegangsgegevens: {nl}.", en=f"Credentials: {en}."),
        facts={"next_with": add or f"--data {_folder_here()}"},
    )


def _folder_here() -> Path:
    """The data folder that a hub made in this folder: of `make up`, or of the demonstration."""
    return next((one for one in _FOLDERS if (one / ADMIN_FILE).is_file()), _FOLDERS[0])
