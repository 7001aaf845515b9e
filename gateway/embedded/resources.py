"""Where the embedded broker's settings lie and where its downloads go.

The settings are deploy/kafka in a checkout and gateway/embedded/kafka in an installed wheel.
Downloads go to a cache outside both, so that neither an upgrade nor `git clean` fetches them again.
"""

from collections.abc import Mapping
from pathlib import Path

_HERE = Path(__file__).resolve().parent


def kafka_folder() -> Path:
    """Return the folder with the jar lock, the log settings and the broker's settings template."""
    installed = _HERE / "kafka"
    return installed if installed.is_dir() else _HERE.parents[1] / "deploy" / "kafka"


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Return SCHAKEL_CACHE, else `schakel` in the user's cache folder (XDG); may not exist yet."""
    chosen = environ.get("SCHAKEL_CACHE")
    if chosen:
        return Path(chosen).expanduser().resolve()
    root = environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "schakel"
