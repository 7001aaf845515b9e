"""Where the embedded broker's settings lie and where its downloads go.

The settings are deploy/kafka in a checkout and gateway/embedded/kafka in an installed wheel.
Downloads go to a cache outside both, so that neither an upgrade nor `git clean` fetches them again.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from gateway.errors import CacheUnusable
from schemas.errors import Message

_HERE = Path(__file__).resolve().parent


def kafka_folder() -> Path:
    """Return the folder with the jar lock, the log settings and the broker's settings template."""
    installed = _HERE / "kafka"
    return installed if installed.is_dir() else _HERE.parents[1] / "deploy" / "kafka"


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Return SCHAKEL_CACHE, else `schakel` in the user's cache folder (XDG); may not exist yet.

    Raises:
        CacheUnusable: Java cannot name a file there on its class path.
    """
    chosen = environ.get("SCHAKEL_CACHE")
    root = environ.get("XDG_CACHE_HOME")
    if chosen:
        folder = Path(chosen).expanduser().resolve()
    else:
        folder = (Path(root) if root else Path.home() / ".cache") / "schakel"
    if os.pathsep in str(folder):
        raise CacheUnusable(
            Message(
                nl=f"Java kan niets lezen uit {folder}: het pad bevat `{os.pathsep}`. Kies met "
                "SCHAKEL_CACHE een andere map.",
                en=f"Java can read nothing from {folder}: the path holds `{os.pathsep}`. Choose "
                "another folder with SCHAKEL_CACHE.",
            )
        )
    return folder
