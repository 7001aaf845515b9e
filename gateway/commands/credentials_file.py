"""Writes the credentials file of a client: for its owner's eyes only, whole or not at all.

The file is begun before the hub is asked, so that a folder that cannot be written to is noticed
while nothing has changed yet, and a new key is never known to the hub alone.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gateway.errors import CredentialsMissing
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextmanager
def credentials_file(path: Path) -> Iterator[Callable[[dict[str, Any]], None]]:
    """A function that writes the document; the file appears when the block ends well.

    Raises:
        CredentialsMissing: the file cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise CredentialsMissing(
            Message(
                nl=f"{path} kan niet geschreven worden: {error.strerror}.",
                en=f"{path} cannot be written: {error.strerror}.",
            )
        ) from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:

            def write(document: dict[str, Any]) -> None:
                json.dump(document, file, indent=2)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())

            yield write
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
